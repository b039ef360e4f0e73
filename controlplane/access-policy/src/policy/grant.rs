//! Whether rights can be given away.

use std::cmp::Reverse;

use jiff::Timestamp;
use net_types::Name;

use super::{Policy, User};
use crate::{
    Decision, Expiry, Ground, KindPattern, Principal, Refusal, Request, Role, RoleBinding, SCOPES_MAX, Scope,
    Verb, VerbSet, builtin,
};

impl Policy {
    /// Whether `principal` may make this binding. `scopes` are those that the binding's scope lies in, itself included.
    ///
    /// To change a binding is to take one back (`delete`) and to make another.
    pub fn decide_binding(
        &self,
        principal: &Principal,
        binding: &RoleBinding,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Decision {
        self.judge(principal, |giver| {
            let role = self.role(&binding.role).ok_or_else(|| Refusal::UnknownRole(binding.role.clone()))?;
            if !scopes.contains(&binding.scope) {
                return Err(Refusal::ScopeNotNamed(binding.scope.clone()));
            }
            let ground = self.may_bind(giver, "rolebindings", scopes, now)?;
            let gift = Gift { role, scope: &binding.scope, expiry: binding.expires_at };
            self.can_give(giver, &gift, scopes, now)?;
            Ok(ground)
        })
    }

    /// Whether `principal` may give the role these rules: as the role may be bound anywhere and for good, all of them
    /// have to be held so.
    pub fn decide_role(&self, principal: &Principal, name: &Name, role: &Role, now: Timestamp) -> Decision {
        if builtin::find(name.as_str()).is_some() {
            return Decision::Refused(Refusal::BuiltInRole(name.clone()));
        }
        self.judge(principal, |giver| {
            let scopes = [Scope::Office];
            let ground = self.may_bind(giver, "roles", &scopes, now)?;
            let gift = Gift { role, scope: &Scope::Office, expiry: Expiry::Never };
            self.can_give(giver, &gift, &scopes, now)?;
            Ok(ground)
        })
    }

    /// Whether `principal` may make a token or a password for `user`: only who could have given all that the user holds,
    /// and may change the user, whose scopes are `user_scopes`. `scopes_of` says what a binding's scope lies in.
    pub fn decide_credentials(
        &self,
        principal: &Principal,
        user: &Name,
        user_scopes: &[Scope],
        scopes_of: impl Fn(&Scope) -> Vec<Scope>,
        now: Timestamp,
    ) -> Decision {
        self.judge(principal, |giver| {
            let owner = self.user(user)?;
            if giver == user {
                return Ok(Ground::OwnCredentials);
            }
            let change =
                Request { verb: Verb::Update, kind: "users", name: Some(user.as_str()), scopes: user_scopes };
            let ground = self.decide_for_user(giver, &change, now)?;
            for scope in owner.held.keys() {
                let wider = scopes_of(scope);
                for ((Reverse(expiry), _), held) in owner.in_force(scope, now) {
                    let role =
                        self.role(&held.role).ok_or_else(|| Refusal::UnknownRole(held.role.clone()))?;
                    self.can_give(giver, &Gift { role, scope, expiry: *expiry }, &wider, now)?;
                }
            }
            Ok(ground)
        })
    }

    fn judge(&self, principal: &Principal, judge: impl FnOnce(&Name) -> Result<Ground, Refusal>) -> Decision {
        let outcome = match principal {
            Principal::RootSocket => Ok(Ground::RootSocket),
            Principal::Node(node) => Err(Refusal::NotOfNode(node.clone())),
            Principal::User(giver) => self.user(giver).and_then(|_| judge(giver)),
        };
        match outcome {
            Ok(ground) => Decision::Allowed(ground),
            Err(refusal) => Decision::Refused(refusal),
        }
    }

    fn may_bind(
        &self,
        giver: &Name,
        kind: &str,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Result<Ground, Refusal> {
        self.decide_for_user(giver, &Request { verb: Verb::Bind, kind, name: None, scopes }, now)
    }

    /// Each right has to be held whole, with the grant option, in one of `scopes`, and for at least as long.
    fn can_give(
        &self,
        giver: &Name,
        gift: &Gift<'_>,
        scopes: &[Scope],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        if scopes.len() > SCOPES_MAX {
            return Err(Refusal::TooManyScopes);
        }
        let user = self.user(giver)?;
        for rule in &gift.role.rules {
            for kind in &rule.kinds {
                let missing = rule.verbs.without(self.can_give_on(user, kind, gift.expiry, scopes, now));
                if !missing.is_empty() {
                    return Err(Refusal::CannotGive {
                        user: giver.clone(),
                        verbs: missing,
                        kind: kind.clone(),
                        scope: gift.scope.clone(),
                        expiry: gift.expiry,
                    });
                }
            }
        }
        Ok(())
    }

    /// The verbs on `kind` that `user` can give on, for so long.
    fn can_give_on(
        &self,
        user: &User,
        kind: &KindPattern,
        expiry: Expiry,
        scopes: &[Scope],
        now: Timestamp,
    ) -> VerbSet {
        let held = scopes.iter().flat_map(|scope| user.in_force(scope, now));
        let enough = held.filter(|((Reverse(end), _), held)| held.grant_option && *end >= expiry);
        let rules = enough.filter_map(|(_, held)| self.role(&held.role)).flat_map(|role| &role.rules);
        rules
            .filter(|rule| rule.kinds.iter().any(|own| own.includes(kind)))
            .flat_map(|rule| rule.verbs.iter())
            .collect()
    }
}

/// Rights to be given.
struct Gift<'a> {
    role: &'a Role,
    scope: &'a Scope,
    expiry: Expiry,
}
