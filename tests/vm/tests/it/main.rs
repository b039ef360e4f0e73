//! A machine does what it is told, and says so when it cannot.

use std::time::Duration;

use vm::{Files, Kernel, Output, Vm, VmError};

fn machine() -> Vm {
    Vm::boot(Kernel::Debian12, &Files::new().expect("files")).unwrap_or_else(|error| panic!("{error}"))
}

fn output(status: i32, stdout: &str, stderr: &str) -> Output {
    Output { status, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
}

#[test]
fn commands_run_on_the_kernel_of_debian_12() {
    let mut vm = machine();
    let release = vm.run(&["uname", "-r"]).expect("runs");
    assert!(release.stdout.starts_with("6.1.0-"), "{release:?}");
    let clock = vm.run(&["cat", "/sys/devices/system/clocksource/clocksource0/current_clocksource"]);
    assert_eq!(clock.expect("runs"), output(0, "hpet\n", ""));
    // Words arrive as they are, and each stream and the status come back.
    let script = r#"printf '%s|' "$@"; echo complaint >&2; exit 7"#;
    let said = vm.run(&["sh", "-c", script, "sh", "a  b", "it's", "$HOME", "\\", ""]).expect("runs");
    assert_eq!(said, output(7, "a  b|it's|$HOME|\\||", "complaint\n"));
    assert_eq!(vm.run(&["sh", "-c", "kill -9 $$"]).expect("runs").status, 128 + 9);
    assert_eq!(vm.run(&["no-such-program"]).expect("the shell says so").status, 127);
    let refused = vm.run(&["echo", "two\nlines"]);
    assert!(matches!(refused, Err(VmError::Word(_))), "{refused:?}");
    // What the tests are made of.
    let links =
        vm.run(&["ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1"]).expect("runs");
    assert_eq!(links, output(0, "", ""));
    // A command that does not end in time is an error with what the console said.
    vm.run(&["sh", "-c", "echo '<0>the last words' >/dev/kmsg"]).expect("runs");
    let late = vm.run_within(Duration::from_secs(1), &["sleep", "1000"]).expect_err("does not end");
    let text = late.to_string();
    assert!(matches!(late, VmError::Late { .. }) && text.contains("the last words"), "{text}");
}

#[test]
fn a_machine_that_ends_is_an_error_and_not_a_wait() {
    let mut vm = machine();
    let ended = vm.run(&["sh", "-c", "echo b >/proc/sysrq-trigger; sleep 60"]).expect_err("it ended");
    assert!(matches!(ended, VmError::Ended { .. }), "{ended}");
    assert!(vm.run(&["true"]).is_err(), "and stays so");
}

#[test]
fn what_is_missing_is_named_with_what_brings_it() {
    let files = Files::new().expect("files");
    let program = files.clone().program("no-such-program").expect_err("missing").to_string();
    assert!(program.starts_with("no-such-program is not installed: apt-get install"), "{program}");
    let built = files.executable("/no/such/program".as_ref()).expect_err("missing").to_string();
    assert_eq!(built, "/no/such/program is missing: build it with `cargo xtask build`");
}
