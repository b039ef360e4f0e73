//! What may be known of what passed before: flows, mappings and fragments. More than the office remembers, never less.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::random::{
    office::{LINES, ip4},
    view::{Part, View},
};

/// A flow, by its inside end, its remote end and its protocol. What has no ports has zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flow {
    pub(super) inside: (IpAddr, u16),
    pub(super) remote: (IpAddr, u16),
    pub(super) protocol: u8,
}

impl Flow {
    /// That of a packet from inside.
    pub(super) fn out(packet: &View) -> Self {
        let (from, to) = packet.ports().unwrap_or((0, 0));
        Self { inside: (packet.source, from), remote: (packet.to, to), protocol: packet.protocol }
    }

    /// That of a packet as it comes inside; of an error, that of the packet that is quoted.
    pub(super) fn of_received(packet: &View) -> Option<Self> {
        if packet.is_error() {
            return packet.quoted().map(|quoted| Self::out(&quoted));
        }
        let (from, to) = packet.ports().unwrap_or((0, 0));
        Some(Self { inside: (packet.to, to), remote: (packet.source, from), protocol: packet.protocol })
    }
}

/// Of a line: protocol and port.
type Port = (usize, u8, u16);

#[derive(Default)]
pub(super) struct Known {
    /// That lines sent packets of, whatever became of them, or that were let in.
    flows: BTreeSet<(usize, Flow)>,
    /// Remote ends that sent something to somebody.
    remotes: BTreeSet<(IpAddr, u16, u8)>,
    /// Outside ports, and the inside ports that used them last.
    mappings: BTreeMap<Port, u16>,
    /// Inside ports that sent what did not leave, for which there may be a mapping all the same.
    unseen: BTreeSet<Port>,
    /// First fragments that came in, as whom they go to sees them.
    fragments: BTreeSet<(IpAddr, IpAddr, u32, u8)>,
}

fn fragment(packet: &View) -> (IpAddr, IpAddr, u32, u8) {
    // Of IPv6, the fragment header's identification alone tells fragments apart; of IPv4 the protocol too (RFC 8200, 791).
    let protocol = if packet.is_v6() { 0 } else { packet.protocol };
    (packet.source, packet.to, packet.id, protocol)
}

impl Known {
    /// A line sent a packet, of which its rules let a flow begin or not.
    pub(super) fn sent(&mut self, line: usize, packet: &View, may_begin: bool) {
        if may_begin {
            self.flows.insert((line, Flow::out(packet)));
        }
        if packet.part == Part::First {
            // To another line, from its own address or the public one.
            let (source, to, id, protocol) = fragment(packet);
            let public = LINES[line].public().map(ip4);
            let sources = std::iter::once(source).chain(public);
            self.fragments.extend(sources.map(|source| (source, to, id, protocol)));
        }
        if let Some((from, _)) = packet.ports() {
            self.unseen.insert((line, packet.protocol, from));
        }
    }

    /// It left by this outside port.
    pub(super) fn left(&mut self, line: usize, protocol: u8, outside: u16, inside: u16) {
        self.unseen.remove(&(line, protocol, inside));
        self.mappings.insert((line, protocol, outside), inside);
    }

    /// Something came from the core.
    pub(super) fn came(&mut self, packet: &View) {
        if packet.part == Part::First {
            self.fragments.insert(fragment(packet));
        }
        if let Some((from, _)) = packet.ports() {
            self.remotes.insert((packet.source, from, packet.protocol));
        } else {
            self.remotes.insert((packet.source, 0, packet.protocol));
        }
    }

    pub(super) fn let_in(&mut self, line: usize, flow: Flow) {
        self.flows.insert((line, flow));
    }

    pub(super) fn has_flow(&self, line: usize, flow: Flow) -> bool {
        self.flows.contains(&(line, flow))
    }

    pub(super) fn heard_of(&self, flow: Flow) -> bool {
        self.remotes.contains(&(flow.remote.0, flow.remote.1, flow.protocol))
    }

    /// Whether what comes for an outside port may be for that inside port.
    pub(super) fn leads(&self, line: usize, protocol: u8, outside: u16, inside: u16) -> bool {
        self.mappings.get(&(line, protocol, outside)) == Some(&inside)
            || self.unseen.contains(&(line, protocol, inside))
    }

    pub(super) fn has_first_of(&self, later: &View) -> bool {
        self.fragments.contains(&fragment(later))
    }
}
