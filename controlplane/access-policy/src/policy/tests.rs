//! A decision looks at what it needs, however many bindings there are.

use super::*;
use crate::{
    Principal, Verb,
    tests::{SLICE, ask, at, binding, name, policy, until, user},
};

const BINDINGS: usize = 100_000;

#[test]
fn a_decision_among_100_000_bindings_looks_at_those_of_its_user_and_scope() {
    let subscriber = |i: usize| Scope::Subscriber(name(&format!("sub{i}")));
    // One user in ten thousand; and one who is bound to every subscriber.
    let policy = policy((0..BINDINGS).map(|i| {
        let holder = if i % 2 == 0 { "callcentre".to_owned() } else { format!("home{}", i % 10_000) };
        binding(&holder, "subscriber-self-care", subscriber(i))
    }));
    for holder in ["callcentre", "home7"] {
        let held = &policy.users[&name(holder)];
        assert!((0..BINDINGS).all(|i| held.held(&subscriber(i)).count() <= 1), "{holder}");
    }
    for i in 0..BINDINGS {
        let decide = |user: &Principal| {
            let scopes = [Scope::Office, subscriber(i)];
            policy.decide(user, &ask(Verb::Patch, "subscribers/features", &scopes), at(0)).is_allowed()
        };
        assert_eq!(decide(&user("callcentre")), i % 2 == 0);
    }
}

#[test]
fn expired_bindings_are_not_looked_at() {
    let ends = (0..BINDINGS).map(|i| i64::try_from(i).expect("small"));
    let policy = policy(ends.map(|end| until(end - 99_998, binding("ann", "slice-user", SLICE.clone()))));
    let ann = &policy.users[&name("ann")];
    let in_force: Vec<_> = ann.in_force(&SLICE, at(0)).map(|((Reverse(end), _), _)| *end).collect();
    assert_eq!(in_force, [Expiry::At(at(1))]);
}

#[test]
fn removing_everything_leaves_nothing() {
    let mut policy = policy((0..100).map(|i| binding(&format!("u{}", i % 7), "slice-user", SLICE.clone())));
    for i in 0..100 {
        policy.remove_binding(&name(&format!("b{i}")));
        policy.remove_user(&name(&format!("u{}", i % 7)));
    }
    assert!(policy.users.is_empty() && policy.bindings.is_empty());
}
