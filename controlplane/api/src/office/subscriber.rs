//! The rules of subscribers: their line, and their addresses. Their tenancies follow from them, and are not stored.

use std::ops::Bound;

use intent_store::{Table, Transaction};
use net_types::{Name, Prefix4};
use office_plan::{Claim, Ledger, allocate, claims_of, session};
use xos_model::{
    Condition, ConditionStatus, Fault, Graph, KindName, PortRole, READY, SessionVersion, Subscriber,
    SubscriberSpec, SubscriberState, set_condition,
};

use super::{
    Admission, Rejection,
    admission::{Managed, Ready, holder},
};

impl Managed for SubscriberSpec {
    fn admit(
        admission: &mut Admission<'_, '_>,
        old: Option<&Subscriber>,
        new: &mut Subscriber,
    ) -> Result<(), Rejection> {
        check_line(admission, new)?;
        let pools = admission.pools(&new.spec.access.node)?;
        if !old.is_some_and(|old| allocates_alike(&old.spec, &new.spec)) {
            let ledger = Claims { txn: admission.txn, me: new.name() };
            let allocation = allocate(&new.spec, &new.status, &pools, &ledger, &mut admission.scratch.hints)?;
            allocation.write_to(&mut new.status);
        }
        new.status.observed_generation = new.metadata.generation.unwrap_or(0);
        let moved = old.is_some_and(|old| old.spec.access.node != new.spec.access.node);
        let none = Graph::default();
        let graph = admission.scratch.graph().unwrap_or(&none);
        let planned = |subscriber| session(subscriber, graph, &pools).ok();
        if moved || old.and_then(planned) != planned(new) {
            let message = format!("waiting for node {} to put it in its kernel", new.spec.access.node);
            let conditions = &mut new.status.conditions;
            set_condition(conditions, READY, ConditionStatus::False, "Progressing", &message, admission.now);
        }
        admission.follow_subscriber(old, new);
        change_claims(admission, old, new)
    }

    /// Who names a tenancy that would go with it.
    fn user(admission: &Admission<'_, '_>, old: &Subscriber) -> Option<(KindName, Name)> {
        admission.user_of_chain(old)
    }

    /// In the words of nodes and kernels: those of the synchronizer are for whoever knows it.
    fn ready(subscriber: &Subscriber, synced: &Condition) -> Option<Ready> {
        let node = &subscriber.spec.access.node;
        let (reason, message) = match (synced.status, synced.reason.as_str()) {
            (ConditionStatus::True, _) => {
                let passes = match subscriber.spec.state {
                    SubscriberState::Active => "",
                    SubscriberState::Suspended | SubscriberState::Unauthenticated => {
                        "; only what is in the node's walled garden passes"
                    }
                    SubscriberState::Quarantined => "; nothing passes",
                };
                ("Programmed", format!("in the kernel of node {node}{passes}"))
            }
            (_, "Failed") => ("Refused", synced.message.clone()),
            (_, "Waiting") => ("Waiting", synced.message.clone()),
            _ => ("Progressing", format!("waiting for node {node} to put it in its kernel")),
        };
        Some(Ready { status: synced.status, reason: reason.into(), message })
    }

    fn made(subscriber: &mut Subscriber, digest: u64) {
        subscriber.status.programmed = Some(SessionVersion(digest));
    }

    fn retire(admission: &mut Admission<'_, '_>, old: &Subscriber) -> Result<(), Rejection> {
        let pools = admission.pools(&old.spec.access.node)?;
        for claim in claims_of(&old.spec, &old.status) {
            admission.txn.delete(Table::Claims, &claim.to_string());
            pools.released(&claim, &mut admission.scratch.hints);
        }
        Ok(())
    }
}

