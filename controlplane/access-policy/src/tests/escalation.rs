//! However users work together, nobody comes to hold what nobody could give.

use proptest::prelude::*;

use super::{
    model::{KINDS, ROLES, SECONDS, USERS, any_binding, any_role, inner, places, role_name, user_name},
    *,
};

/// What users try.
#[derive(Clone, Debug)]
enum Attempt {
    Bind(RoleBinding),
    WriteRole(usize, Role),
}

fn any_attempt() -> impl Strategy<Value = (usize, i64, Attempt)> {
    let attempt = prop_oneof![
        4 => any_binding().prop_map(Attempt::Bind),
        1 => (0..ROLES, any_role()).prop_map(|(role, rules)| Attempt::WriteRole(role, rules)),
    ];
    (0..USERS, 0..SECONDS, attempt)
}

/// Whether a right was to be had from the start: held by the user itself, or by anybody with the grant option.
fn could_come_to(start: &Policy, user: usize, request: &Request<'_>, second: i64) -> bool {
    let principal = |i| Principal::User(name(&user_name(i)));
    let itself = start.decide(&principal(user), request, at(second)).is_allowed();
    let mut givable =
        (0..USERS).flat_map(|i| start.can_i(&principal(i), at(second))).filter(|right| right.grant_option);
    itself
        || givable.any(|right| {
            let rule = Rule { verbs: right.verbs, kinds: right.kinds };
            request.scopes.contains(&right.scope) && rule.allows(request.verb, request.kind)
        })
}

proptest! {
    #[test]
    fn no_history_of_gifts_makes_a_right_that_was_not_to_be_had(
        roles in prop::collection::vec(any_role(), ROLES),
        bindings in prop::collection::vec(any_binding(), 0..6),
        helpful in any::<bool>(),
        attempts in prop::collection::vec(any_attempt(), 0..60),
    ) {
        let mut bindings = bindings;
        let mut roles = roles;
        if helpful {
            // Random roles seldom can give anything: half of the cases begin with one that can.
            roles[0].rules.push(Rule { verbs: VerbSet::ALL, kinds: kinds("instances rolebindings roles") });
            bindings.push(with_grant_option(until(2, binding("u0", "r0", SITE.clone()))));
            bindings.push(with_grant_option(binding("u1", "r0", Scope::Office)));
        }
        let mut start = policy(bindings);
        for (i, role) in roles.into_iter().enumerate() {
            start.put_role(name(&role_name(i)), role).expect("a small role");
        }
        for i in 0..USERS {
            start.put_user(name(&user_name(i)), true);
        }
        let mut policy = start.clone();
        for (i, (giver, second, attempt)) in attempts.into_iter().enumerate() {
            let giver = Principal::User(name(&user_name(giver)));
            match attempt {
                Attempt::Bind(gift) => {
                    let place = places().into_iter().find(|place| *inner(place) == gift.scope).expect("a place");
                    if policy.decide_binding(&giver, &gift, &place, at(second)).is_allowed() {
                        policy.put_binding(name(&format!("gift{i}")), gift);
                    }
                }
                Attempt::WriteRole(role, rules) => {
                    let role = name(&role_name(role));
                    if policy.decide_role(&giver, &role, &rules, at(second)).is_allowed() {
                        policy.put_role(role, rules).expect("a small role");
                    }
                }
            }
        }
        for (verb, kind) in Verb::ALL.into_iter().flat_map(|verb| KINDS.map(|kind| (verb, kind))) {
            for (place, second, i) in places().iter().flat_map(|place| {
                (0..SECONDS).flat_map(move |second| (0..USERS).map(move |i| (place, second, i)))
            }) {
                let request = ask(verb, kind, place);
                let now = policy.decide(&Principal::User(name(&user_name(i))), &request, at(second));
                prop_assert!(
                    !now.is_allowed() || could_come_to(&start, i, &request, second),
                    "u{} came to {} {} at second {}: {}", i, verb, kind, second, now
                );
            }
        }
    }
}
