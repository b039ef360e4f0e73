//! What a subscriber gets.

use std::net::Ipv4Addr;

use net_types::{Name, Prefix, Prefix4};
use xos_model::{Fault, ForwardedPort, NatBlock, Purpose, SubscriberIpv6, SubscriberSpec, SubscriberStatus};

use crate::{Claim, Hints, NodePools, pools::Pool4};

mod forwards;
mod ipv6;
mod subnets;

/// Who holds what. What the subscriber in question holds itself counts as free.
pub trait Ledger {
    fn holder(&self, claim: &Claim) -> Option<Name>;

    /// Somebody who holds a claim whose key begins so.
    fn beside(&self, prefix: &str) -> Option<Name>;

    /// A subnet in use that shares an address with `subnet`, and its holder.
    fn overlapping(&self, subnet: Prefix4) -> Option<(Prefix4, Name)>;
}

/// The addresses of a subscriber, all of them chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    pub address: Ipv4Addr,
    pub gateway: Ipv4Addr,
    pub subnet: Option<Prefix4>,
    pub more_subnets: Vec<Prefix>,
    pub public_address: Option<Ipv4Addr>,
    pub nat: Option<NatBlock>,
    pub ipv6: Option<SubscriberIpv6>,
    pub port_forwards: Vec<ForwardedPort>,
}

/// Why a subscriber cannot get what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No state of the other subscribers would make it possible.
    Invalid(Fault),
    /// It is taken, or nothing is left.
    Conflict(Fault),
}

impl Allocation {
    const EMPTY: Self = Self {
        address: Ipv4Addr::UNSPECIFIED,
        gateway: Ipv4Addr::UNSPECIFIED,
        subnet: None,
        more_subnets: Vec::new(),
        public_address: None,
        nat: None,
        ipv6: None,
        port_forwards: Vec::new(),
    };

    /// Writes the allocation where the world can see it.
    pub fn write_to(&self, status: &mut SubscriberStatus) {
        status.address = Some(self.address);
        status.gateway = Some(self.gateway);
        status.subnet = self.subnet;
        status.more_subnets.clone_from(&self.more_subnets);
        status.public_address = self.public_address;
        status.nat = self.nat;
        status.ipv6 = self.ipv6;
        status.port_forwards.clone_from(&self.port_forwards);
    }
}

/// Allocates for `spec` what it does not name itself; what `previous` shows is kept where it still fits.
pub fn allocate(
    spec: &SubscriberSpec,
    previous: &SubscriberStatus,
    pools: &NodePools,
    ledger: &impl Ledger,
    hints: &mut Hints,
) -> Result<Allocation, Refusal> {
    let mut allocation = if spec.bundle.nat {
        let (address, pool) = address(spec, previous, pools, ledger, hints)?;
        let gateway = pool.spec.gateway.expect("a subscriber pool has a gateway");
        Allocation { address, gateway, ..Allocation::EMPTY }
    } else {
        let subnet = subnets::own(spec, previous, pools, ledger, hints)?;
        let host = |offset| subnet.nth(offset).expect("a subnet of at most 30 bits has four addresses");
        Allocation { address: host(2), gateway: host(1), subnet: Some(subnet), ..Allocation::EMPTY }
    };
    if spec.bundle.nat && spec.bundle.nat_one_to_one {
        allocation.public_address = Some(subnets::public(spec, previous, pools, ledger, hints)?);
    } else if spec.bundle.nat {
        let nat = block(previous, pools, ledger, hints)?;
        allocation.nat = Some(nat);
        allocation.port_forwards =
            forwards::allocate(&spec.bundle.port_forwards, &previous.port_forwards, nat)?;
    }
    if spec.bundle.ipv6 {
        allocation.ipv6 = Some(ipv6::allocate(spec, previous, pools, ledger, hints)?);
    }
    allocation.more_subnets = subnets::further(spec, &allocation, pools, ledger)?;
    Ok(allocation)
}

