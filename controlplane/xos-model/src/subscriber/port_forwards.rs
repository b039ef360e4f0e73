//! Ports of a public address that lead into a home.

use std::{collections::BTreeSet, fmt, net::Ipv4Addr};

use serde::{Deserialize, Serialize};

use crate::{Fault, Pointer, document::check};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PortForward {
    pub protocol: PortProtocol,
    /// The outside port, one of the subscriber's share; unless said, the office picks one, and the status tells which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The port of the home's device.
    pub to_port: u16,
}

/// What the office has made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ForwardedPort {
    pub protocol: PortProtocol,
    /// Where it is reached.
    pub address: Ipv4Addr,
    pub port: u16,
    pub to_port: u16,
}

/// A protocol that has ports.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum PortProtocol {
    Tcp,
    Udp,
}

impl fmt::Display for PortProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

impl PortForward {
    pub const MAX: usize = 16;
}

pub(super) fn validate(forwards: &[PortForward], nat: bool, at: &Pointer, faults: &mut Vec<Fault>) {
    if !nat && !forwards.is_empty() {
        let rule =
            "without NAT the subscriber's own addresses are reached as they are; open /spec/bundle/firewall";
        faults.push(Fault::new(at.clone(), rule));
    }
    check::at_most(faults, at, forwards.len(), PortForward::MAX, "port forwards");
    let (mut outside, mut inside) = (BTreeSet::new(), BTreeSet::new());
    for (i, PortForward { protocol, port, to_port }) in forwards.iter().enumerate().take(PortForward::MAX) {
        let at = at.at(i);
        check::within(faults, at.at("toPort"), to_port, &(1..=u16::MAX));
        if !inside.insert((*protocol, *to_port)) {
            let detail = format!("{protocol} port {to_port} is forwarded to twice");
            faults.push(Fault::new(at.at("toPort"), detail));
        }
        if let Some(port) = port
            && !outside.insert(*port)
        {
            // One place is one mapping, whatever the protocol.
            faults.push(Fault::new(at.at("port"), format!("port {port} is forwarded already")));
        }
    }
}
