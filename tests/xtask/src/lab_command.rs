//! `cargo xtask lab`: one office to look around in.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use comfy_table::{Table, presets::UTF8_FULL_CONDENSED};
use lab::{DhcpClient, HomeConfig, Lab, LabConfig};

use crate::{
    setup,
    workspace::{bin_dir, build, root},
};

#[derive(Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Bring the office up: homes, OLT, node with its agent, controller, upstream router, Internet host
    Up {
        /// An interface of this machine in place of the homes and the OLT; it gets two-tagged frames
        #[arg(long, value_name = "IFACE")]
        access: Option<String>,
        /// An interface of this machine in place of the upstream router and the Internet host
        #[arg(long, value_name = "IFACE")]
        upstream: Option<String>,
    },
    /// Remove everything that `up` made, and give interfaces back
    Down,
    /// What is there and what runs
    Status,
    /// Run a command in one of the boxes: home1, home2, home3, olt, node1, upstream, inet, office
    #[command(after_help = "Example: cargo xtask lab exec home1 ping -c 3 192.0.2.66")]
    Exec {
        host: String,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        command: Vec<String>,
    },
}

pub(crate) fn command(arguments: Arguments) -> Result<()> {
    match arguments.verb {
        Verb::Up { access, upstream } => {
            setup::for_lab()?;
            build()?;
            let mut config = config()?;
            config.access = access.map(|name| name.parse()).transpose()?;
            config.upstream = upstream.map(|name| name.parse()).transpose()?;
            let lab = up(config)?;
            println!("{}", status(&lab));
            println!("{}", hints(&lab));
            Ok(())
        }
        Verb::Down => {
            if let Ok(lab) = Lab::load(&state_dir()) {
                return lab.down();
            }
            println!("no lab is up");
            Ok(())
        }
        Verb::Status => {
            println!("{}", status(&Lab::load(&state_dir())?));
            Ok(())
        }
        Verb::Exec { host, command } => {
            let namespace = Lab::load(&state_dir())?.box_of(&host)?;
            // In place of this process, so that a shell has the terminal for itself.
            Err(Command::new("ip").args(["netns", "exec", &namespace]).args(command).exec())
                .context("starting ip")
        }
    }
}

/// The folder of the one lab that `cargo xtask` keeps.
pub(crate) fn state_dir() -> PathBuf {
    Path::new("/run/wirecenter-lab").to_owned()
}

pub(crate) fn config() -> Result<LabConfig> {
    let home = |name: &str, s_vid: u16, c_vid: u16, client, option82| {
        Ok::<_, anyhow::Error>(HomeConfig {
            name: name.to_owned(),
            s_vid: s_vid.try_into()?,
            c_vid: c_vid.try_into()?,
            client,
            option82,
        })
    };
    Ok(LabConfig {
        prefix: "wc-".to_owned(),
        bin_dir: bin_dir()?,
        state_dir: state_dir(),
        office_manifest: manifest("office.yaml"),
        homes: vec![
            home("home1", 100, 1, DhcpClient::Udhcpc, true)?,
            home("home2", 100, 2, DhcpClient::Dhclient, false)?,
            home("home3", 100, 3, DhcpClient::Udhcpc, false)?,
        ],
        outer_tpid: "0x88a8".parse()?,
        routed_to_node: [
            "198.51.100.0/24",
            "203.0.113.0/24",
            "192.0.2.129/32",
            "2001:db8:1000::/48",
            "2001:db8:2000::/36",
        ]
        .map(String::from)
        .to_vec(),
        access: None,
        upstream: None,
        agent_arguments: Vec::new(),
    })
}

/// One of the files that the office and its subscribers are made from.
pub(crate) fn manifest(name: &str) -> PathBuf {
    root().join("tests/lab/manifests").join(name)
}

pub(crate) fn up(config: LabConfig) -> Result<Lab> {
    crate::workspace::step("bringing the office up", || Lab::up(config, &mut |what| println!("    {what}")))
}

fn status(lab: &Lab) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(["box", "process", "pid", "state"]);
    for one in lab.status() {
        if one.processes.is_empty() {
            table.add_row([one.namespace.as_str(), "-", "-", "-"]);
        }
        for (name, pid, runs) in one.processes {
            let state = if runs { "running" } else { "ended" };
            table.add_row([&one.namespace, &name, &pid.to_string(), state]);
        }
    }
    table
}

/// How to look around in a lab that is up.
pub(crate) fn hints(lab: &Lab) -> String {
    let LabConfig { bin_dir, .. } = &lab.config;
    let (bin, socket, pins, run) =
        (bin_dir.display(), lab.socket().display().to_string(), lab.pin_dir(), lab.run_dir());
    format!(
        "Look around:
  export WIRECENTER_SOCKET={socket} PATH=$PATH:{bin}
  wcctl get subscribers -o wide                      what the office serves
  wcctl describe subscriber alice                    one of them, whole
  wcctl apply -f {}       change something and apply it again
  cargo xtask lab exec home1 ping -c 3 {}     as the first home
  nsenter --net=/run/netns/{} wcnode --pin-dir {} --run-dir {} sessions
  cargo xtask lab status | cargo xtask lab down",
        manifest("subscribers.yaml").display(),
        lab.internet_address(),
        lab.box_of("node1").unwrap_or_default(),
        pins.display(),
        run.display(),
    )
}
