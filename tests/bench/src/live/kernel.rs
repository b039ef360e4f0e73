//! What the kernel does by itself for the same subscribers: a set of their addresses as source check, SNAT of each to its
//! public address, and an HTB class for each.

use std::{fmt::Write as _, process::Command};

use anyhow::{Context, Result, ensure};
use fastpath::subscribers;
use tempfile::NamedTempFile;

use crate::namespace::Namespace;

const ROUTER: &str = "02:fe:00:00:00:01";

pub(super) fn configure(namespace: &Namespace, population: u32) -> Result<()> {
    namespace.ip("address add 192.0.2.2/30 dev core0")?;
    namespace.ip(&format!("neigh add 192.0.2.1 lladdr {ROUTER} dev core0"))?;
    namespace.ip("route add default via 192.0.2.1")?;
    namespace.ip("route add 100.64.0.0/10 dev access0")?;
    // Frames that an XDP program has sent are taken by a veth that polls.
    namespace.exec("ethtool", &["-K", "access0", "gro", "on"])?;
    let settings = ["net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0"];
    namespace.exec("sysctl", &["-qw", settings[0], settings[1]])?;
    let rules = file(&rules(population))?;
    namespace.exec("nft", &["-f", &rules.path().to_string_lossy()])?;
    let classes = file(&classes(population))?;
    namespace.exec("tc", &["-batch", &classes.path().to_string_lossy()])
}

/// Every packet went through its class, and none past them.
pub(super) fn verify(namespace: &Namespace, frames: u64) -> Result<()> {
    let arguments = ["-n", namespace.name(), "-s", "qdisc", "show", "dev", "core0"];
    let shown = Command::new("tc").args(arguments).output().context("tc (apt-get install iproute2)")?;
    let text = String::from_utf8_lossy(&shown.stdout);
    let number = |before: &str, after: &str| -> Option<u64> {
        text.split_once(before)?.1.split_once(after)?.0.rsplit(' ').next()?.parse().ok()
    };
    let direct = number("direct_packets_stat ", " direct_qlen").context("tc does not tell of HTB")?;
    let sent = number("Sent ", " pkt").context("tc does not tell of HTB")?;
    ensure!(
        direct == 0 && sent >= frames,
        "of {sent} packets HTB let {direct} pass unseen, {frames} arrived"
    );
    Ok(())
}

fn file(text: &str) -> Result<NamedTempFile> {
    let file = NamedTempFile::new().context("a temporary file")?;
    std::fs::write(&file, text).context("writing a temporary file")?;
    Ok(file)
}

fn rules(population: u32) -> String {
    let elements = |element: &dyn Fn(u32) -> String| -> String {
        (0..population).map(element).collect::<Vec<_>>().join(", ")
    };
    let inside = |number: u32| subscribers::address(number).to_string();
    let outside =
        |number: u32| format!("{} : {}", subscribers::address(number), subscribers::external(number).0);
    let class = |number: u32| format!("{} : 1:{:x}", subscribers::address(number), number + 1);
    format!(
        "table ip office {{
            set subscribers {{ type ipv4_addr; elements = {{ {} }} }}
            map public {{ type ipv4_addr : ipv4_addr; elements = {{ {} }} }}
            map classes {{ type ipv4_addr : classid; elements = {{ {} }} }}
            chain forward {{
                type filter hook forward priority 0; policy drop;
                ip saddr @subscribers meta priority set ip saddr map @classes accept
            }}
            chain postrouting {{
                type nat hook postrouting priority 100;
                oifname \"core0\" snat to ip saddr map @public
            }}
        }}",
        elements(&inside),
        elements(&outside),
        elements(&class),
    )
}

/// A class of 10 Gbit/s for each subscriber, which none reaches.
fn classes(population: u32) -> String {
    let mut text = "qdisc add dev core0 root handle 1: htb default ffff\n".to_owned();
    for number in 0..population {
        let class = number + 1;
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            "class add dev core0 parent 1: classid 1:{class:x} htb rate 10gbit quantum 1514 burst 1m"
        );
    }
    text
}
