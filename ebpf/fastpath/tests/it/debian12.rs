//! The other tests of this binary, on the oldest kernel that is supported.

use vm::{Files, Kernel};

/// What says nothing of a kernel, but is long on an emulated one: sixty states of the maps, each scanned whole.
const ELSEWHERE: &str = "from_any_leftover_to_any_state";
/// What needs programs that the emulated machine does not have.
const CLIENTS: &str = "dhcp::clients";

#[test]
fn all_of_this_passes_on_debian_12s_kernel() {
    let files = Files::new().and_then(|files| files.program("ethtool")).unwrap_or_else(|e| panic!("{e}"));
    let arguments = ["--skip", "debian12", "--skip", ELSEWHERE, "--skip", CLIENTS];
    let done = vm::rerun(Kernel::Debian12, files, &arguments).unwrap_or_else(|e| panic!("{e}"));
    println!("{}", done.stdout);
    assert_eq!(done.status, 0, "{}", done.stderr);
    let release = done.stdout.lines().next().expect("the kernel's release");
    assert!(release.contains(Kernel::Debian12.release()), "{release}");
    for suite in
        ["dhcp::", "fixtures::", "limits::", "live::", "reconcile::", "routes::", "shared::", "six::"]
    {
        assert!(done.stdout.contains(suite), "{suite} did not run");
    }
}
