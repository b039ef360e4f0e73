//! What the office's NAT log is made of: who holds which ports, and whether mappings are told of.

use std::net::Ipv4Addr;

use map_abi::{ENTRIES_PER_BLOCK, events};
use net_types::Name;
use node_state::NatLog;

use crate::{fastpath::Fastpath, mapped::put, reach::Reach};

/// The ports of a public address that the kernel gives a session's flows, or all of one that stands for an inside one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NatBlock {
    /// The subscriber's own address.
    pub inside: Ipv4Addr,
    pub external: Ipv4Addr,
    pub first_port: u16,
    /// Consecutive ones, the few among them that no flow is given. 0: the whole address, with one to one NAT.
    pub ports: u16,
}

impl NatBlock {
    /// All of a public address.
    pub fn whole(inside: Ipv4Addr, external: Ipv4Addr) -> Self {
        Self { inside, external, first_port: 0, ports: 0 }
    }

    pub fn is_whole(&self) -> bool {
        self.ports == 0
    }
}

impl Fastpath {
    /// The ports that a subscriber's session has in the kernel: its own block and the further ones, in order, or a whole
    /// address; none: it has no NAT, or there is no session.
    pub fn nat_blocks(&self, subscriber: &Name) -> Vec<NatBlock> {
        let Some(index) = self.index_of(subscriber) else { return Vec::new() };
        let session = self.tables.session(index);
        let reach = Reach::of(&session);
        if let (Some((_, Some(external))), Some(_)) = (reach.own, reach.order) {
            return vec![NatBlock::whole(session.address.into(), external)];
        }
        let (Some(nat), Some(order)) = (reach.nat, reach.order) else { return Vec::new() };
        let block = |first_port, order: u32| NatBlock {
            inside: session.address.into(),
            external: nat.address,
            first_port,
            ports: u16::try_from(ENTRIES_PER_BLOCK << order).unwrap_or(u16::MAX),
        };
        let further = self.sessions.overflow.held.get(&index).into_iter().flatten();
        let further = further.map(|held| block(held.first * 64, held.record.order()));
        let mut blocks: Vec<NatBlock> =
            std::iter::once(block(nat.first_port, order)).chain(further).collect();
        blocks.sort_unstable_by_key(|block| block.first_port);
        blocks
    }

    pub(crate) fn set_nat_log(&mut self, log: Option<&NatLog>) {
        let told = if log.is_some_and(|log| log.per_flow) { events::MAPPINGS } else { 0 };
        put!(self.writer, self.tables.settings.at(0), told, events);
    }
}
