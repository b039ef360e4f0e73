//! What a subscriber gets of IPv6.

use net_types::{Prefix, Prefix6};
use xos_model::{Fault, Pointer, Purpose, SubscriberIpv6, SubscriberSpec, SubscriberStatus};

use super::{Ledger, Refusal, exhausted};
use crate::{Claim, Hints, NodePools, pools::Pool6};

/// A prefix for the link with an address in it, and one for the home's router.
pub(super) fn allocate(
    spec: &SubscriberSpec,
    previous: &SubscriberStatus,
    pools: &NodePools,
    ledger: &impl Ledger,
    hints: &mut Hints,
) -> Result<SubscriberIpv6, Refusal> {
    let node = &spec.access.node;
    let mut subnet = |purpose, had| {
        let found = subnet(purpose, (had, &spec.more_subnets), pools, ledger, hints);
        found.ok_or_else(|| {
            let length = pools.of6(purpose).next().map(|pool| format!("a /{}", pool.length()));
            let what = length.unwrap_or_else(|| "a prefix".into());
            exhausted(pools, purpose, node, "/spec/bundle/ipv6", &what)
        })
    };
    let link = subnet(Purpose::Link6, previous.ipv6.map(|had| had.link))?;
    let delegated = subnet(Purpose::Delegated6, previous.ipv6.map(|had| had.delegated))?;
    // The first is that of all routers of the link (RFC 4291, section 2.6.1).
    let address = link.nth(1).expect("a link's prefix has 2^64 addresses");
    Ok(SubscriberIpv6 { link, address, delegated })
}

/// A further prefix that the subscriber names: one of those that a pool delegates, so that no two of them overlap.
pub(super) fn named(
    spec: &SubscriberSpec,
    wanted: Prefix6,
    pointer: &Pointer,
    pools: &NodePools,
    ledger: &impl Ledger,
) -> Result<(), Refusal> {
    let node = &spec.access.node;
    let invalid = |detail| Err(Refusal::Invalid(Fault::new(pointer.clone(), detail)));
    let Some(pool) = pools.holding6(Purpose::Delegated6, wanted) else {
        return invalid(format!("{wanted} is in no delegated6 pool of {node}"));
    };
    if pool.length() != wanted.len() {
        return invalid(format!("pool {} delegates prefixes of /{}", pool.name, pool.length()));
    }
    match ledger.holder(&Claim::Subnet6(wanted)) {
        None => Ok(()),
        Some(holder) => {
            let detail = format!("{wanted} is Subscriber {holder}'s");
            Err(Refusal::Conflict(Fault::new(pointer.clone(), detail)))
        }
    }
}

/// What the subscriber had, or the lowest that is free and that it does not name as a further one.
fn subnet(
    purpose: Purpose,
    (had, named): (Option<Prefix6>, &[Prefix]),
    pools: &NodePools,
    ledger: &impl Ledger,
    hints: &mut Hints,
) -> Option<Prefix6> {
    let is_free = |subnet: &Prefix6| ledger.holder(&Claim::Subnet6(*subnet)).is_none();
    let still_fits = |had: &Prefix6| {
        pools.holding6(purpose, *had).is_some_and(|pool: Pool6<'_>| pool.length() == had.len())
    };
    if let Some(had) = had.filter(still_fits).filter(is_free) {
        return Some(had);
    }
    for pool in pools.of6(purpose) {
        for position in hints.lowest(pool.name, 0)..pool.count() {
            let is_named = |subnet: &Prefix6| named.contains(&Prefix::V6(*subnet));
            let free = pool.subnet(position).filter(|subnet| is_free(subnet) && !is_named(subnet));
            if let Some(subnet) = free {
                hints.raise(pool.name, 0, position + 1);
                return Some(subnet);
            }
        }
        hints.raise(pool.name, 0, pool.count());
    }
    None
}
