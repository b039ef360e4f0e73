//! The other tests of this binary, on the oldest kernel that is supported.

use vm::{Files, Kernel};

/// What says nothing of a kernel, or nothing that another test does not say of it, and is long on an emulated one, whose
/// verifier takes its time for each office: many states of the maps, one after the other, what user space alone decides, and
/// floods until they exceed a rate.
const ELSEWHERE: [&str; 39] = [
    // Its clients are not in that machine.
    "dhcp::clients::real",
    "a_browsers_connections_fit",
    "a_change_of_rules_ends_what_it_forbids",
    "a_flood_passes_at_the_rate",
    "a_full_table_refuses",
    "a_garden_comes_changes_and_goes",
    "a_new_process_that_is_told_the_routes_first",
    "a_port_may_take_priorities",
    "a_profile_is_shared",
    "a_quarantined_session",
    "all_else_is_for_user_space",
    "both_of_two_rates",
    "few_or_many_options",
    "flows_live_in_further_port_blocks_behind",
    "from_any_leftover_to_any_state",
    "further_port_blocks_come_up_to_the_quota",
    "further_port_blocks_survive",
    "ipv6_comes_and_goes",
    "lists_come_change_and_go",
    "mappings_let_in_whom",
    "more_flows_than_a_firewall_remembers",
    "more_resolvers_than_there_is_room_for",
    "others_come_and_go",
    "platforms_come_and_go",
    "port_forwards_come_and_go",
    "rules::model",
    "rules_that_cannot_be",
    "several_networks_lead",
    "the_end_of_a_mapping_is_told",
    "the_office_knows_until_when",
    "the_offices_own_come_first",
    "two_cpus_share",
    // Sends for as long as the change-overs take there, more than its socket holds.
    "upgrade::live",
    "upgrade::strange",
    "what_a_dead_process_did_not_wipe",
    "what_cannot_be_is_refused",
    "what_ipv6_cannot_be",
    "what_is_lent_gives_way",
    "what_makes_no_sense",
];

#[test]
fn all_of_this_passes_on_debian_12s_kernel() {
    let files = Files::new().and_then(|files| files.program("ethtool")).unwrap_or_else(|e| panic!("{e}"));
    let mut arguments = vec!["--skip", "debian12"];
    arguments.extend(ELSEWHERE.into_iter().flat_map(|test| ["--skip", test]));
    let done = vm::rerun(Kernel::Debian12, files, &arguments).unwrap_or_else(|e| panic!("{e}"));
    println!("{}", done.stdout);
    assert_eq!(done.status, 0, "{}", done.stderr);
    let release = done.stdout.lines().next().expect("the kernel's release");
    assert!(release.contains(Kernel::Debian12.release()), "{release}");
    for suite in [
        "dhcp::",
        "dns::",
        "events::",
        "firewall::",
        "fixtures::",
        "forwards::",
        "garden::",
        "limits::",
        "live::",
        "one_to_one::",
        "overflow::",
        "random::",
        "reconcile::",
        "routes::",
        "rules::",
        "shared::",
        "six::",
        "stages::",
        "upgrade::",
        "voice::",
    ] {
        assert!(done.stdout.contains(suite), "{suite} did not run");
    }
}
