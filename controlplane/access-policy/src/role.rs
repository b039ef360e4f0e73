//! What may be done to which kinds of objects; to which objects, a binding says.

use xos_model::{KindSet, RoleRule, RoleSpec, Verb};

use crate::{KindPattern, VerbSet};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role {
    pub rules: Vec<Rule>,
}

/// Each of the verbs on each of the kinds. Rules only ever allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pub verbs: VerbSet,
    pub kinds: Vec<KindPattern>,
}

/// Why a role is not taken into a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    #[error("the role is built in, and stays as it is")]
    BuiltIn,
    #[error("a role has at most {} rules", Role::RULES_MAX)]
    TooManyRules,
    #[error("rules[{rule}].kinds: a rule has at most {} kinds", Rule::KINDS_MAX)]
    TooManyKinds { rule: usize },
}

impl Rule {
    pub const KINDS_MAX: usize = 64;

    pub fn allows(&self, verb: Verb, kind: &str) -> bool {
        self.verbs.contains(verb) && self.kinds.iter().any(|own| own.covers(kind))
    }
}

impl Role {
    pub const RULES_MAX: usize = 64;

    /// The first rule that allows this.
    pub fn rule_for(&self, verb: Verb, kind: &str) -> Option<usize> {
        self.rules.iter().position(|rule| rule.allows(verb, kind))
    }

    pub(crate) fn check(&self) -> Result<(), RoleError> {
        if self.rules.len() > Self::RULES_MAX {
            return Err(RoleError::TooManyRules);
        }
        match self.rules.iter().position(|rule| rule.kinds.len() > Rule::KINDS_MAX) {
            Some(rule) => Err(RoleError::TooManyKinds { rule }),
            None => Ok(()),
        }
    }
}

impl From<&RoleSpec> for Role {
    fn from(spec: &RoleSpec) -> Self {
        Self { rules: spec.rules.iter().map(Rule::from).collect() }
    }
}

impl From<&RoleRule> for Rule {
    fn from(RoleRule { verbs, kinds }: &RoleRule) -> Self {
        let verbs = match verbs {
            xos_model::VerbSet::All => VerbSet::ALL,
            xos_model::VerbSet::Of(verbs) => verbs.iter().copied().collect(),
        };
        let kinds = match kinds {
            KindSet::All => vec![KindPattern::All],
            KindSet::Of(kinds) => kinds.iter().map(|kind| KindPattern::One(kind.plural().into())).collect(),
        };
        Self { verbs, kinds }
    }
}
