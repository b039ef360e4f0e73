//! All that somebody may do.

use std::{cmp::Reverse, collections::BTreeSet};

use jiff::Timestamp;
use net_types::Name;

use super::Policy;
use crate::{Expiry, KindPattern, Principal, Scope, Verb, VerbSet, applies};

/// Each of the verbs on each of the kinds, over a scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permission {
    pub scope: Scope,
    pub verbs: VerbSet,
    pub kinds: Vec<KindPattern>,
    /// The one object that is meant, if not all that lie in the scope.
    pub name: Option<Name>,
    /// The role and the binding it comes from; `None` for what a principal may by nature.
    pub from: Option<(Name, Name)>,
    pub grant_option: bool,
    pub expires_at: Expiry,
}

impl Policy {
    /// All that `principal` may do at the time `now`: by scope, what lasts longest first. Verbs that a kind does not know
    /// ([`applies`]) are not taken out of rules with several kinds.
    pub fn can_i(&self, principal: &Principal, now: Timestamp) -> Vec<Permission> {
        let by_nature = |verbs, kind: KindPattern, name| Permission {
            scope: Scope::Office,
            verbs,
            kinds: vec![kind],
            name,
            from: None,
            grant_option: false,
            expires_at: Expiry::Never,
        };
        match principal {
            Principal::RootSocket => {
                vec![Permission { grant_option: true, ..by_nature(VerbSet::ALL, KindPattern::All, None) }]
            }
            Principal::Node(node) => {
                let verbs = VerbSet::of(&[Verb::Get, Verb::Watch]);
                vec![by_nature(verbs, KindPattern::One("nodes".into()), Some(node.clone()))]
            }
            Principal::User(user) => self.permissions_of(user, now),
        }
    }

    fn permissions_of(&self, name: &Name, now: Timestamp) -> Vec<Permission> {
        let Ok(user) = self.user(name) else { return Vec::new() };
        let scopes: BTreeSet<_> = user.held.keys().collect();
        let mut permissions = Vec::new();
        for scope in scopes {
            for ((Reverse(expires_at), binding), held) in user.in_force(scope, now) {
                let rules = self.role(&held.role).into_iter().flat_map(|role| &role.rules);
                permissions.extend(rules.map(|rule| Permission {
                    scope: scope.clone(),
                    verbs: rule.verbs,
                    kinds: rule.kinds.clone(),
                    name: None,
                    from: Some((held.role.clone(), binding.clone())),
                    grant_option: held.grant_option,
                    expires_at: *expires_at,
                }));
            }
        }
        permissions
    }

    /// The scopes in which `user` may do this: a list or a watch shows what lies in one of them.
    pub fn scopes_of(&self, user: &Name, verb: Verb, kind: &str, now: Timestamp) -> BTreeSet<Scope> {
        let Ok(user) = self.user(user) else { return BTreeSet::new() };
        if !applies(verb, kind) {
            return BTreeSet::new();
        }
        let allows = |role: &Name| self.role(role).is_some_and(|role| role.rule_for(verb, kind).is_some());
        let scopes = user.held.keys();
        let scopes = scopes.filter(|scope| user.in_force(scope, now).any(|(_, held)| allows(&held.role)));
        scopes.cloned().collect()
    }
}
