//! Removing what the journal says was made, and nothing else.

use std::{fs, io, path::Path};

use linux_node::NetNs;
use nix::{
    errno::Errno,
    mount::{MntFlags, umount2},
};

use crate::{
    LabError,
    addresses::NODE,
    command::{Result, ip},
    journal::{Journal, Made},
    network::namespace,
    process::{self, ProcessId},
};

/// Everything of the lab's in its state directory. Files called after homes are found by their suffix.
const FILES: [&str; 3] = ["olt.json", "join-token", "controller.sock"];
const DIRECTORIES: [&str; 5] = ["agent", "bpf", "controller", "logs", "run"];
const SUFFIXES: [&str; 3] = ["dhclient.conf", "leases", "pid"];

pub(crate) fn run(journal: &mut Journal) -> Result<()> {
    end_processes(journal)?;
    // Pinned programs let go of their interfaces before these go anywhere.
    each(journal, |_, made| match made {
        Made::BpfMount(directory) => unmount(directory),
        _ => Ok(()),
    })?;
    each(journal, |journal, made| match made {
        Made::Moved { interface, port } => {
            let node = namespace(journal, NODE);
            let there = NetNs::path(&node).exists() && ip(&format!("-n {node} link show {port}")).is_ok();
            if !there {
                return Ok(());
            }
            ip(&format!("-n {node} link set {port} down"))?;
            // To the namespace that this thread is in, where `up` took it from.
            let home = nix::unistd::gettid();
            ip(&format!("-n {node} link set {port} netns {home} name {interface}")).map(drop)
        }
        _ => Ok(()),
    })?;
    each(journal, |_, made| match made {
        Made::Namespace(name) if NetNs::path(name).exists() => ip(&format!("netns del {name}")).map(drop),
        Made::NetnsConfig(directory) => remove_netns_config(directory),
        _ => Ok(()),
    })?;
    remove_files(journal)
}

fn each(journal: &Journal, undo: impl Fn(&Journal, &Made) -> Result<()>) -> Result<()> {
    journal.made.iter().rev().try_for_each(|made| undo(journal, made))
}

/// The lab's namespaces are its own, and so is whatever runs in them, a shell of the user's included.
fn end_processes(journal: &Journal) -> Result<()> {
    let mut processes: Vec<ProcessId> = journal.processes.values().copied().collect();
    for made in &journal.made {
        if let Made::Namespace(name) = made {
            processes.extend(process::in_namespace(name)?);
        }
    }
    process::end(&processes)
}

fn unmount(directory: &Path) -> Result<()> {
    match umount2(directory, MntFlags::MNT_DETACH) {
        // It was never mounted, or is not any more.
        Ok(()) | Err(Errno::EINVAL | Errno::ENOENT) => Ok(()),
        Err(e) => Err(LabError::io(format!("unmount {}", directory.display()))(e.into())),
    }
}

fn remove_netns_config(directory: &Path) -> Result<()> {
    absent(fs::remove_file(directory.join("resolv.conf")), directory)?;
    absent(fs::remove_dir(directory), directory)?;
    // Others may have theirs there.
    let _shared = directory.parent().map(fs::remove_dir);
    Ok(())
}

fn remove_files(journal: &Journal) -> Result<()> {
    let state_dir = &journal.config.state_dir;
    let of_homes = journal
        .config
        .homes
        .iter()
        .flat_map(|home| SUFFIXES.iter().map(move |suffix| format!("{}.{suffix}", home.name)));
    for file in FILES.iter().map(ToString::to_string).chain(of_homes) {
        absent(fs::remove_file(state_dir.join(&file)), state_dir)?;
    }
    for directory in DIRECTORIES {
        absent(fs::remove_dir_all(state_dir.join(directory)), state_dir)?;
    }
    absent(fs::remove_file(Journal::path(state_dir)), state_dir)?;
    // It may hold what is not the lab's.
    let _not_empty = fs::remove_dir(state_dir);
    Ok(())
}

fn absent(result: io::Result<()>, below: &Path) -> Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(LabError::io(format!("remove what is in {}", below.display()))),
    }
}
