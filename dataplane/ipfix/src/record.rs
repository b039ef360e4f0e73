//! What each record consists of, in order; templates and data records are both made from it.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::{
    AddressBinding, BibEntry, Event, NatEvent, PortBlock, PortRange, Quota, Realm, Session,
    element::{
        DESTINATION_IPV4_ADDRESS, DESTINATION_TRANSPORT_PORT, EXPORTING_PROCESS_ID, Element, MAX_BIB_ENTRIES,
        MAX_ENTRIES_PER_USER, MAX_SESSION_ENTRIES, MAX_SUBSCRIBERS, NAT_EVENT, NAT_ORIGINATING_ADDRESS_REALM,
        NAT_POOL_ID, NAT_QUOTA_EXCEEDED_EVENT, NOT_SENT_FLOW_TOTAL_COUNT, OBSERVATION_TIME_MILLISECONDS,
        PORT_RANGE_END, PORT_RANGE_NUM_PORTS, PORT_RANGE_START, PORT_RANGE_STEP_SIZE,
        POST_NAPT_DESTINATION_TRANSPORT_PORT, POST_NAPT_SOURCE_TRANSPORT_PORT,
        POST_NAT_DESTINATION_IPV4_ADDRESS, POST_NAT_SOURCE_IPV4_ADDRESS, PROTOCOL_IDENTIFIER,
        SOURCE_IPV4_ADDRESS, SOURCE_TRANSPORT_PORT,
    },
    encode::Reliability,
};

/// A data record.
#[derive(Clone, Copy)]
pub(crate) enum Record<'a> {
    Nat(&'a Event),
    Reliability(&'a Reliability),
}

/// A record of each template; its values mean nothing.
pub(crate) fn samples() -> impl Iterator<Item = Event> {
    let address = Ipv4Addr::UNSPECIFIED;
    let end = SocketAddrV4::new(address, 0);
    let binding = BibEntry { protocol: 0, internal: end, external: end };
    let ports = PortRange::new(0, 1).expect("one port is a range");
    [
        NatEvent::SessionCreate(Session {
            binding,
            destination: end,
            translated_destination: end,
            origin: Realm::Internal,
        }),
        NatEvent::BibCreate(binding),
        NatEvent::AddressBindingCreate(AddressBinding { internal: address, external: address }),
        NatEvent::PortBlockAllocation(PortBlock { internal: address, external: address, ports }),
        NatEvent::QuotaExceeded(Quota::Sessions { max: 0 }),
        NatEvent::QuotaExceeded(Quota::BibEntries { max: 0 }),
        NatEvent::QuotaExceeded(Quota::EntriesPerUser { max: 0, user: address }),
        NatEvent::QuotaExceeded(Quota::Subscribers { max: 0 }),
        NatEvent::AddressesExhausted { pool: 0 },
        NatEvent::PortsExhausted { address, protocol: 0 },
    ]
    .into_iter()
    .map(|nat| Event { observed_ms: 0, nat })
}

impl Record<'_> {
    /// The number of its template; 256 is the least that is free (RFC 7011, section 3.4.1).
    pub(crate) const fn template(self) -> u16 {
        match self {
            Self::Reliability(_) => 256,
            Self::Nat(event) => match event.nat {
                NatEvent::SessionCreate(_) | NatEvent::SessionDelete(_) => 257,
                NatEvent::BibCreate(_) | NatEvent::BibDelete(_) => 258,
                NatEvent::AddressBindingCreate(_) | NatEvent::AddressBindingDelete(_) => 259,
                NatEvent::PortBlockAllocation(_) | NatEvent::PortBlockDeallocation(_) => 260,
                NatEvent::QuotaExceeded(Quota::Sessions { .. }) => 261,
                NatEvent::QuotaExceeded(Quota::BibEntries { .. }) => 262,
                NatEvent::QuotaExceeded(Quota::EntriesPerUser { .. }) => 263,
                NatEvent::QuotaExceeded(Quota::Subscribers { .. }) => 264,
                NatEvent::AddressesExhausted { .. } => 265,
                NatEvent::PortsExhausted { .. } => 266,
            },
        }
    }

    /// How many of its first fields say what the others are about; none but in options (RFC 7011, section 3.4.2).
    pub(crate) const fn scope_fields(self) -> Option<u16> {
        match self {
            Self::Nat(_) => None,
            Self::Reliability(_) => Some(1),
        }
    }

    /// Gives each field to `put`, in order, with its value.
    pub(crate) fn fields(self, put: &mut impl FnMut(Element, u64)) {
        match self {
            Self::Nat(event) => {
                put(OBSERVATION_TIME_MILLISECONDS, event.observed_ms);
                put(NAT_EVENT, event.nat.number().into());
                nat_fields(&event.nat, put);
            }
            Self::Reliability(Reliability { process, not_sent }) => {
                put(EXPORTING_PROCESS_ID, (*process).into());
                put(NOT_SENT_FLOW_TOTAL_COUNT, *not_sent);
            }
        }
    }
}

