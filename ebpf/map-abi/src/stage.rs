//! Which service of a subscriber's chain a packet was in when it was dropped.

use crate::DropReason;

/// A stage of a subscriber's chain (Peterson et al., "XOS: An Extensible Cloud Operating System", `BigSystem` 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The line: port, tags, addresses on it, and whether its session is active.
    Volt,
    /// The subscriber's bundle: NAT, firewall, rates, DHCP.
    Vcpe,
    /// Routing, and what comes in from the core.
    Vbng,
}

impl Stage {
    pub const ALL: [Self; 3] = [Self::Volt, Self::Vcpe, Self::Vbng];

    /// The name under which metrics and diagnostics show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Volt => "volt",
            Self::Vcpe => "vcpe",
            Self::Vbng => "vbng",
        }
    }
}

impl DropReason {
    /// The stage that drops for this reason: each has one.
    pub const fn stage(self) -> Stage {
        match self {
            Self::UnknownPort
            | Self::Truncated
            | Self::Untagged
            | Self::UnknownTags
            | Self::Suspended
            | Self::Garden
            | Self::DestinationMac
            | Self::SourceMac
            | Self::SourceAddress
            | Self::EtherType
            | Self::Arp
            | Self::SubscriberMacUnknown => Stage::Volt,
            Self::RateUp
            | Self::RateDown
            | Self::NatProtocol
            | Self::NatPortsExhausted
            | Self::NatNoMapping
            | Self::FragmentUnknown
            | Self::Firewall
            | Self::FlowsExhausted
            | Self::Rule
            | Self::IcmpErrorUnknown
            | Self::DnsUnreadable
            | Self::DnsBlocked
            | Self::DnsEncrypted
            | Self::PuntLost => Stage::Vcpe,
            Self::BadIpv4
            | Self::BadIpv6
            | Self::Martian
            | Self::ReversePath
            | Self::TtlExpired
            | Self::TooBig
            | Self::NoRoute
            | Self::Blackhole
            | Self::NeighbourUnresolved
            | Self::ToOffice
            | Self::Inconsistent => Stage::Vbng,
        }
    }
}
