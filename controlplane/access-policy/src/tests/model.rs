//! The index against a plain reading of the rules, after random histories of changes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

pub(super) const USERS: usize = 3;
pub(super) const ROLES: usize = 3;
pub(super) const KINDS: [&str; 4] = ["instances", "networks", "rolebindings", "subscribers/features"];
/// How many seconds the test's time has.
pub(super) const SECONDS: i64 = 4;

/// The scopes of these tests, each with what it lies in.
pub(super) fn places() -> [Vec<Scope>; 4] {
    let other = Scope::Slice(name("other"));
    [
        vec![Scope::Office],
        vec![Scope::Office, SITE.clone()],
        in_slice(),
        vec![Scope::Office, SITE.clone(), other],
    ]
}

/// The innermost scope of a place.
pub(super) fn inner(place: &[Scope]) -> &Scope {
    place.last().expect("a place lies somewhere")
}

pub(super) fn user_name(i: usize) -> String {
    format!("u{i}")
}

pub(super) fn role_name(i: usize) -> String {
    format!("r{i}")
}

pub(super) fn any_role() -> impl Strategy<Value = Role> {
    let verbs = prop::collection::vec(prop::sample::select(Verb::ALL.to_vec()), 0..6);
    let kind = prop::sample::select(vec![
        "*",
        "instances",
        "networks",
        "rolebindings",
        "subscribers",
        "subscribers/features",
    ]);
    let rule = (verbs, prop::collection::vec(kind, 0..3)).prop_map(|(verbs, kinds)| Rule {
        verbs: verbs.into_iter().collect(),
        kinds: kinds.into_iter().map(|kind| kind.parse().expect("a kind")).collect(),
    });
    prop::collection::vec(rule, 0..3).prop_map(|rules| Role { rules })
}

pub(super) fn any_binding() -> impl Strategy<Value = RoleBinding> {
    let expiry = prop_oneof![Just(None), (0..SECONDS).prop_map(Some)];
    (0..USERS, 0..ROLES, 0..places().len(), any::<bool>(), expiry).prop_map(
        |(user, role, place, grant_option, end)| RoleBinding {
            grant_option,
            expires_at: end.map(at).into(),
            ..binding(&user_name(user), &role_name(role), inner(&places()[place]).clone())
        },
    )
}

#[derive(Clone, Debug)]
enum Step {
    PutUser(usize, bool),
    RemoveUser(usize),
    PutRole(usize, Role),
    RemoveRole(usize),
    PutBinding(usize, RoleBinding),
    RemoveBinding(usize),
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..USERS, prop::bool::weighted(0.8)).prop_map(|(user, enabled)| Step::PutUser(user, enabled)),
        1 => (0..USERS).prop_map(Step::RemoveUser),
        3 => (0..ROLES, any_role()).prop_map(|(role, rules)| Step::PutRole(role, rules)),
        1 => (0..ROLES).prop_map(Step::RemoveRole),
        6 => (0..6_usize, any_binding()).prop_map(|(i, binding)| Step::PutBinding(i, binding)),
        2 => (0..6_usize).prop_map(Step::RemoveBinding),
    ]
}

/// What is said, without an index.
#[derive(Default)]
struct Model {
    users: BTreeMap<Name, bool>,
    roles: BTreeMap<Name, Role>,
    bindings: BTreeMap<Name, RoleBinding>,
}

impl Model {
    fn allows(&self, user: &Name, verb: Verb, kind: &str, scopes: &[Scope], second: i64) -> bool {
        self.users.get(user) == Some(&true)
            && applies(verb, kind)
            && self.bindings.values().any(|binding| {
                let rules = self.roles.get(&binding.role).map_or(&[][..], |role| &role.rules);
                binding.user == *user
                    && scopes.contains(&binding.scope)
                    && binding.expires_at > Expiry::At(at(second))
                    && rules.iter().any(|rule| rule.allows(verb, kind))
            })
    }
}

fn run(steps: Vec<Step>) -> (Policy, Model) {
    let (mut policy, mut model) = (Policy::default(), Model::default());
    for step in steps {
        match step {
            Step::PutUser(i, enabled) => {
                policy.put_user(name(&user_name(i)), enabled);
                model.users.insert(name(&user_name(i)), enabled);
            }
            Step::RemoveUser(i) => {
                policy.remove_user(&name(&user_name(i)));
                model.users.remove(&name(&user_name(i)));
            }
            Step::PutRole(i, role) => {
                policy.put_role(name(&role_name(i)), role.clone()).expect("a small role");
                model.roles.insert(name(&role_name(i)), role);
            }
            Step::RemoveRole(i) => {
                policy.remove_role(&name(&role_name(i)));
                model.roles.remove(&name(&role_name(i)));
            }
            Step::PutBinding(i, binding) => {
                policy.put_binding(name(&format!("b{i}")), binding.clone());
                model.bindings.insert(name(&format!("b{i}")), binding);
            }
            Step::RemoveBinding(i) => {
                policy.remove_binding(&name(&format!("b{i}")));
                model.bindings.remove(&name(&format!("b{i}")));
            }
        }
    }
    (policy, model)
}

proptest! {
    #[test]
    fn the_index_decides_as_a_plain_reading_does(steps in prop::collection::vec(any_step(), 0..40)) {
        let (policy, model) = run(steps);
        for i in 0..USERS {
            let asker = name(&user_name(i));
            let principal = Principal::User(asker.clone());
            for (verb, kind) in Verb::ALL.into_iter().flat_map(|verb| KINDS.map(|kind| (verb, kind))) {
                for second in 0..SECONDS {
                    let scopes_of = policy.scopes_of(&asker, verb, kind, at(second));
                    for place in places() {
                        let expected = model.allows(&asker, verb, kind, &place, second);
                        let decision = policy.decide(&principal, &ask(verb, kind, &place), at(second));
                        prop_assert_eq!(decision.is_allowed(), expected, "{}", decision);
                        prop_assert_eq!(place.iter().any(|scope| scopes_of.contains(scope)), expected);
                        let listed = policy.can_i(&principal, at(second)).into_iter().any(|permission| {
                            place.contains(&permission.scope)
                                && Rule { verbs: permission.verbs, kinds: permission.kinds }.allows(verb, kind)
                        });
                        prop_assert_eq!(listed && applies(verb, kind), expected);
                    }
                }
            }
        }
    }
}
