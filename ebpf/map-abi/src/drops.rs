//! Why a packet was dropped.

use crate::Course;

macro_rules! drop_reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// Why a packet was dropped.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u32)]
        pub enum DropReason {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl DropReason {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];
            #[expect(clippy::cast_possible_truncation, reason = "there are some tens")]
            pub const COUNT: u32 = Self::ALL.len() as u32;

            /// Counters in `DROPS`: one of each for every course.
            pub const PLACES: u32 = Self::COUNT * Course::COUNT;

            /// What is counted in `DROPS`, in order.
            pub const NAMES: [&str; Self::ALL.len() * Course::ALL.len()] = [
                $($name,)+
                $(concat!("down.", $name),)+
                $(concat!("turned.", $name),)+
            ];

            /// The index of its counter in `DROPS`.
            #[inline(always)]
            pub const fn index(self, course: Course) -> u32 {
                course.index() * Self::COUNT + self as u32
            }

            /// The name under which metrics and diagnostics show it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// One sentence for an operator.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+),)+ }
            }
        }
    };
}

drop_reasons! {
    /// The interface is not a port of this node.
    UnknownPort = "unknown_port",
    /// The frame ends before its headers do.
    Truncated = "truncated",
    /// The frame does not carry the two tags that the access port expects.
    Untagged = "untagged",
    /// No session is provisioned for the port and tags.
    UnknownTags = "unknown_tags",
    /// The session is quarantined, or in no walled garden because the node has none: nothing passes.
    Suspended = "suspended",
    /// The session is suspended or unauthenticated, and the other end is not in the walled garden.
    Garden = "garden",
    /// The destination MAC address is not the access port's.
    DestinationMac = "destination_mac",
    /// The source MAC address is not the session's.
    SourceMac = "source_mac",
    /// The source IP address is not the session's.
    SourceAddress = "source_address",
    /// The protocol is not carried here (not IPv4, ARP or, where the line has it, IPv6).
    EtherType = "ethertype",
    /// The IPv4 header is malformed.
    BadIpv4 = "bad_ipv4",
    /// The IPv6 header or an extension header is malformed, or is one that routers drop (RFC 5095).
    BadIpv6 = "bad_ipv6",
    /// An address is not one that may be routed (multicast, loopback, this network).
    Martian = "martian",
    /// What comes in from the core is not from where the way back leads (reverse path check, RFC 3704).
    ReversePath = "reverse_path",
    /// The time to live ran out here.
    TtlExpired = "ttl_expired",
    /// The packet is larger than the next link takes and must not be fragmented.
    TooBig = "too_big",
    /// The subscriber's upstream rate is exceeded.
    RateUp = "rate_up",
    /// The subscriber's downstream rate is exceeded.
    RateDown = "rate_down",
    /// NAT does not translate this transport protocol.
    NatProtocol = "nat_protocol",
    /// All ports of the subscriber's port block are in use.
    NatPortsExhausted = "nat_ports_exhausted",
    /// No NAT mapping exists for the destination port.
    NatNoMapping = "nat_no_mapping",
    /// A fragment came before the first one of its packet.
    FragmentUnknown = "fragment_unknown",
    /// The packet answers nothing that went out, and the subscriber has a firewall.
    Firewall = "firewall",
    /// All places for the flows of the subscriber's firewall are in use.
    FlowsExhausted = "flows_exhausted",
    /// A rule of the subscriber's firewall is against it.
    Rule = "rule",
    /// An ICMP error quotes a packet that is not one of the subscriber's.
    IcmpErrorUnknown = "icmp_error_unknown",
    /// No route leads to the destination.
    NoRoute = "no_route",
    /// The destination is a pool address that no subscriber holds.
    Blackhole = "blackhole",
    /// The next hop's MAC address is not known (yet).
    NeighbourUnresolved = "neighbour_unresolved",
    /// The subscriber's MAC address is not known yet: none is configured and DHCP has not learned one.
    SubscriberMacUnknown = "subscriber_mac_unknown",
    /// The destination is the office itself, which subscribers do not reach.
    ToOffice = "to_office",
    /// An ARP request that the office does not answer.
    Arp = "arp",
    /// More broadcast and multicast frames than a subscriber may send in a second (storm limit).
    Storm = "storm",
    /// A packet for user space found its ring full or came too fast for its subscriber.
    PuntLost = "punt_lost",
    /// A query to a resolver that parental control cannot read: fragmented, malformed, or with several questions.
    DnsUnreadable = "dns_unreadable",
    /// A name is blocked by parental control, and the query could not be answered in place.
    DnsBlocked = "dns_blocked",
    /// Parental control keeps encrypted resolvers from being asked (QUIC, to port 853 or a known address).
    DnsEncrypted = "dns_encrypted",
    /// A table holds an index that does not exist; a fault of the agent.
    Inconsistent = "inconsistent",
}
