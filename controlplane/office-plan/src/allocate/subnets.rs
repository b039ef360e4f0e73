//! Subnets of routed pools, and single public addresses.

use std::net::Ipv4Addr;

use net_types::{Prefix, Prefix4};
use xos_model::{Fault, Pointer, Purpose, SubscriberSpec, SubscriberStatus};

use super::{Allocation, Ledger, Refusal, exhausted, ipv6};
use crate::{Hints, NodePools, pools::subnet_size};

/// A subnet that is wanted, or had before.
#[derive(Clone, Copy)]
struct Wish {
    pointer: &'static str,
    wanted: Option<Prefix4>,
    had: Option<Prefix4>,
    len: u8,
}

/// The subscriber's own subnet.
pub(super) fn own(
    spec: &SubscriberSpec,
    previous: &SubscriberStatus,
    pools: &NodePools,
    ledger: &impl Ledger,
    hints: &mut Hints,
) -> Result<Prefix4, Refusal> {
    let wish = Wish {
        pointer: "/spec/subnet",
        wanted: spec.subnet,
        had: previous.subnet,
        len: spec.subnet_length(),
    };
    subnet(spec, wish, pools, ledger, hints)
}

/// The public address of one to one NAT.
pub(super) fn public(
    spec: &SubscriberSpec,
    previous: &SubscriberStatus,
    pools: &NodePools,
    ledger: &impl Ledger,
    hints: &mut Hints,
) -> Result<Ipv4Addr, Refusal> {
    let wish = Wish {
        pointer: "/spec/publicAddress",
        wanted: spec.public_address.map(Prefix4::host),
        had: previous.public_address.map(Prefix4::host),
        len: 32,
    };
    subnet(spec, wish, pools, ledger, hints).map(Prefix4::network)
}

/// Further subnets, all of which the subscriber names.
pub(super) fn further(
    spec: &SubscriberSpec,
    own: &Allocation,
    pools: &NodePools,
    ledger: &impl Ledger,
) -> Result<Vec<Prefix>, Refusal> {
    let own6 = own.ipv6.into_iter().flat_map(|own| [own.link, own.delegated]);
    let own: Vec<Prefix> = own.subnet.map(Prefix::V4).into_iter().chain(own6.map(Prefix::V6)).collect();
    for (i, wanted) in spec.more_subnets.iter().enumerate() {
        let pointer = Pointer::from("/spec/moreSubnets").at(i);
        match wanted {
            Prefix::V4(wanted) => named(spec, *wanted, pointer.clone(), pools, ledger).map(drop)?,
            Prefix::V6(wanted) => ipv6::named(spec, *wanted, &pointer, pools, ledger)?,
        }
        if let Some(own) = own.iter().find(|own| own.overlaps(*wanted)) {
            let detail = format!("{wanted} overlaps {own}, the subscriber's own");
            return Err(Refusal::Conflict(Fault::new(pointer, detail)));
        }
    }
    Ok(spec.more_subnets.clone())
}

fn named(
    spec: &SubscriberSpec,
    wanted: Prefix4,
    pointer: Pointer,
    pools: &NodePools,
    ledger: &impl Ledger,
) -> Result<Prefix4, Refusal> {
    if pools.holding_subnet(wanted).is_none() {
        let detail = format!("{wanted} is in no routed pool of {}", spec.access.node);
        return Err(Refusal::Invalid(Fault::new(pointer, detail)));
    }
    match ledger.overlapping(wanted) {
        None => Ok(wanted),
        Some((other, holder)) => {
            let detail = format!("{wanted} overlaps {other} of Subscriber {holder}");
            Err(Refusal::Conflict(Fault::new(pointer, detail)))
        }
    }
}

fn subnet(
    spec: &SubscriberSpec,
    Wish { pointer, wanted, had, len }: Wish,
    pools: &NodePools,
    ledger: &impl Ledger,
    hints: &mut Hints,
) -> Result<Prefix4, Refusal> {
    if let Some(wanted) = wanted {
        return named(spec, wanted, pointer.into(), pools, ledger);
    }
    if let Some(had) = had
        && had.len() == len
        && pools.holding_subnet(had).is_some()
        && ledger.overlapping(had).is_none()
    {
        return Ok(had);
    }
    let size = subnet_size(len);
    for pool in pools.of(Purpose::Routed) {
        let prefix = pool.prefix;
        let mut offset = hints.lowest(pool.name, len).next_multiple_of(size);
        while offset + size <= prefix.size() {
            let candidate = prefix.nth(offset).and_then(|network| Prefix4::new(network, len).ok());
            let Some(candidate) = candidate else { break };
            match ledger.overlapping(candidate) {
                None => {
                    hints.raise(pool.name, len, offset + size);
                    return Ok(candidate);
                }
                // Nothing is free before the end of what is in the way.
                Some((other, _)) => {
                    let end = prefix.offset_of(other.network()).unwrap_or(0) + other.size();
                    offset = end.max(offset + size).next_multiple_of(size);
                }
            }
        }
        hints.raise(pool.name, len, prefix.size());
    }
    Err(exhausted(pools, Purpose::Routed, &spec.access.node, pointer, &format!("a /{len}")))
}
