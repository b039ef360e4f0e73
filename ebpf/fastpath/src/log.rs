//! What the office's NAT log is made of: who holds which ports, and whether mappings are told of.

use std::net::Ipv4Addr;

use map_abi::{ENTRIES_PER_BLOCK, events};
use net_types::Name;
use node_state::NatLog;

use crate::{fastpath::Fastpath, mapped::put, reach::Reach};

/// The ports of a public address that the kernel gives a session's flows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatBlock {
    /// The subscriber's own address.
    pub inside: Ipv4Addr,
    pub external: Ipv4Addr,
    pub first_port: u16,
    /// Consecutive ones, the few among them that no flow is given.
    pub ports: u16,
}

impl Fastpath {
    /// The ports that a subscriber's session has in the kernel; `None`: it has no NAT, or there is no session.
    pub fn nat_block(&self, subscriber: &Name) -> Option<NatBlock> {
        let session = self.tables.session(self.index_of(subscriber)?);
        let reach = Reach::of(&session);
        let (nat, order) = (reach.nat?, reach.order?);
        Some(NatBlock {
            inside: session.address.into(),
            external: nat.address,
            first_port: nat.first_port,
            ports: u16::try_from(ENTRIES_PER_BLOCK << order).unwrap_or(u16::MAX),
        })
    }

    pub(crate) fn set_nat_log(&mut self, log: Option<&NatLog>) {
        let told = if log.is_some_and(|log| log.per_flow) { events::MAPPINGS } else { 0 };
        put!(self.writer, self.tables.settings.at(0), told, events);
    }
}
