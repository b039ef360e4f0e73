//! Running cargo on this workspace, and finding what it built.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::Instant,
};

use anyhow::{Context, Result, ensure};

/// The root of the repository that cargo runs this from: with a build folder that several clones share, not always the one
/// that this was compiled in.
pub(crate) fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let xtask = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&xtask).ancestors().nth(2);
        root.expect("xtask lies two folders below the root").to_owned()
    })
}

/// The cargo that runs this (Debian's own, which compiles the kernel programs, may be on the path too).
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Where cargo puts the programs that the demo, the lab, the tests and the benchmarks run.
pub(crate) fn bin_dir() -> Result<PathBuf> {
    let exe = env::current_exe().context("finding this program")?;
    Ok(exe.parent().context("this program has no folder")?.to_owned())
}

/// Builds every program of the workspace.
pub(crate) fn build() -> Result<()> {
    crate::setup::for_build()?;
    step("building (the first build compiles RocksDB, which takes about ten minutes)", || {
        run(cargo().args(["build", "--workspace", "--bins"]))
    })
}

/// Runs a command to its end; its output is ours.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("starting {}", text(command)))?;
    ensure!(status.success(), "{} failed: {status}", text(command));
    Ok(())
}

/// Says what begins, does it, and says how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {what}");
    let begun = Instant::now();
    let result = work().with_context(|| what.to_owned())?;
    println!("    done in {:.1} s", begun.elapsed().as_secs_f64());
    Ok(result)
}

fn text(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}
