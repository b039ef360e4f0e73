//! What a decision is, at the edges, and what it says.

use super::*;

fn check(policy: &Policy, principal: &Principal, request: &Request<'_>, second: i64, expected: &str) {
    assert_eq!(policy.decide(principal, request, at(second)).to_string(), expected);
}

#[test]
fn a_decision_names_its_binding_and_rule() {
    let policy = policy([binding("ann", "slice-admin", SLICE.clone())]);
    check(
        &policy,
        &user("ann"),
        &ask(Verb::Create, "instances", &in_slice()),
        0,
        "allowed: role binding b0 gives role slice-admin over slice cdn, whose rules[1] allows it",
    );
    check(
        &policy,
        &user("ann"),
        &ask(Verb::Delete, "slices", &in_slice()),
        0,
        "refused: user ann has no role that allows to delete \"slices\" in the office or site princeton or slice cdn",
    );
    check(
        &policy,
        &user("ann"),
        &ask(Verb::Get, "slices", &[]),
        0,
        "refused: user ann has no role that allows to get \"slices\" in no scope at all",
    );
}

#[test]
fn a_binding_ends_at_the_very_instant_and_the_refusal_says_so() {
    let policy = policy([until(10, binding("ann", "office-viewer", Scope::Office))]);
    let request = ask(Verb::Get, "nodes", &[Scope::Office]);
    let decide = |time| policy.decide(&user("ann"), &request, time);
    assert!(decide(at(10) - jiff::SignedDuration::from_nanos(1)).is_allowed());
    let refused = decide(at(10)).to_string();
    assert!(refused.ends_with("(role binding b0 did so until 2027-01-15T08:00:10Z)"), "{refused}");
    assert!(policy.can_i(&user("ann"), at(10)).is_empty());
    assert_eq!(policy.can_i(&user("ann"), at(9)).len(), 2);
}

#[test]
fn who_is_disabled_or_not_known_holds_nothing() {
    let mut policy = policy([binding("ann", "office-admin", Scope::Office)]);
    let request = ask(Verb::Get, "nodes", &[Scope::Office]);
    policy.put_user(name("ann"), false);
    check(&policy, &user("ann"), &request, 0, "refused: user ann is disabled");
    assert!(policy.can_i(&user("ann"), at(0)).is_empty());
    assert!(policy.scopes_of(&name("ann"), Verb::Get, "nodes", at(0)).is_empty());
    policy.remove_user(&name("ann"));
    check(&policy, &user("ann"), &request, 0, "refused: there is no user ann");
    policy.put_user(name("ann"), true);
    assert!(policy.decide(&user("ann"), &request, at(0)).is_allowed(), "the binding is still there");
    check(&policy, &user("bob"), &request, 0, "refused: there is no user bob");
}

#[test]
fn roots_socket_may_everything_and_a_node_only_read_itself() {
    let policy = Policy::default();
    for verb in Verb::ALL {
        assert!(policy.decide(&Principal::RootSocket, &ask(verb, "secrets", &[]), at(0)).is_allowed());
        for (kind, own) in
            [("nodes", Some("node1")), ("nodes", Some("node2")), ("nodes", None), ("secrets", Some("node1"))]
        {
            let request = Request { name: own, ..ask(verb, kind, &[Scope::Office]) };
            let decision = policy.decide(&Principal::Node(name("node1")), &request, at(0));
            let reads_itself =
                kind == "nodes" && own == Some("node1") && matches!(verb, Verb::Get | Verb::Watch);
            assert_eq!(decision.is_allowed(), reads_itself, "{verb} {kind} {own:?}");
        }
    }
}

#[test]
fn roles_and_bindings_are_written_with_bind_only() {
    let policy = policy([binding("ann", "office-admin", Scope::Office)]);
    for kind in ["roles", "rolebindings"] {
        for verb in [Verb::Create, Verb::Update, Verb::Patch] {
            let decision = policy.decide(&user("ann"), &ask(verb, kind, &[Scope::Office]), at(0));
            assert_eq!(decision, Decision::Refused(Refusal::NotAVerbOf { verb, kind: kind.into() }));
        }
    }
    let bind = policy.decide(&user("ann"), &ask(Verb::Bind, "slices", &[Scope::Office]), at(0));
    assert_eq!(bind.to_string(), "refused: nothing can be bound to \"slices\"");
}

