//! Giving rights on.

use super::*;

/// Whether a giver with `held` (over the slice, if not said otherwise) may make `gift` at second 0.
fn check(held: impl IntoIterator<Item = RoleBinding>, gift: &RoleBinding, expected: &str) {
    let mut policy = policy(held);
    policy.put_role(name("eraser"), role(&[(&[Verb::Delete], "instances")])).expect("a role");
    let bind = role(&[(&[Verb::Bind], "rolebindings")]);
    policy.put_role(name("registrar"), bind).expect("a role");
    let decision = policy.decide_binding(&user("ann"), gift, &in_slice(), at(0)).to_string();
    assert!(decision.starts_with(expected), "{decision}");
}

#[test]
fn what_is_held_with_the_grant_option_can_be_given_on() {
    let gift = binding("bob", "slice-admin", SLICE.clone());
    let own = with_grant_option(binding("ann", "slice-admin", SLICE.clone()));
    check(
        [own.clone()],
        &gift,
        "allowed: role binding b0 gives role slice-admin over slice cdn, whose rules[3]",
    );
    check([own.clone()], &with_grant_option(gift.clone()), "allowed");
    check([with_grant_option(binding("ann", "slice-admin", SITE.clone()))], &gift, "allowed");
    check([with_grant_option(binding("ann", "office-admin", Scope::Office))], &gift, "allowed");
    check(
        [with_grant_option(binding("ann", "slice-user", SLICE.clone()))],
        &binding("bob", "slice-user", SLICE.clone()),
        "allowed",
    );
    // Two bindings may cover together what neither does alone.
    let registrar = with_grant_option(binding("ann", "registrar", SLICE.clone()));
    let eraser = with_grant_option(binding("ann", "eraser", SITE.clone()));
    check([registrar.clone(), eraser.clone()], &binding("bob", "eraser", SLICE.clone()), "allowed");
    check(
        [eraser],
        &binding("bob", "eraser", SLICE.clone()),
        "refused: user ann has no role that allows to bind",
    );
}

#[test]
fn what_is_not_so_held_cannot_be_given() {
    let gift = binding("bob", "slice-admin", SLICE.clone());
    let own = with_grant_option(binding("ann", "slice-admin", SLICE.clone()));
    let cannot = "refused: user ann cannot give the right to ";
    check([RoleBinding { grant_option: false, ..own.clone() }], &gift, cannot);
    check([with_grant_option(binding("ann", "slice-user", SLICE.clone()))], &gift, cannot);
    let wider = binding("bob", "slice-admin", SITE.clone());
    let policy = policy([own.clone()]);
    let decision = policy.decide_binding(&user("ann"), &wider, &[Scope::Office, SITE.clone()], at(0));
    assert!(!decision.is_allowed(), "{decision}");
    check([own.clone()], &binding("bob", "office-admin", SLICE.clone()), cannot);
    check(
        [own.clone()],
        &binding("bob", "no-such-role", SLICE.clone()),
        "refused: there is no role no-such-role",
    );
    let elsewhere = binding("bob", "slice-admin", Scope::Slice(name("other")));
    check([own], &elsewhere, "refused: the request is not about slice other");
    check([], &gift, "refused: there is no user ann");
}

#[test]
fn a_gift_does_not_outlast_what_it_comes_from() {
    let gift = binding("bob", "slice-admin", SLICE.clone());
    let own = || until(100, with_grant_option(binding("ann", "slice-admin", SLICE.clone())));
    check([own()], &until(100, gift.clone()), "allowed");
    check([own()], &until(101, gift.clone()), "refused: user ann cannot give");
    check([own()], &gift, "refused: user ann cannot give");
    check([until(0, own())], &until(0, gift), "refused: user ann has no role");
}

#[test]
fn a_role_is_written_by_who_could_give_it_anywhere_and_for_good() {
    let wanted = role(&[(&[Verb::Get], "nodes")]);
    let check = |held: RoleBinding, expected: bool| {
        let policy = policy([held]);
        let decision = policy.decide_role(&user("ann"), &name("peeper"), &wanted, at(0));
        assert_eq!(decision.is_allowed(), expected, "{decision}");
    };
    let own = with_grant_option(binding("ann", "office-admin", Scope::Office));
    check(own.clone(), true);
    check(RoleBinding { grant_option: false, ..own.clone() }, false);
    check(until(100, own.clone()), false);
    check(with_grant_option(binding("ann", "office-admin", SITE.clone())), false);
    check(with_grant_option(binding("ann", "office-viewer", Scope::Office)), false);
    let built_in = policy([own]).decide_role(&user("ann"), &name("site-pi"), &wanted, at(0));
    assert_eq!(built_in.to_string(), "refused: role site-pi is built in, and stays as it is");
    let root = Policy::default().decide_role(&Principal::RootSocket, &name("site-pi"), &wanted, at(0));
    assert!(!root.is_allowed(), "not even by root");
}

#[test]
fn credentials_are_made_by_who_could_have_given_all_that_the_user_holds() {
    let check = |held_by_bob: &[RoleBinding], held_by_ann: RoleBinding, expected: &str| {
        let mut policy = policy(held_by_bob.iter().cloned().chain([held_by_ann]));
        policy.put_user(name("bob"), true);
        let within = |scope: &Scope| match scope {
            Scope::Slice(_) => in_slice(),
            other => vec![Scope::Office, other.clone()],
        };
        let scopes = [Scope::Office, SITE.clone()];
        let decision = policy.decide_credentials(&user("ann"), &name("bob"), &scopes, within, at(0));
        assert!(decision.to_string().starts_with(expected), "{decision}");
        let own = policy.decide_credentials(&user("bob"), &name("bob"), &scopes, within, at(0));
        assert_eq!(own, Decision::Allowed(Ground::OwnCredentials));
        let node = Principal::Node(name("bob"));
        assert!(!policy.decide_credentials(&node, &name("bob"), &scopes, within, at(0)).is_allowed());
    };
    let site_admin = with_grant_option(binding("ann", "site-admin", SITE.clone()));
    check(&[], site_admin.clone(), "allowed");
    check(&[binding("bob", "site-pi", SITE.clone())], site_admin.clone(), "allowed");
    check(&[binding("bob", "slice-admin", SLICE.clone())], site_admin.clone(), "allowed");
    check(
        &[binding("bob", "office-viewer", Scope::Office)],
        site_admin.clone(),
        "refused: user ann cannot give",
    );
    check(&[until(0, binding("bob", "office-viewer", Scope::Office))], site_admin.clone(), "allowed");
    let pi = with_grant_option(binding("ann", "site-pi", SITE.clone()));
    check(&[binding("bob", "site-admin", SITE.clone())], pi, "refused: user ann cannot give");
    let without_option = RoleBinding { grant_option: false, ..site_admin };
    check(&[binding("bob", "site-pi", SITE.clone())], without_option, "refused: user ann cannot give");
    let no_change = with_grant_option(binding("ann", "slice-admin", SLICE.clone()));
    check(&[], no_change, "refused: user ann has no role that allows to update \"users\"");
}