fn address<'p>(
    spec: &SubscriberSpec,
    previous: &SubscriberStatus,
    pools: &'p NodePools,
    ledger: &impl Ledger,
    hints: &mut Hints,
) -> Result<(Ipv4Addr, Pool4<'p>), Refusal> {
    let node = &spec.access.node;
    let claim = |address| Claim::Address { node: node.clone(), address };
    let usable = |pool: Pool4<'_>, address| {
        let position = pool.prefix.offset_of(address);
        position.is_some_and(|at| pool.hosts().contains(&at)) && pool.spec.gateway != Some(address)
    };
    if let Some(wanted) = spec.address {
        let Some(pool) = pools.holding(Purpose::Subscriber, wanted) else {
            let detail = format!("{wanted} is in no subscriber pool of {node}");
            return Err(Refusal::Invalid(Fault::new("/spec/address", detail)));
        };
        if !usable(pool, wanted) {
            let detail =
                format!("{wanted} is the gateway, network or broadcast address of pool {}", pool.name);
            return Err(Refusal::Invalid(Fault::new("/spec/address", detail)));
        }
        return match ledger.holder(&claim(wanted)) {
            None => Ok((wanted, pool)),
            Some(holder) => {
                let detail = format!("{wanted} is the address of Subscriber {holder}");
                Err(Refusal::Conflict(Fault::new("/spec/address", detail)))
            }
        };
    }
    // Only a subscriber without a routed subnet had an address of a pool.
    let had = previous.address.filter(|_| previous.subnet.is_none());
    if let Some((had, pool)) = had.and_then(|had| Some((had, pools.holding(Purpose::Subscriber, had)?)))
        && usable(pool, had)
        && ledger.holder(&claim(had)).is_none()
    {
        return Ok((had, pool));
    }
    for pool in pools.of(Purpose::Subscriber) {
        let from = hints.lowest(pool.name, 0).max(pool.hosts().start);
        for position in from..pool.hosts().end {
            let Some(address) = pool.prefix.nth(position) else { break };
            if pool.spec.gateway != Some(address) && ledger.holder(&claim(address)).is_none() {
                hints.raise(pool.name, 0, position + 1);
                return Ok((address, pool));
            }
        }
        hints.raise(pool.name, 0, pool.hosts().end);
    }
    Err(exhausted(pools, Purpose::Subscriber, node, "/spec/address", "an address"))
}

fn block(
    previous: &SubscriberStatus,
    pools: &NodePools,
    ledger: &impl Ledger,
    hints: &mut Hints,
) -> Result<NatBlock, Refusal> {
    let free = |address, first_port| ledger.holder(&Claim::Block { address, first_port }).is_none();
    if let Some(had) = previous.nat
        && let Some(pool) = pools.holding(Purpose::Nat, had.address)
        && pool.spec.ports_per_subscriber() == had.ports
        && free(had.address, had.first_port)
    {
        return Ok(had);
    }
    for pool in pools.of(Purpose::Nat) {
        let positions = pool.block_positions();
        for position in hints.lowest(pool.name, 0).max(positions.start)..positions.end {
            let Some((address, first_port)) = pool.block(position) else { break };
            if !pool.is_lent(first_port) && free(address, first_port) {
                hints.raise(pool.name, 0, position + 1);
                return Ok(NatBlock { address, first_port, ports: pool.spec.ports_per_subscriber() });
            }
        }
        hints.raise(pool.name, 0, positions.end);
    }
    Err(exhausted(pools, Purpose::Nat, "the node", "/spec/bundle/nat", "a port block"))
}

fn exhausted(
    pools: &NodePools,
    purpose: Purpose,
    node: impl std::fmt::Display,
    pointer: &'static str,
    what: &str,
) -> Refusal {
    let of_purpose = pools.iter().filter(|pool| pool.spec.purpose == purpose);
    let names: Vec<_> = of_purpose.map(|pool| pool.name.as_str()).collect();
    let kind = match purpose {
        Purpose::Subscriber => "subscriber",
        Purpose::Nat => "NAT",
        Purpose::Routed => "routed",
        Purpose::Link6 => "link6",
        Purpose::Delegated6 => "delegated6",
    };
    if names.is_empty() {
        let detail = format!("{node} has no {kind} pool to take {what} from");
        return Refusal::Invalid(Fault::new(pointer, detail));
    }
    let detail = format!("the {kind} pools of {node} ({}) have no room for {what}", names.join(", "));
    Refusal::Conflict(Fault::new(pointer, detail))
}
