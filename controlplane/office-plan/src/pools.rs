//! The pools of one node.

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv4Addr,
};

use net_types::{Name, Prefix, Prefix4, Prefix6};
use xos_model::{AddressPoolSpec, Purpose, SubscriberStatus};

use crate::{Claim, Hints};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodePool {
    pub name: Name,
    pub spec: AddressPoolSpec,
}

/// A pool of IPv4.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool4<'p> {
    pub(crate) name: &'p Name,
    pub(crate) spec: &'p AddressPoolSpec,
    pub(crate) prefix: Prefix4,
}

/// A pool of IPv6.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool6<'p> {
    pub(crate) name: &'p Name,
    pub(crate) spec: &'p AddressPoolSpec,
    pub(crate) prefix: Prefix6,
}

/// The pools of one node, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodePools(Vec<NodePool>);

impl NodePools {
    pub fn new(mut pools: Vec<NodePool>) -> Self {
        pools.sort_by(|a, b| a.name.cmp(&b.name));
        Self(pools)
    }

    pub fn iter(&self) -> impl Iterator<Item = &NodePool> {
        self.0.iter()
    }

    /// Those of IPv4.
    pub(crate) fn of(&self, purpose: Purpose) -> impl Iterator<Item = Pool4<'_>> {
        self.0.iter().filter(move |pool| pool.spec.purpose == purpose).filter_map(|pool| {
            match pool.spec.prefix {
                Prefix::V4(prefix) => Some(Pool4 { name: &pool.name, spec: &pool.spec, prefix }),
                Prefix::V6(_) => None,
            }
        })
    }

    /// Those of IPv6.
    pub(crate) fn of6(&self, purpose: Purpose) -> impl Iterator<Item = Pool6<'_>> {
        self.0.iter().filter(move |pool| pool.spec.purpose == purpose).filter_map(|pool| {
            match pool.spec.prefix {
                Prefix::V4(_) => None,
                Prefix::V6(prefix) => Some(Pool6 { name: &pool.name, spec: &pool.spec, prefix }),
            }
        })
    }

    pub(crate) fn holding(&self, purpose: Purpose, address: Ipv4Addr) -> Option<Pool4<'_>> {
        self.of(purpose).find(|pool| pool.prefix.contains(address))
    }

    pub(crate) fn holding_subnet(&self, subnet: Prefix4) -> Option<Pool4<'_>> {
        self.of(Purpose::Routed).find(|pool| pool.prefix.contains_prefix(subnet))
    }

    pub(crate) fn holding6(&self, purpose: Purpose, subnet: Prefix6) -> Option<Pool6<'_>> {
        self.of6(purpose).find(|pool| pool.prefix.contains_prefix(subnet))
    }

    /// The pools that a subscriber's addresses, as they were allocated, are from.
    pub fn used_by(&self, status: &SubscriberStatus) -> impl Iterator<Item = &Name> {
        let own = match (status.subnet, status.address) {
            (Some(subnet), _) => self.holding_subnet(subnet),
            (None, Some(address)) => self.holding(Purpose::Subscriber, address),
            (None, None) => None,
        };
        let shared = status.nat.and_then(|nat| self.holding(Purpose::Nat, nat.address));
        let ipv6 = status.ipv6.into_iter().flat_map(|ipv6| {
            let link = self.holding6(Purpose::Link6, ipv6.link);
            link.into_iter().chain(self.holding6(Purpose::Delegated6, ipv6.delegated))
        });
        let public = status.public_address.map(|address| Prefix::V4(Prefix4::host(address)));
        let routed = status.more_subnets.iter().copied().chain(public);
        let routed = routed.filter_map(|subnet| match subnet {
            Prefix::V4(subnet) => self.holding_subnet(subnet).map(|pool| pool.name),
            Prefix::V6(subnet) => self.holding6(Purpose::Delegated6, subnet).map(|pool| pool.name),
        });
        own.into_iter().chain(shared).map(|pool| pool.name).chain(routed).chain(ipv6.map(|pool| pool.name))
    }

    /// Lets `hints` know that a claim on one of these pools has been given up.
    pub fn released(&self, claim: &Claim, hints: &mut Hints) {
        match claim {
            Claim::Line { .. } | Claim::Placed { .. } => {}
            Claim::Address { address, .. } => {
                if let Some(pool) = self.holding(Purpose::Subscriber, *address) {
                    let position = pool.prefix.offset_of(*address).unwrap_or(0);
                    hints.lower(pool.name, |_| position);
                }
            }
            Claim::Block { address, first_port } => {
                if let Some(pool) = self.holding(Purpose::Nat, *address) {
                    let position = pool.block_position(*address, *first_port);
                    hints.lower(pool.name, |_| position);
                }
            }
            Claim::Subnet6(subnet) => {
                let link = self.holding6(Purpose::Link6, *subnet);
                if let Some(pool) = link.or_else(|| self.holding6(Purpose::Delegated6, *subnet)) {
                    let position = pool.position(*subnet);
                    hints.lower(pool.name, |_| position);
                }
            }
            Claim::Subnet(subnet) => {
                if let Some(pool) = self.holding_subnet(*subnet) {
                    let offset = pool.prefix.offset_of(subnet.network()).unwrap_or(0);
                    hints.lower(pool.name, |len| offset & !(subnet_size(len) - 1));
                }
            }
        }
    }
}