/// The fields of RFC 8158, section 5.6, after the two that all events have.
fn nat_fields(nat: &NatEvent, put: &mut impl FnMut(Element, u64)) {
    match *nat {
        NatEvent::SessionCreate(ref session) | NatEvent::SessionDelete(ref session) => {
            let Session { binding, destination, translated_destination, origin } = session;
            binding_fields(binding, put);
            put(DESTINATION_IPV4_ADDRESS, address(*destination.ip()));
            put(POST_NAT_DESTINATION_IPV4_ADDRESS, address(*translated_destination.ip()));
            put(DESTINATION_TRANSPORT_PORT, destination.port().into());
            put(POST_NAPT_DESTINATION_TRANSPORT_PORT, translated_destination.port().into());
            let realm = match origin {
                Realm::Internal => 1,
                Realm::External => 2,
            };
            put(NAT_ORIGINATING_ADDRESS_REALM, realm);
        }
        NatEvent::BibCreate(ref binding) | NatEvent::BibDelete(ref binding) => binding_fields(binding, put),
        NatEvent::AddressBindingCreate(AddressBinding { internal, external })
        | NatEvent::AddressBindingDelete(AddressBinding { internal, external }) => {
            put(SOURCE_IPV4_ADDRESS, address(internal));
            put(POST_NAT_SOURCE_IPV4_ADDRESS, address(external));
        }
        NatEvent::PortBlockAllocation(PortBlock { internal, external, ports })
        | NatEvent::PortBlockDeallocation(PortBlock { internal, external, ports }) => {
            put(SOURCE_IPV4_ADDRESS, address(internal));
            put(POST_NAT_SOURCE_IPV4_ADDRESS, address(external));
            put(PORT_RANGE_START, ports.first().into());
            put(PORT_RANGE_END, ports.last().into());
            put(PORT_RANGE_STEP_SIZE, 1);
            put(PORT_RANGE_NUM_PORTS, ports.ports().into());
        }
        NatEvent::QuotaExceeded(quota) => {
            put(NAT_QUOTA_EXCEEDED_EVENT, quota.number().into());
            match quota {
                Quota::Sessions { max } => put(MAX_SESSION_ENTRIES, max.into()),
                Quota::BibEntries { max } => put(MAX_BIB_ENTRIES, max.into()),
                Quota::EntriesPerUser { max, user } => {
                    put(MAX_ENTRIES_PER_USER, max.into());
                    put(SOURCE_IPV4_ADDRESS, address(user));
                }
                Quota::Subscribers { max } => put(MAX_SUBSCRIBERS, max.into()),
            }
        }
        NatEvent::AddressesExhausted { pool } => put(NAT_POOL_ID, pool.into()),
        NatEvent::PortsExhausted { address: public, protocol } => {
            put(POST_NAT_SOURCE_IPV4_ADDRESS, address(public));
            put(PROTOCOL_IDENTIFIER, protocol.into());
        }
    }
}

fn binding_fields(BibEntry { protocol, internal, external }: &BibEntry, put: &mut impl FnMut(Element, u64)) {
    put(SOURCE_IPV4_ADDRESS, address(*internal.ip()));
    put(POST_NAT_SOURCE_IPV4_ADDRESS, address(*external.ip()));
    put(PROTOCOL_IDENTIFIER, (*protocol).into());
    put(SOURCE_TRANSPORT_PORT, internal.port().into());
    put(POST_NAPT_SOURCE_TRANSPORT_PORT, external.port().into());
}

fn address(address: Ipv4Addr) -> u64 {
    address.to_bits().into()
}
