//! Inside addresses of subscriber pools: one for a home, or a block for its devices.

use std::net::Ipv4Addr;

use net_types::{Name, Prefix4};
use xos_model::{Fault, Purpose, SubscriberSpec, SubscriberStatus};

use super::{Ledger, Refusal, exhausted};
use crate::{
    Claim, Hints, NodePools,
    pools::{Pool4, subnet_size},
};

/// What is looked for, and who knows what others have.
struct Search<'a, L> {
    node: &'a Name,
    ledger: &'a L,
    /// The prefix length of what is looked for.
    len: u8,
}

/// All that a home gets of a pool, a prefix of 32 bits or less. Nothing of it is the pool's network, gateway or broadcast
/// address.
pub(super) fn addresses<'p>(
    spec: &SubscriberSpec,
    previous: &SubscriberStatus,
    pools: &'p NodePools,
    ledger: &impl Ledger,
    hints: &mut Hints,
) -> Result<(Prefix4, Pool4<'p>), Refusal> {
    let node = &spec.access.node;
    let search = Search { node, ledger, len: spec.bundle.device_block_length() };
    if let Some(wanted) = spec.address {
        return search.wanted(wanted, pools);
    }
    // Only a subscriber without a routed subnet had an address of a pool. What was alone may have free ones beside it.
    let had = previous.address.filter(|_| previous.subnet.is_none());
    if let Some((had, pool)) = had.and_then(|had| Some((had, pools.holding(Purpose::Subscriber, had)?)))
        && let Some(block) = search.around(had)
        && is_usable(pool, block)
        && search.holder(block).is_none()
    {
        return Ok((block, pool));
    }
    let size = subnet_size(search.len);
    for pool in pools.of(Purpose::Subscriber) {
        let from = hints.lowest(pool.name, search.len).max(pool.hosts().start).next_multiple_of(size);
        let mut position = from;
        while position + size <= pool.hosts().end {
            let block = pool.prefix.nth(position).and_then(|first| Prefix4::new(first, search.len).ok());
            let Some(block) = block else { break };
            position += size;
            if is_usable(pool, block) && search.holder(block).is_none() {
                hints.raise(pool.name, search.len, position);
                return Ok((block, pool));
            }
        }
        hints.raise(pool.name, search.len, pool.hosts().end);
    }
    let what = if size == 1 { "an address".to_owned() } else { format!("{size} addresses in a row") };
    Err(exhausted(pools, Purpose::Subscriber, node, "/spec/address", &what))
}

impl<L: Ledger> Search<'_, L> {
    fn wanted<'p>(&self, wanted: Ipv4Addr, pools: &'p NodePools) -> Result<(Prefix4, Pool4<'p>), Refusal> {
        let invalid = |detail: String| Refusal::Invalid(Fault::new("/spec/address", detail));
        let Some(pool) = pools.holding(Purpose::Subscriber, wanted) else {
            return Err(invalid(format!("{wanted} is in no subscriber pool of {}", self.node)));
        };
        let Ok(block) = Prefix4::new(wanted, self.len) else {
            let size = subnet_size(self.len);
            let first = self.around(wanted).map_or(wanted, Prefix4::network);
            let detail = format!(
                "{wanted} cannot be the first of {size} addresses for devices; {first} can, or none given"
            );
            return Err(invalid(detail));
        };
        if !is_usable(pool, block) {
            let place = format!("the gateway, network or broadcast address of pool {}", pool.name);
            return Err(invalid(if block.size() == 1 {
                format!("{wanted} is {place}")
            } else {
                format!("{block} has {place} in it")
            }));
        }
        match self.holder(block) {
            None => Ok((block, pool)),
            Some((address, holder)) => {
                let detail = format!("{address} is the address of Subscriber {holder}");
                Err(Refusal::Conflict(Fault::new("/spec/address", detail)))
            }
        }
    }

    /// The block that an address is in.
    fn around(&self, address: Ipv4Addr) -> Option<Prefix4> {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.len)).unwrap_or(0);
        Prefix4::new(Ipv4Addr::from_bits(address.to_bits() & mask), self.len).ok()
    }

    /// Somebody else who has one of the addresses, and which.
    fn holder(&self, block: Prefix4) -> Option<(Ipv4Addr, Name)> {
        let claim = |address| Claim::Address { node: self.node.clone(), address };
        hosts(block).find_map(|address| Some((address, self.ledger.holder(&claim(address))?)))
    }
}

/// All addresses of a prefix.
pub(crate) fn hosts(block: Prefix4) -> impl Iterator<Item = Ipv4Addr> {
    (0..block.size()).filter_map(move |position| block.nth(position))
}

fn is_usable(pool: Pool4<'_>, block: Prefix4) -> bool {
    let is_host = |address| {
        let position = pool.prefix.offset_of(address);
        position.is_some_and(|at| pool.hosts().contains(&at)) && pool.spec.gateway != Some(address)
    };
    hosts(block).all(is_host)
}