/// The pools of all nodes, as they come and go.
#[derive(Clone, Debug, Default)]
pub struct OfficePools {
    specs: BTreeMap<Name, AddressPoolSpec>,
    by_node: HashMap<Name, NodePools>,
}

impl OfficePools {
    /// The pools of one node, if it has any.
    pub fn of(&self, node: &Name) -> Option<&NodePools> {
        self.by_node.get(node)
    }

    /// Takes a pool as it is now, or that it is gone. Gives back the nodes whose pools are others now.
    pub fn change(&mut self, name: &Name, now: Option<AddressPoolSpec>) -> Vec<Name> {
        let before = match &now {
            Some(spec) => self.specs.insert(name.clone(), spec.clone()),
            None => self.specs.remove(name),
        };
        if before == now {
            return Vec::new();
        }
        let mut nodes: Vec<_> = before.into_iter().chain(now).map(|spec| spec.node).collect();
        nodes.dedup();
        for node in &nodes {
            let pools = self.specs.iter().filter(|(_, spec)| spec.node == *node);
            let pools = pools.map(|(name, spec)| NodePool { name: name.clone(), spec: spec.clone() });
            self.by_node.insert(node.clone(), NodePools::new(pools.collect()));
        }
        nodes
    }
}

impl Pool4<'_> {
    /// Ports below this are left out: services have them (RFC 6335).
    const FIRST_PORT: u32 = 1024;

    /// Positions of host addresses: not the network's and not the broadcast address, where the prefix has those.
    pub(crate) fn hosts(&self) -> std::ops::Range<u64> {
        let size = self.prefix.size();
        if self.prefix.len() >= 31 { 0..size } else { 1..size - 1 }
    }

    fn first_block(&self) -> u64 {
        u64::from(Self::FIRST_PORT.div_ceil(u32::from(self.spec.ports_per_subscriber())))
    }

    /// Blocks of one address.
    fn blocks(&self) -> u64 {
        65536 / u64::from(self.spec.ports_per_subscriber()) - self.first_block()
    }

    /// Positions of port blocks.
    pub(crate) fn block_positions(&self) -> std::ops::Range<u64> {
        let hosts = self.hosts();
        hosts.start * self.blocks()..hosts.end * self.blocks()
    }

    /// The public address and first port of the block at a position.
    pub(crate) fn block(&self, position: u64) -> Option<(Ipv4Addr, u16)> {
        let address = self.prefix.nth(position / self.blocks())?;
        let block = self.first_block() + position % self.blocks();
        Some((address, u16::try_from(block * u64::from(self.spec.ports_per_subscriber())).ok()?))
    }

    /// Whether a block is among the ports that nobody owns.
    pub(crate) fn is_lent(&self, first_port: u16) -> bool {
        self.spec.first_overflow_port().is_some_and(|first| first_port >= first)
    }

    pub(crate) fn block_position(&self, address: Ipv4Addr, first_port: u16) -> u64 {
        let block =
            u64::from(first_port / self.spec.ports_per_subscriber()).saturating_sub(self.first_block());
        self.prefix.offset_of(address).unwrap_or(0) * self.blocks() + block
    }
}

impl Pool6<'_> {
    /// The length of what each subscriber gets.
    pub(crate) fn length(&self) -> u8 {
        if self.spec.purpose == Purpose::Delegated6 {
            self.spec.delegated_length()
        } else {
            AddressPoolSpec::LINK_LENGTH
        }
    }

    /// How many there are: at most 2^48, as the shortest prefix of a pool is a /16.
    pub(crate) fn count(&self) -> u64 {
        1 << self.length().saturating_sub(self.prefix.len()).min(63)
    }

    pub(crate) fn subnet(&self, position: u64) -> Option<Prefix6> {
        self.prefix.nth_subnet(self.length(), position.into())
    }

    pub(crate) fn position(&self, subnet: Prefix6) -> u64 {
        self.prefix.index_of_subnet(subnet).and_then(|index| u64::try_from(index).ok()).unwrap_or(0)
    }
}

pub(crate) fn subnet_size(len: u8) -> u64 {
    1 << (32 - u32::from(len.min(32)))
}
