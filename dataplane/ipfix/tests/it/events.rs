//! Random events, and what a collector is to see of each: the elements of RFC 8158, section 5.6, by IANA's numbers.

use std::net::{Ipv4Addr, SocketAddrV4};

use ipfix::{AddressBinding, BibEntry, Event, NatEvent, PortBlock, PortRange, Quota, Realm, Session};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use crate::decode::Record;

/// Some events, always the same, with times of this century and of every kind.
pub(crate) fn some(count: usize) -> Vec<Event> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| event().new_tree(&mut runner).expect("nothing is filtered").current()).collect()
}

pub(crate) fn event() -> impl Strategy<Value = Event> {
    let observed_ms = 1_600_000_000_000_u64..4_000_000_000_000;
    (observed_ms, nat()).prop_map(|(observed_ms, nat)| Event { observed_ms, nat })
}

fn nat() -> impl Strategy<Value = NatEvent> {
    // Those that all NATs have, and others.
    let protocol = || prop_oneof![Just(1), Just(6), Just(17), any::<u8>()];
    let binding = move || {
        (protocol(), end(), end()).prop_map(|(protocol, internal, external)| BibEntry {
            protocol,
            internal,
            external,
        })
    };
    let session = move || {
        (binding(), end(), end(), any::<bool>()).prop_map(|(binding, destination, turned, inward)| {
            let origin = if inward { Realm::External } else { Realm::Internal };
            Session { binding, destination, translated_destination: turned, origin }
        })
    };
    let addresses = || any::<(Ipv4Addr, Ipv4Addr)>();
    let pair = move || addresses().prop_map(|(internal, external)| AddressBinding { internal, external });
    let block = move || {
        (addresses(), ports()).prop_map(|((internal, external), ports)| PortBlock {
            internal,
            external,
            ports,
        })
    };
    prop_oneof![
        session().prop_map(NatEvent::SessionCreate),
        session().prop_map(NatEvent::SessionDelete),
        binding().prop_map(NatEvent::BibCreate),
        binding().prop_map(NatEvent::BibDelete),
        pair().prop_map(NatEvent::AddressBindingCreate),
        pair().prop_map(NatEvent::AddressBindingDelete),
        block().prop_map(NatEvent::PortBlockAllocation),
        block().prop_map(NatEvent::PortBlockDeallocation),
        any::<u32>().prop_map(|max| NatEvent::QuotaExceeded(Quota::Sessions { max })),
        any::<u32>().prop_map(|max| NatEvent::QuotaExceeded(Quota::BibEntries { max })),
        any::<(u32, Ipv4Addr)>()
            .prop_map(|(max, user)| NatEvent::QuotaExceeded(Quota::EntriesPerUser { max, user })),
        any::<u32>().prop_map(|max| NatEvent::QuotaExceeded(Quota::Subscribers { max })),
        any::<u32>().prop_map(|pool| NatEvent::AddressesExhausted { pool }),
        any::<(Ipv4Addr, u8)>()
            .prop_map(|(address, protocol)| NatEvent::PortsExhausted { address, protocol }),
    ]
}

fn end() -> impl Strategy<Value = SocketAddrV4> {
    any::<(Ipv4Addr, u16)>().prop_map(|(address, port)| SocketAddrV4::new(address, port))
}

fn ports() -> impl Strategy<Value = PortRange> {
    any::<(u16, u16)>().prop_map(|(one, other)| {
        let ports = one.abs_diff(other).saturating_add(1);
        PortRange::new(one.min(other), ports).expect("it ends at one of both")
    })
}

/// The values that a record of the event has, by the numbers of their elements.
pub(crate) fn expected(event: &Event) -> Record {
    let (number, fields) = match event.nat {
        NatEvent::AddressesExhausted { pool } => (3, vec![(283, pool.into())]),
        NatEvent::SessionCreate(session) => (4, session_fields(&session)),
        NatEvent::SessionDelete(session) => (5, session_fields(&session)),
        NatEvent::BibCreate(binding) => (8, binding_fields(&binding)),
        NatEvent::BibDelete(binding) => (9, binding_fields(&binding)),
        NatEvent::PortsExhausted { address, protocol } => {
            (12, vec![(225, ip(address)), (4, protocol.into())])
        }
        NatEvent::QuotaExceeded(quota) => (13, quota_fields(&quota)),
        NatEvent::AddressBindingCreate(pair) => (14, vec![(8, ip(pair.internal)), (225, ip(pair.external))]),
        NatEvent::AddressBindingDelete(pair) => (15, vec![(8, ip(pair.internal)), (225, ip(pair.external))]),
        NatEvent::PortBlockAllocation(block) => (16, block_fields(&block)),
        NatEvent::PortBlockDeallocation(block) => (17, block_fields(&block)),
    };
    fields.into_iter().chain([(323, event.observed_ms), (230, number)]).collect()
}

fn binding_fields(binding: &BibEntry) -> Vec<(u16, u64)> {
    vec![
        (8, ip(*binding.internal.ip())),
        (225, ip(*binding.external.ip())),
        (4, binding.protocol.into()),
        (7, binding.internal.port().into()),
        (227, binding.external.port().into()),
    ]
}

fn session_fields(session: &Session) -> Vec<(u16, u64)> {
    let mut fields = binding_fields(&session.binding);
    fields.extend([
        (12, ip(*session.destination.ip())),
        (11, session.destination.port().into()),
        (226, ip(*session.translated_destination.ip())),
        (228, session.translated_destination.port().into()),
        (229, if session.origin == Realm::External { 2 } else { 1 }),
    ]);
    fields
}

fn block_fields(block: &PortBlock) -> Vec<(u16, u64)> {
    let (first, last) = (u64::from(block.ports.first()), u64::from(block.ports.last()));
    let addresses = [(8, ip(block.internal)), (225, ip(block.external))];
    let ports = [(361, first), (362, last), (363, 1), (364, last - first + 1)];
    [addresses.as_slice(), &ports].concat()
}

fn quota_fields(quota: &Quota) -> Vec<(u16, u64)> {
    match *quota {
        Quota::Sessions { max } => vec![(466, 1), (471, max.into())],
        Quota::BibEntries { max } => vec![(466, 2), (472, max.into())],
        Quota::EntriesPerUser { max, user } => vec![(466, 3), (473, max.into()), (8, ip(user))],
        Quota::Subscribers { max } => vec![(466, 4), (474, max.into())],
    }
}

fn ip(address: Ipv4Addr) -> u64 {
    u32::from_be_bytes(address.octets()).into()
}
