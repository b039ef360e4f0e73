//! A whole office on the oldest kernel that is supported.

use std::path::Path;

use vm::{Files, Kernel, VmError};

use crate::office::{bin_dir, manifest};

/// Everything that an office and its homes run.
fn files() -> Result<Files, VmError> {
    let mut files = Files::new()?;
    for program in ["dhclient", "dhclient-script", "nsenter", "ping", "udhcpc"] {
        files = files.program(program)?;
    }
    for program in ["wc-lab", "wcctl", "wcnode", "wirecenter-agent", "wirecenterd"] {
        files = files.executable(&bin_dir().join(program))?;
    }
    files = files.tree(Path::new("/etc/udhcpc"))?;
    files.tree(manifest("office.yaml").parent().expect("a folder"))
}

/// Leases, pings through NAT and without, with controller and agent killed meanwhile; and a node that starts from what its
/// agent wrote to disk.
#[test]
fn an_office_on_debian_12s_kernel_outlives_its_controller_and_its_agents() {
    let files = files().unwrap_or_else(|error| panic!("{error}"));
    let done = vm::rerun(Kernel::Debian12, files, &["faults::"]).unwrap_or_else(|error| panic!("{error}"));
    println!("{}", done.stdout);
    assert_eq!(done.status, 0, "{}", done.stderr);
    let release = done.stdout.lines().next().expect("the kernel's release");
    assert!(release.contains(Kernel::Debian12.release()), "{release}");
    assert!(done.stdout.contains("test result: ok. 3 passed"), "{}", done.stdout);
}
