//! Tests of this binary, on the oldest kernel that is supported.

use vm::{Files, Kernel};

/// One or more of each suite but floods, so that each program is loaded and sees packets there: an emulated machine's verifier takes
/// ten seconds and more for each office, and what says nothing of a kernel is said by the others.
const OF_THE_KERNEL: [&str; 27] = [
    "devices::devices_of_a_home_are_kept_apart",
    "dhcp::the_known_home_gets_its_offer_and_its_lease",
    "dns::a_blocked_name_is_answered_and_an_encrypted_resolver_refused",
    "events::each_mapping_is_told_of_once_if_that_is_wanted",
    "filtering::one_connection_of_two_with_a_host_ends",
    "firewall::a_routed_subscribers_firewall_lets_answers_in",
    "fixtures::fixtures_on_the_host_and_in_the_kernel",
    "forwards::port_forwards_lead_both_ways",
    "garden::suspended_and_unauthenticated_sessions_reach_the_garden_and_nothing_else",
    "limits::a_rate_is_kept_to",
    "limits::mappings_run_out_as_the_rfcs_say",
    "limits::sources_are_checked_against_the_routes",
    "live::frames_cross_the_office_both_ways",
    "one_to_one::an_address_of_ones_own_stands_for_the_inside_one_whatever_the_packet_is",
    "overflow::flows_live_in_further_port_blocks_as_in_the_own_one",
    "priorities::what_a_line_sends_has_the_class_of_its_outer_tag",
    "random::random_frames_become_what_they_may_and_are_counted_once",
    "reconcile::an_interface_without_native_xdp_is_refused",
    "routes::flows_spread_stay_and_move_only_with_the_way_that_goes",
    "routes6::flows_of_ipv6_spread_stay_and_move_only_with_the_way_that_goes",
    "rules::rules_behind_nat",
    "shared::homes_are_told_apart_by_their_addresses",
    "six::ipv6_goes_both_ways_and_a_firewall_lets_answers_in",
    "stages::what_leaves_a_stage_comes_into_the_next",
    "storm::a_line_that_was_stopped_goes_on_with_time",
    "upgrade::state::mappings_flows_counters_tokens_and_addresses_survive_there_and_back",
    "voice::voice_has_a_rate_a_mark_and_a_priority_of_its_own",
];

/// Of a machine, half of them: each has a quarter of an hour, on whatever else the processors do.
const HALF: usize = OF_THE_KERNEL.len() / 2;

#[test]
fn the_first_half_passes_on_debian_12s_kernel() {
    pass(&OF_THE_KERNEL[..HALF]);
}

#[test]
fn the_second_half_passes_on_debian_12s_kernel() {
    pass(&OF_THE_KERNEL[HALF..]);
}

fn pass(tests: &[&str]) {
    let files = Files::new().and_then(|files| files.program("ethtool")).unwrap_or_else(|e| panic!("{e}"));
    let arguments = [&["--exact"], tests].concat();
    let done = vm::rerun(Kernel::Debian12, files, &arguments).unwrap_or_else(|e| panic!("{e}"));
    println!("{}", done.stdout);
    assert_eq!(done.status, 0, "{}", done.stderr);
    let release = done.stdout.lines().next().expect("the kernel's release");
    assert!(release.contains(Kernel::Debian12.release()), "{release}");
    for test in tests {
        assert!(done.stdout.contains(&format!("test {test} ... ok")), "{test} did not run");
    }
}
