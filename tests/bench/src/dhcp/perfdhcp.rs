//! perfdhcp, which ISC measures Kea with.

use std::{path::Path, process::Command};

use anyhow::{Context, Result};

use super::{CLIENTS, SERVER};
use crate::namespace::Namespace;

/// Exchanges a second, well below what either server can do: what is measured is their CPU time.
const RATE: &str = "2000";
const SECONDS: &str = "6";
/// The first client's Ethernet address; the next ones count up.
pub(super) const FIRST_MAC: [u8; 6] = [2, 0, 0, 0, 0, 0];

/// What became of its exchanges of four messages.
pub(super) struct Done {
    pub(super) started: u32,
    pub(super) leases: u32,
}

pub(super) fn run(root: &Path, namespace: &Namespace) -> Result<Done> {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace.name()]).arg(root.join("usr/sbin/perfdhcp"));
    command.env("LD_LIBRARY_PATH", root.join("usr/lib/x86_64-linux-gnu"));
    let clients = CLIENTS.to_string();
    command.args(["-4", "-l", "perf0", "-r", RATE, "-p", SECONDS, "-R", &clients, "-W", "1000000"]);
    command.args(["-b", "mac=02:00:00:00:00:00", SERVER]);
    let done = command.output().context("perfdhcp")?;
    // It ends with an error where a single exchange was not finished.
    let text = String::from_utf8_lossy(&done.stdout);
    let number = |section: &str, name: &str| -> Option<u32> {
        let rest = text.split_once(section)?.1.split_once(name)?.1;
        rest.lines().next()?.trim().parse().ok()
    };
    let all = || format!("perfdhcp says: {text}{}", String::from_utf8_lossy(&done.stderr));
    Ok(Done {
        started: number("DISCOVER-OFFER", "sent packets:").with_context(all)?,
        leases: number("REQUEST-ACK", "received packets:").with_context(all)?,
    })
}