#[test]
fn a_request_in_too_many_scopes_is_refused() {
    let policy = policy([binding("ann", "office-admin", Scope::Office)]);
    let decide = |n| policy.decide(&user("ann"), &ask(Verb::Get, "nodes", &vec![Scope::Office; n]), at(0));
    assert!(decide(SCOPES_MAX).is_allowed());
    assert_eq!(decide(SCOPES_MAX + 1), Decision::Refused(Refusal::TooManyScopes));
}

#[test]
fn the_listing_is_what_is_held() {
    let mut policy = policy([
        until(5, with_grant_option(binding("ann", "tenant-admin", Scope::Tenant(name("t1"))))),
        binding("ann", "guard", SLICE.clone()),
        binding("bob", "office-admin", Scope::Office),
    ]);
    policy
        .put_role(name("guard"), role(&[(&[Verb::Get, Verb::Delete], "instances networks")]))
        .expect("a role");
    let show = |p: &Permission| {
        let kinds: Vec<_> = p.kinds.iter().map(KindPattern::to_string).collect();
        let (role, binding) = p.from.clone().expect("a binding");
        format!("{}: {} {} ({role} by {binding}, {})", p.scope, p.verbs, kinds.join(" "), p.expires_at)
    };
    let listed: Vec<_> = policy.can_i(&user("ann"), at(0)).iter().map(show).collect();
    assert_eq!(
        listed,
        [
            "slice cdn: get,delete instances networks (guard by b1, for good)",
            "tenant t1: get,list,watch,update,patch tenants (tenant-admin by b0, until 2027-01-15T08:00:05Z)",
            "tenant t1: get,list,watch,delete,bind rolebindings (tenant-admin by b0, until 2027-01-15T08:00:05Z)",
        ]
    );
    assert!(policy.scopes_of(&name("ann"), Verb::Get, "networks", at(0)).iter().eq([&*SLICE]));
    assert!(policy.scopes_of(&name("ann"), Verb::List, "networks", at(0)).is_empty());
    assert!(policy.can_i(&Principal::RootSocket, at(0))[0].grant_option);
    assert_eq!(policy.can_i(&Principal::Node(name("node1")), at(0))[0].name, Some(name("node1")));
}

#[test]
fn roles_have_limits_and_built_in_ones_stay() {
    let mut policy = Policy::default();
    let rule = Rule { verbs: VerbSet::ALL, kinds: kinds("nodes") };
    let many = |rules, kinds| Role {
        rules: vec![Rule { kinds: vec![rule.kinds[0].clone(); kinds], ..rule.clone() }; rules],
    };
    assert_eq!(policy.put_role(name("r"), many(Role::RULES_MAX, Rule::KINDS_MAX)), Ok(()));
    assert_eq!(policy.put_role(name("r"), many(Role::RULES_MAX + 1, 1)), Err(RoleError::TooManyRules));
    let too_many_kinds = policy.put_role(name("r"), many(1, Rule::KINDS_MAX + 1));
    assert_eq!(too_many_kinds, Err(RoleError::TooManyKinds { rule: 0 }));
    assert_eq!(policy.put_role(name("office-viewer"), many(1, 1)), Err(RoleError::BuiltIn));
}

#[test]
fn a_kind_is_a_plural_with_a_part_or_without() {
    for (text, legal) in [
        ("*", true),
        ("nodes", true),
        ("subscribers/features", true),
        ("", false),
        ("/", false),
        ("nodes/", false),
        ("/features", false),
        ("a/b/c", false),
        ("Nodes", false),
        ("**", false),
        (&"n".repeat(63), true),
        (&"n".repeat(64), false),
    ] {
        assert_eq!(text.parse::<KindPattern>().is_ok(), legal, "{text:?}");
    }
    let covers = |own: &str, kind| own.parse::<KindPattern>().expect("a kind").covers(kind);
    assert!(covers("subscribers", "subscribers/features"));
    assert!(!covers("subscribers/features", "subscribers"));
    assert!(!covers("sub", "subscribers"));
    assert!(!covers("nodes", "*"), "a request for all kinds is no kind of request");
}
