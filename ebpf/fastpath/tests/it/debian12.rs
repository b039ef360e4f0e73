//! The other tests of this binary, on the oldest kernel that is supported.

use vm::{Files, Kernel};

/// What says nothing of a kernel, but is long on an emulated one: many states of the maps, one after the other, and floods
/// until they exceed a rate.
const ELSEWHERE: [&str; 7] = [
    // Its clients are not in that machine.
    "dhcp::clients",
    "from_any_leftover_to_any_state",
    "a_flood_passes_at_the_rate",
    "two_cpus_share",
    "a_change_of_rules_ends_what_it_forbids",
    "port_forwards_come_and_go",
    "upgrade::strange",
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
        "random::",
        "rates::",
        "reconcile::",
        "routes::",
        "rules::",
        "shared::",
        "six::",
        "upgrade::",
        "voice::",
    ] {
        assert!(done.stdout.contains(suite), "{suite} did not run");
    }
}
