//! What may be done to which kinds of objects; to which objects, a binding says.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::Verb;
use crate::{BasicStatus, Fault, Kind, KindName, Object, Pointer, document::check};

pub type Role = Object<RoleSpec>;
pub type RoleStatus = BasicStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleSpec {
    pub rules: Vec<RoleRule>,
}

/// Each of the verbs to each of the kinds. Rules only ever allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleRule {
    pub verbs: VerbSet,
    pub kinds: KindSet,
}

/// A list of verbs, or `["*"]`: all that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerbSet {
    All,
    Of(BTreeSet<Verb>),
}

/// A list of plurals of kinds, or `["*"]`: all that there are and will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindSet {
    All,
    Of(BTreeSet<KindName>),
}

impl VerbSet {
    pub fn contains(&self, verb: Verb) -> bool {
        match self {
            Self::All => true,
            Self::Of(verbs) => verbs.contains(&verb),
        }
    }
}

impl KindSet {
    pub fn contains(&self, kind: KindName) -> bool {
        match self {
            Self::All => true,
            Self::Of(kinds) => kinds.contains(&kind),
        }
    }
}

impl RoleSpec {
    pub const RULES_MAX: usize = 64;

    /// Whether a rule allows this.
    pub fn allows(&self, verb: Verb, kind: KindName) -> bool {
        self.rules.iter().any(|rule| rule.verbs.contains(verb) && rule.kinds.contains(kind))
    }
}

impl Kind for RoleSpec {
    const KIND: KindName = KindName::Role;
    type Status = RoleStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let rules = Pointer::from("/spec/rules");
        check::at_most(&mut faults, &rules, self.rules.len(), Self::RULES_MAX, "rules");
        for (i, rule) in self.rules.iter().enumerate().take(Self::RULES_MAX) {
            if matches!(&rule.verbs, VerbSet::Of(verbs) if verbs.is_empty()) {
                faults.push(Fault::new(rules.at(i).at("verbs"), "a rule without verbs allows nothing"));
            }
            if matches!(&rule.kinds, KindSet::Of(kinds) if kinds.is_empty()) {
                faults.push(Fault::new(rules.at(i).at("kinds"), "a rule without kinds allows nothing"));
            }
        }
        faults
    }
}

const ANY: &str = "*";

/// What a list of words means, of which `"*"` stands alone.
fn words<T: Ord, E: Error>(
    words: &[String],
    word: impl Fn(&str) -> Option<T>,
    rule: &str,
) -> Result<Option<BTreeSet<T>>, E> {
    if words.iter().any(|word| word == ANY) {
        return if words.len() == 1 { Ok(None) } else { Err(E::custom("\"*\" stands alone")) };
    }
    let meaning = |text: &String| word(text).ok_or_else(|| E::custom(format!("{text:?} is not {rule}")));
    words.iter().map(meaning).collect::<Result<_, E>>().map(Some)
}

impl Serialize for VerbSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.collect_seq([ANY]),
            Self::Of(verbs) => serializer.collect_seq(verbs),
        }
    }
}

impl<'de> Deserialize<'de> for VerbSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let verbs = words::<_, D::Error>(&texts, |text| text.parse().ok(), "a verb, such as get")?;
        Ok(verbs.map_or(Self::All, Self::Of))
    }
}

impl Serialize for KindSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.collect_seq([ANY]),
            Self::Of(kinds) => serializer.collect_seq(kinds.iter().map(|kind| kind.plural())),
        }
    }
}

impl<'de> Deserialize<'de> for KindSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        let kinds = words::<_, D::Error>(&texts, KindName::from_plural, "the plural of a kind")?;
        Ok(kinds.map_or(Self::All, Self::Of))
    }
}
