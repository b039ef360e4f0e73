//! One decision, and its refusal in words.

use access_policy::{Decision, Ground, Policy, Principal, Refusal, Request, SCOPES_MAX, Scope, Verb};
use jiff::Timestamp;

use super::{Caller, Subject};
use crate::office::{Rejection, RejectionKind};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) verb: Verb,
    /// A plural, or a part of one.
    pub(crate) kind: &'a str,
    pub(crate) name: Option<&'a str>,
    pub(crate) scopes: &'a [Scope],
}

/// Whether one of the scopes, however many there are, allows it.
pub(crate) fn decide(
    policy: &Policy,
    principal: &Principal,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<Ground, Refusal> {
    let Asked { verb, kind, name, scopes } = asked;
    let mut refusal = None;
    for scopes in scopes.chunks(SCOPES_MAX) {
        match policy.decide(principal, &Request { verb, kind, name, scopes }, now) {
            Decision::Allowed(ground) => return Ok(ground),
            Decision::Refused(found) => refusal = refusal.or(Some(found)),
        }
    }
    Err(refusal.unwrap_or(Refusal::TooManyScopes))
}

/// What is said to who may not. It names only scopes that the request itself names, unless the object is one that the
/// caller can see: so it is the same whether or not there is such an object.
pub(crate) fn refused(
    policy: &Policy,
    caller: &Caller,
    asked: Asked<'_>,
    subject: Option<&Subject>,
    now: Timestamp,
) -> Rejection {
    let to_get = Asked { verb: Verb::Get, ..asked };
    let least = subject.map_or_else(|| vec![Scope::Office], Subject::least);
    let sees = decide(policy, &caller.principal, to_get, now).is_ok();
    let asked = if sees { asked } else { Asked { scopes: &least, ..asked } };
    match decide(policy, &caller.principal, asked, now) {
        Err(refusal) => forbidden(&refusal),
        Ok(_) => forbidden("the right is not held where the object would lie"),
    }
}

pub(crate) fn forbidden(detail: impl std::fmt::Display) -> Rejection {
    Rejection { kind: RejectionKind::Forbidden, detail: detail.to_string(), faults: Vec::new() }
}
