//! What a NAT does that its operator has to be able to tell later (RFC 8158).

use std::net::{Ipv4Addr, SocketAddrV4};

/// One event, and when it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds since the Unix epoch.
    pub observed_ms: u64,
    pub nat: NatEvent,
}

/// The events of RFC 8158 (section 5.4) that a NAT44 with port blocks has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NatEvent {
    SessionCreate(Session),
    SessionDelete(Session),
    BibCreate(BibEntry),
    BibDelete(BibEntry),
    AddressBindingCreate(AddressBinding),
    AddressBindingDelete(AddressBinding),
    PortBlockAllocation(PortBlock),
    PortBlockDeallocation(PortBlock),
    QuotaExceeded(Quota),
    /// No public address of the pool is free.
    AddressesExhausted {
        pool: u32,
    },
    /// No port of the public address is free.
    PortsExhausted {
        address: Ipv4Addr,
        protocol: u8,
    },
}

impl NatEvent {
    /// The value of natEvent (IANA; RFC 8158, table 2).
    pub const fn number(&self) -> u8 {
        match self {
            Self::AddressesExhausted { .. } => 3,
            Self::SessionCreate(_) => 4,
            Self::SessionDelete(_) => 5,
            Self::BibCreate(_) => 8,
            Self::BibDelete(_) => 9,
            Self::PortsExhausted { .. } => 12,
            Self::QuotaExceeded(_) => 13,
            Self::AddressBindingCreate(_) => 14,
            Self::AddressBindingDelete(_) => 15,
            Self::PortBlockAllocation(_) => 16,
            Self::PortBlockDeallocation(_) => 17,
        }
    }
}

/// What a host inside looks like from outside: an entry of the binding information base, whoever it speaks to.
///
/// Where the protocol has no ports, the ports are zero; for ICMP they are the identifier (RFC 5508).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BibEntry {
    /// IP protocol number.
    pub protocol: u8,
    pub internal: SocketAddrV4,
    pub external: SocketAddrV4,
}

/// A binding in use with one destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    pub binding: BibEntry,
    pub destination: SocketAddrV4,
    /// The destination behind the NAT; as `destination`, unless the session turns back to another host inside.
    pub translated_destination: SocketAddrV4,
    /// Where the session's first packet came from.
    pub origin: Realm,
}

/// The values of natOriginatingAddressRealm (IANA).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Realm {
    Internal,
    External,
}

/// A host inside that all of a public address is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressBinding {
    pub internal: Ipv4Addr,
    pub external: Ipv4Addr,
}

/// A host inside that some ports of a public address are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortBlock {
    pub internal: Ipv4Addr,
    pub external: Ipv4Addr,
    pub ports: PortRange,
}

/// A limit that was reached, and its value in entries (RFC 8158, table 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    Sessions { max: u32 },
    BibEntries { max: u32 },
    EntriesPerUser { max: u32, user: Ipv4Addr },
    Subscribers { max: u32 },
}

impl Quota {
    /// The value of natQuotaExceededEvent (IANA; RFC 8158, table 3).
    pub const fn number(&self) -> u32 {
        match self {
            Self::Sessions { .. } => 1,
            Self::BibEntries { .. } => 2,
            Self::EntriesPerUser { .. } => 3,
            Self::Subscribers { .. } => 4,
        }
    }
}

/// Consecutive ports: at least one, at most 65,535.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortRange {
    first: u16,
    last: u16,
}

/// There are no ports, or they pass the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{ports} ports from {first} on are no range of ports")]
pub struct BadPortRange {
    first: u16,
    ports: u16,
}

impl PortRange {
    /// `ports` ports, of which `first` is the first; an error when there are none or they pass 65,535.
    pub const fn new(first: u16, ports: u16) -> Result<Self, BadPortRange> {
        if let Some(more) = ports.checked_sub(1)
            && let Some(last) = first.checked_add(more)
        {
            return Ok(Self { first, last });
        }
        Err(BadPortRange { first, ports })
    }

    pub const fn first(self) -> u16 {
        self.first
    }

    pub const fn last(self) -> u16 {
        self.last
    }

    /// How many ports there are.
    pub const fn ports(self) -> u16 {
        self.last - self.first + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_a_port_and_ends_at_the_last() {
        for (first, ports, last) in [
            (1024, 256, Some(1279)),
            (65535, 1, Some(65535)),
            (0, 65535, Some(65534)),
            (1, 65535, Some(65535)),
            (1024, 0, None),
            (65535, 2, None),
            (2, 65535, None),
        ] {
            let range = PortRange::new(first, ports).ok();
            assert_eq!(range.map(PortRange::last), last, "{ports} from {first}");
            assert_eq!(range.map(PortRange::ports), last.map(|_| ports));
        }
        let error = PortRange::new(65000, 1000).expect_err("passes the last port");
        assert_eq!(error.to_string(), "1000 ports from 65000 on are no range of ports");
    }
}