/// The line must end on an access port that exists, and be nobody else's.
fn check_line(admission: &mut Admission<'_, '_>, new: &Subscriber) -> Result<(), Rejection> {
    let access = &new.spec.access;
    let invalid = |pointer: &str, detail: String| Rejection::invalid(vec![Fault::new(pointer, detail)]);
    let Some(node) = admission.node(&access.node)? else {
        return Err(invalid("/spec/access/node", format!("there is no Node {}", access.node)));
    };
    match node.port(&access.port) {
        Some(port) if port.role == PortRole::Access => {}
        Some(_) => {
            let detail = format!("{} of Node {} is not an access port", access.port, access.node);
            return Err(invalid("/spec/access/port", detail));
        }
        None => {
            let detail = format!("Node {} has no port {}", access.node, access.port);
            return Err(invalid("/spec/access/port", detail));
        }
    }
    let ledger = Claims { txn: admission.txn, me: new.name() };
    office_plan::check_line(&new.spec, &ledger)
        .map_err(|fault| Rejection::conflict(fault.pointer, fault.detail))
}

/// Whether both specs ask for the same addresses and ports, so that nothing is to be allocated anew.
fn allocates_alike(old: &SubscriberSpec, new: &SubscriberSpec) -> bool {
    old.access.node == new.access.node
        && old.bundle.nat == new.bundle.nat
        && old.bundle.ipv6 == new.bundle.ipv6
        && old.bundle.port_forwards == new.bundle.port_forwards
        && old.bundle.device_block_length() == new.bundle.device_block_length()
        && old.bundle.nat_one_to_one == new.bundle.nat_one_to_one
        && old.address == new.address
        && old.public_address == new.public_address
        && old.more_subnets == new.more_subnets
        && old.subnet == new.subnet
        && old.subnet_length() == new.subnet_length()
}

fn change_claims(
    admission: &mut Admission<'_, '_>,
    old: Option<&Subscriber>,
    new: &Subscriber,
) -> Result<(), Rejection> {
    let before = old.map(|old| claims_of(&old.spec, &old.status)).unwrap_or_default();
    let after = claims_of(&new.spec, &new.status);
    if let Some(old) = old {
        let pools = admission.pools(&old.spec.access.node)?;
        for claim in before.iter().filter(|claim| !after.contains(claim)) {
            admission.txn.delete(Table::Claims, &claim.to_string());
            pools.released(claim, &mut admission.scratch.hints);
        }
    }
    for claim in after.iter().filter(|claim| !before.contains(claim)) {
        admission.txn.put(Table::Claims, claim.to_string(), new.name().as_str().as_bytes());
    }
    Ok(())
}

/// The ledger of one subscriber: the claims of all others.
struct Claims<'a, 't> {
    txn: &'a Transaction<'t>,
    me: &'a Name,
}

impl Ledger for Claims<'_, '_> {
    fn holder(&self, claim: &Claim) -> Option<Name> {
        let record = self.txn.get(Table::Claims, &claim.to_string())?;
        if *record.value == *self.me.as_str().as_bytes() { None } else { holder(&record) }
    }

    fn beside(&self, prefix: &str) -> Option<Name> {
        let mut holders = self.txn.prefixed(Table::Claims, prefix).filter_map(|(_, record)| holder(&record));
        holders.find(|other| other != self.me)
    }

    fn overlapping(&self, subnet: Prefix4) -> Option<(Prefix4, Name)> {
        // What lies in `subnet` follows its first address in the order of keys …
        let first = format!("subnet/{:08x}", subnet.network().to_bits());
        for (key, record) in self.txn.range(Table::Claims, Bound::Included(&first)) {
            let Some(other) = Claim::subnet_of_key(&key).filter(|other| other.overlaps(subnet)) else {
                break;
            };
            if *record.value != *self.me.as_str().as_bytes() {
                return Some((other, holder(&record)?));
            }
        }
        // … and what it lies in begins where one of its own longer cousins would.
        for len in *SubscriberSpec::SUBNET_LENGTHS.start()..subnet.len() {
            let mask = u32::MAX << (32 - u32::from(len));
            let network = std::net::Ipv4Addr::from_bits(subnet.network().to_bits() & mask);
            let Ok(wider) = Prefix4::new(network, len) else { continue };
            if let Some(holder) = self.holder(&Claim::Subnet(wider)) {
                return Some((wider, holder));
            }
        }
        None
    }
}
