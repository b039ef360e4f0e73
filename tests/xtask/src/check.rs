//! Formatting, lints, licences, bans and sources.

use anyhow::Result;

use crate::{
    setup,
    workspace::{cargo, root, run, step},
};

pub(crate) fn checks() -> Result<()> {
    step("formatting", || {
        run(cargo().args(["fmt", "--all", "--check"]))?;
        run(cargo().args(["fmt", "--check", "--manifest-path"]).arg(root().join("ebpf/programs/Cargo.toml")))
    })?;
    step("lints", || {
        run(cargo().args(["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    })?;
    // The advisory database is left to the operator's own CI: it has to be fetched.
    step("licences, bans and sources of the dependencies", || {
        // Those of other systems are looked at, too, and no build has asked for them.
        run(cargo().args(["fetch", "--quiet", "--locked"]))?;
        run(cargo().args([
            "deny",
            "--offline",
            "--log-level",
            "error",
            "check",
            "bans",
            "licenses",
            "sources",
        ]))
    })
}

pub(crate) fn command() -> Result<()> {
    setup::for_build()?;
    setup::for_tests()?;
    checks()
}
