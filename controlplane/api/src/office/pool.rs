//! The rules of address pools.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Bound,
};

use intent_store::Table;
use net_types::{Name, Prefix};
use office_plan::{Claim, NodePool, NodePools, clashes};
use xos_model::{AddressPool, AddressPoolSpec, Condition, Fault, KindName, Purpose};

use super::{
    Admission, Rejection,
    admission::{Managed, Ready, holder},
    stored::decode,
};

impl Managed for AddressPoolSpec {
    fn admit(
        admission: &mut Admission<'_, '_>,
        old: Option<&AddressPool>,
        new: &mut AddressPool,
    ) -> Result<(), Rejection> {
        let Some(node) = admission.node(&new.spec.node)? else {
            let detail = format!("there is no Node {}", new.spec.node);
            return Err(Rejection::invalid(vec![Fault::new("/spec/node", detail)]));
        };
        if let Some(old) = old
            && let Some(pointer) = first_fixed_change(&old.spec, &new.spec)
            && let Some(user) = user(admission, &old.spec)
        {
            let detail = format!("AddressPool {} is in use by Subscriber {user}", new.name());
            return Err(Rejection::conflict(pointer, detail));
        }
        overlap(admission, new)?;
        let alone = NodePools::new(vec![NodePool { name: new.name().clone(), spec: new.spec.clone() }]);
        if let Some((fault, _)) = clashes(&node, &alone).into_iter().next() {
            let detail = format!("{} of Node {}", fault.detail, new.spec.node);
            return Err(Rejection::conflict("/spec/prefix", detail));
        }
        if let Some(old) = old {
            forget(admission, old);
        }
        admission.scratch.changed(&new.spec.node);
        admission.scratch.hints.forget(new.name());
        new.status.observed_generation = new.metadata.generation.unwrap_or(0);
        Ok(())
    }

    fn user(admission: &Admission<'_, '_>, old: &AddressPool) -> Option<(KindName, Name)> {
        user(admission, &old.spec).map(|user| (KindName::Subscriber, user))
    }

    /// A pool is routes of its node, and the node says how those are.
    fn ready(_pool: &AddressPool, _synced: &Condition) -> Option<Ready> {
        None
    }

    fn retire(admission: &mut Admission<'_, '_>, old: &AddressPool) -> Result<(), Rejection> {
        forget(admission, old);
        Ok(())
    }
}

fn forget(admission: &mut Admission<'_, '_>, old: &AddressPool) {
    admission.scratch.changed(&old.spec.node);
    admission.scratch.hints.forget(old.name());
}

/// Where a pool in use must stay as it is: what was given from it would no longer fit.
fn first_fixed_change(old: &AddressPoolSpec, new: &AddressPoolSpec) -> Option<&'static str> {
    let AddressPoolSpec {
        node,
        purpose,
        prefix,
        gateway,
        ports_per_subscriber: _,
        overflow_ports: _,
        delegated_length: _,
        lease_seconds: _,
    } = old;
    let changes = [
        (*node != new.node, "/spec/node"),
        (*purpose != new.purpose, "/spec/purpose"),
        (*prefix != new.prefix, "/spec/prefix"),
        (*gateway != new.gateway, "/spec/gateway"),
        (old.delegated_length() != new.delegated_length(), "/spec/delegatedLength"),
        (old.ports_per_subscriber() != new.ports_per_subscriber(), "/spec/portsPerSubscriber"),
    ];
    changes.into_iter().find(|(changed, _)| *changed).map(|(_, pointer)| pointer)
}

/// A subscriber that has something of the pool.
fn user(admission: &Admission<'_, '_>, pool: &AddressPoolSpec) -> Option<Name> {
    let lead = match pool.purpose {
        Purpose::Subscriber => format!("address/{}/", pool.node),
        Purpose::Nat => "block/".into(),
        Purpose::Routed => "subnet/".into(),
        Purpose::Link6 | Purpose::Delegated6 => Claim::SUBNETS6.into(),
    };
    let first = match pool.prefix {
        Prefix::V4(prefix) => format!("{lead}{:08x}", prefix.network().to_bits()),
        Prefix::V6(prefix) => format!("{lead}{:032x}", prefix.network().to_bits()),
    };
    let (key, record) = admission.txn.range(Table::Claims, Bound::Included(&first)).next()?;
    let address = key.strip_prefix(&lead)?.split('/').next()?;
    let is_inside = match pool.prefix {
        Prefix::V4(prefix) => {
            u32::from_str_radix(address, 16).is_ok_and(|bits| prefix.contains(Ipv4Addr::from_bits(bits)))
        }
        Prefix::V6(prefix) => {
            u128::from_str_radix(address, 16).is_ok_and(|bits| prefix.contains(Ipv6Addr::from_bits(bits)))
        }
    };
    is_inside.then(|| holder(&record))?
}

/// Pools overlap nowhere, but that inside addresses of one node are nothing to another.
fn overlap(admission: &Admission<'_, '_>, new: &AddressPool) -> Result<(), Rejection> {
    let prefix = format!("{}/", KindName::AddressPool.plural());
    for (key, record) in admission.txn.prefixed(Table::Objects, &prefix) {
        let other: AddressPool = decode(&key, &record)?;
        let both_inside =
            new.spec.purpose == Purpose::Subscriber && other.spec.purpose == Purpose::Subscriber;
        let apart = both_inside && other.spec.node != new.spec.node;
        if other.name() != new.name() && !apart && other.spec.prefix.overlaps(new.spec.prefix) {
            let detail =
                format!("{} overlaps {} of AddressPool {}", new.spec.prefix, other.spec.prefix, other.name());
            return Err(Rejection::conflict("/spec/prefix", detail));
        }
    }
    Ok(())
}
