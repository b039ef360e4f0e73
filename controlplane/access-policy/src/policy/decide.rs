//! Whether a request is allowed.

use std::cmp::Reverse;

use jiff::Timestamp;
use net_types::Name;

use super::{Policy, Presence, User};
use crate::{Decision, Ground, Principal, Refusal, Request, SCOPES_MAX, Verb, applies};

/// How many expired bindings are looked at for one that explains a refusal.
const EXPIRED_MAX: usize = 16;

impl Policy {
    /// Whether `principal` may do what `request` says, at the time `now`.
    ///
    /// `bind` says only that role bindings (or roles) can be written at all: which ones, [`Policy::decide_binding`] and
    /// [`Policy::decide_role`] say.
    pub fn decide(&self, principal: &Principal, request: &Request<'_>, now: Timestamp) -> Decision {
        match principal {
            Principal::RootSocket => Decision::Allowed(Ground::RootSocket),
            Principal::Node(node) => decide_for_node(node, request),
            Principal::User(user) => match self.decide_for_user(user, request, now) {
                Ok(ground) => Decision::Allowed(ground),
                Err(refusal) => Decision::Refused(refusal),
            },
        }
    }

    /// Whether a user is known and enabled.
    pub fn check_user(&self, name: &Name) -> Result<(), Refusal> {
        self.user(name).map(drop)
    }

    pub(super) fn decide_for_user(
        &self,
        name: &Name,
        request: &Request<'_>,
        now: Timestamp,
    ) -> Result<Ground, Refusal> {
        let Request { verb, kind, name: _, scopes } = *request;
        let user = self.user(name)?;
        if scopes.len() > SCOPES_MAX {
            return Err(Refusal::TooManyScopes);
        }
        if !applies(verb, kind) {
            return Err(Refusal::NotAVerbOf { verb, kind: kind.into() });
        }
        for scope in scopes {
            for ((_, binding), held) in user.in_force(scope, now) {
                if let Some(rule) = self.role(&held.role).and_then(|role| role.rule_for(verb, kind)) {
                    let (binding, role) = (binding.clone(), held.role.clone());
                    return Ok(Ground::Binding { binding, role, rule, scope: scope.clone() });
                }
            }
        }
        let expired = scopes.iter().flat_map(|scope| {
            user.held(scope)
                .skip_while(move |((Reverse(expiry), _), _)| expiry.is_after(now))
                .take(EXPIRED_MAX)
        });
        let allowed = |role: &Name| self.role(role).is_some_and(|role| role.rule_for(verb, kind).is_some());
        let expired = expired.into_iter().find(|(_, held)| allowed(&held.role));
        Err(Refusal::NoRight {
            user: name.clone(),
            verb,
            kind: kind.into(),
            scopes: scopes.to_vec(),
            expired: expired.map(|((Reverse(expiry), binding), _)| (binding.clone(), *expiry)),
        })
    }

    /// A user who can hold something.
    pub(super) fn user(&self, name: &Name) -> Result<&User, Refusal> {
        match self.users.get(name) {
            Some(user) if user.presence == Presence::Enabled => Ok(user),
            Some(user) if user.presence == Presence::Disabled => Err(Refusal::DisabledUser(name.clone())),
            Some(_) | None => Err(Refusal::UnknownUser(name.clone())),
        }
    }
}

fn decide_for_node(node: &Name, request: &Request<'_>) -> Decision {
    let reads = matches!(request.verb, Verb::Get | Verb::Watch);
    if reads && request.kind == "nodes" && request.name == Some(node.as_str()) {
        return Decision::Allowed(Ground::OwnNode);
    }
    Decision::Refused(Refusal::NotOfNode(node.clone()))
}
