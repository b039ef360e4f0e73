//! A test binary's own tests, on another kernel.

use std::env;

use crate::{
    error::{Result, VmError},
    files::Files,
    kernel::Kernel,
    machine::{Output, Vm},
};

/// Runs the test binary that this is called from in a machine with that kernel, one test at a time, with further arguments
/// (which tests to run, which not). The machine has `files` and the binary, everything under the paths of this machine.
pub fn rerun(kernel: Kernel, files: Files, arguments: &[&str]) -> Result<Output> {
    let exe = env::current_exe().map_err(VmError::io("find this program"))?;
    let mut vm = Vm::boot(kernel, &files.executable(&exe)?)?;
    let exe = exe.to_string_lossy().into_owned();
    let mut output = vm.run(&[&[exe.as_str(), "--test-threads", "1"], arguments].concat())?;
    let release = vm.run(&["uname", "-r"])?.stdout;
    output.stdout.insert_str(0, &format!("on Linux {release}"));
    if output.status != 0 {
        output.stderr += "\nthe console's last lines:\n";
        output.stderr += &vm.console();
    }
    Ok(output)
}
