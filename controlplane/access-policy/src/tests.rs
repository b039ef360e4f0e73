use std::sync::LazyLock;

use jiff::Timestamp;
use net_types::Name;

use crate::*;

mod decisions;
mod escalation;
mod giving;
mod model;
mod table;

pub(crate) fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// Seconds after the beginning of the test's time.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time")
}

pub(crate) fn user(text: &str) -> Principal {
    Principal::User(name(text))
}

fn kinds(text: &str) -> Vec<KindPattern> {
    text.split(' ').map(|kind| kind.parse().expect("a kind")).collect()
}

fn role(rules: &[(&[Verb], &str)]) -> Role {
    let rule = |(verbs, text): &(&[Verb], &str)| Rule { verbs: VerbSet::of(verbs), kinds: kinds(text) };
    Role { rules: rules.iter().map(rule).collect() }
}

pub(crate) fn binding(user: &str, role: &str, scope: Scope) -> RoleBinding {
    RoleBinding { user: name(user), role: name(role), scope, grant_option: false, expires_at: Expiry::Never }
}

fn with_grant_option(binding: RoleBinding) -> RoleBinding {
    RoleBinding { grant_option: true, ..binding }
}

pub(crate) fn until(second: i64, binding: RoleBinding) -> RoleBinding {
    RoleBinding { expires_at: Expiry::At(at(second)), ..binding }
}

/// The slice of these tests, and what it lies in.
pub(crate) static SLICE: LazyLock<Scope> = LazyLock::new(|| Scope::Slice(name("cdn")));
static SITE: LazyLock<Scope> = LazyLock::new(|| Scope::Site(name("princeton")));

fn in_slice() -> Vec<Scope> {
    vec![Scope::Office, SITE.clone(), SLICE.clone()]
}

/// A policy of enabled users with these bindings, named `b0`, `b1`, ….
pub(crate) fn policy(bindings: impl IntoIterator<Item = RoleBinding>) -> Policy {
    let mut policy = Policy::default();
    for (i, binding) in bindings.into_iter().enumerate() {
        policy.put_user(binding.user.clone(), true);
        policy.put_binding(name(&format!("b{i}")), binding);
    }
    policy
}

pub(crate) fn ask<'a>(verb: Verb, kind: &'a str, scopes: &'a [Scope]) -> Request<'a> {
    Request { verb, kind, name: None, scopes }
}
