//! What the programs in the kernel and the agent in user space agree on.
//!
//! Every type is `repr(C)` and free of padding (`IntoBytes` refuses it at compile time), holds no `bool`, `Option`
//! or enum, and keeps network addresses as the bytes that are on the wire. A subscriber's whole state is at
//! addresses that follow from the packet, a cache line for its direction and one for its mapping:
//!
//! ```text
//! up    (port, S-VID) ─ SVID_PAGES ─► page ─ LINES[page][C-VID] ─► HomeRef ─► HOMES[chunk] ─► Up, mapping
//! down  destination ─ FIB ─► NAT address ─ NAT_PORTS[address][port / 64] ─► PortsRef ─► HOMES[chunk] ─► Down, mapping
//! ```
//!
//! Index 0 of `SESSIONS`, `LINES`, `NEXT_HOPS`, `NEXT_HOP_GROUPS`, `FIB_PAGES` and `DHCP_PROFILES` and unit 0 of `HOMES`
//! are never used: 0 means "none".
//! Entries of `SVID_PAGES` are `u64`, since the kernel pads array values to eight bytes.
#![no_std]

mod access;
mod bench;
mod clerk;
mod dhcp;
mod dns;
mod drops;
mod ends;
mod event;
mod fib;
mod flow;
mod garden;
mod home;
pub mod layout;
mod nat;
mod overflow;
mod punt;
mod rules;
mod session;
mod stage;
mod voice;

pub use access::{
    BROADCAST_LEN, IFINDEX_LIMIT, LinePage, MAX_PORTS, PortEntry, PortLink, SVIDS_PER_PORT, SharedKey,
    port_flags, port_role,
};
pub use bench::{BENCH_FLOWS_MAX, BenchSettings, Sighting, Watch, expected_source, subscriber};
pub use clerk::{PEEK_WORDS_MAX, POKES_MAX, Peek, Poke, WIPES_MAX, poke_table};
pub use dhcp::{
    DHCP_MESSAGE_MAX, DHCP_RESOLVERS_MAX, DhcpProfile, DhcpScratch, MAX_DHCP_PROFILES, dhcp_answer,
};
pub use dns::{
    CATEGORIES_MAX, Category, DNS_LOOKED_AT, DeviceKey, DnsScratch, DnsTask, ENCRYPTED_RESOLVERS_MAX,
    LISTED_LABELS_MAX, LISTED_NAMES_MAX, NameHash, dns_count,
};
pub use drops::DropReason;
pub use ends::{Answer, Course, End};
pub use event::{EventKind, EventRecord, Loss, NatFlow, events};
pub use fib::{
    FIB_ROOT_LINES, FIB6_LEVELS, FIB6_ROOT_LINES, FibLine, FibPage, FibTarget, GROUP_SLOTS,
    MAX_GROUP_MEMBERS, MAX_NEXT_HOP_GROUPS, MAX_NEXT_HOPS, NextHop, NextHopGroup, Settings,
};
pub use flow::FlowEntry;
pub use garden::{GARDEN_PREFIXES_MAX, ResolverKey, mapped};
pub use home::{
    Burst, Chunk, Down, HEADER_LINES, HOME_ORDER_MAX, HomeRef, LINE_BYTES, LINES_PER_CHUNK, LINES_PER_UNIT,
    Limits, Line, Meter, Owner, PortsRef, Rate, Six, UNIT_INDICES_PER_CHUNK, UNIT_MAX, UNITS_PER_CHUNK, Up,
    flags, line6,
};
pub use nat::{
    ENTRIES_PER_BLOCK, ENTRIES_PER_BUCKET, FIRST_NAT_PORT, FragmentKey, FragmentKey6,
    NAT_EXEMPT_PREFIXES_MAX, NatEntry, NatPorts, PORT_GROUPS_PER_ADDRESS, entry_state, idle_q30,
    mapping_hash, mapping_key, mapping_line,
};
pub use overflow::{OVERFLOW_BLOCKS_MAX, OverflowShare};
pub use punt::{PUNT_FRAME_MAX, PuntReason, PuntRecord};
pub use rules::{RULES_MAX, Rule, RuleDefaults, RulesRef, rule_bits, rules_capacity};
pub use session::Session;
pub use stage::{Direction, Stage, StageFlow, Tally};
pub use voice::{VOICE_PREFIXES_MAX, Voice, VoiceMarks};

/// Changes when what is in the maps means something else, though it lies where it lay; `layout` describes the rest, and
/// maps of another layout are not taken over as they are.
pub const MAP_ABI_VERSION: u32 = 4;

/// Names of the maps, as they are pinned.
pub mod map {
    pub const PORTS: &str = "PORTS";
    pub const PORT_LINKS: &str = "PORT_LINKS";
    pub const SVID_PAGES: &str = "SVID_PAGES";
    pub const LINES: &str = "LINES";
    pub const SHARED: &str = "SHARED";
    pub const HOMES: &str = "HOMES";
    /// Which pages of `HOMES`, `LINES` and `NAT_PORTS` there are: a bit each, each map's from a new word on.
    pub const PAGES: &str = "PAGES";
    pub const SESSIONS: &str = "SESSIONS";
    pub const NAT_PORTS: &str = "NAT_PORTS";
    pub const FIB_ROOT: &str = "FIB_ROOT";
    pub const FIB_PAGES: &str = "FIB_PAGES";
    pub const FIB6_ROOT: &str = "FIB6_ROOT";
    pub const FIB6_PAGES: &str = "FIB6_PAGES";
    pub const NEXT_HOPS: &str = "NEXT_HOPS";
    pub const NEXT_HOP_GROUPS: &str = "NEXT_HOP_GROUPS";
    pub const REDIRECT: &str = "REDIRECT";
    pub const FRAGMENTS: &str = "FRAGMENTS";
    pub const FRAGMENTS6: &str = "FRAGMENTS6";
    /// Destinations that are in the walled garden: prefixes of IPv6 addresses, IPv4's mapped into them.
    pub const GARDEN: &str = "GARDEN";
    /// Whom sessions that are not active may ask for names, by `ResolverKey`.
    pub const RESOLVERS: &str = "RESOLVERS";
    /// Where voice platforms are: prefixes as in `GARDEN`.
    pub const VOICE: &str = "VOICE";
    /// Destinations exempt from NAT: prefixes as in `GARDEN`, of IPv4 alone.
    pub const NAT_EXEMPT: &str = "NAT_EXEMPT";
    pub const DROPS: &str = "DROPS";
    /// How the other frames ended.
    pub const ENDS: &str = "ENDS";
    pub const PUNTS: &str = "PUNTS";
    pub const EVENTS: &str = "EVENTS";
    pub const LOSSES: &str = "LOSSES";
    pub const SETTINGS: &str = "SETTINGS";
    pub const DHCP_PROFILES: &str = "DHCP_PROFILES";
    pub const DHCP_ANSWERS: &str = "DHCP_ANSWERS";
    /// The categories that a name is on a list of, a bit each, by the name's hash.
    pub const LISTED_NAMES: &str = "LISTED_NAMES";
    /// Where encrypted resolvers are known to be, as `GARDEN`.
    pub const ENCRYPTED_RESOLVERS: &str = "ENCRYPTED_RESOLVERS";
    /// The categories that are blocked at the moment, a bit each, by `DeviceKey`.
    pub const BLOCKED: &str = "BLOCKED";
    pub const CATEGORIES: &str = "CATEGORIES";
    pub const DNS_COUNTS: &str = "DNS_COUNTS";
    /// The description of these maps: see `layout`.
    pub const LAYOUT: &str = "LAYOUT";
    /// Programs for tail calls, by `program`.
    pub const PROGRAMS: &str = "PROGRAMS";
    /// Of the benchmark.
    pub const BENCH: &str = "BENCH";
    pub const BENCH_TARGETS: &str = "BENCH_TARGETS";
    pub const BENCH_REDIRECT: &str = "BENCH_REDIRECT";
    pub const BENCH_WIRE: &str = "BENCH_WIRE";
    pub const BENCH_SINK: &str = "BENCH_SINK";
}

/// Keys of `PROGRAMS`.
pub mod program {
    /// Of core ports, for IPv4.
    pub const CORE: u32 = 0;
    /// Of access ports, for IPv6.
    pub const ACCESS6: u32 = 1;
    /// Of core ports, for IPv6.
    pub const CORE6: u32 = 2;
    /// For the first packet of a flow that NAT does not know.
    pub const OPEN: u32 = 3;
    /// Of access ports, for IPv4.
    pub const ACCESS: u32 = 4;
    /// For the first packet of a flow of IPv6 that the firewall does not know.
    pub const OPEN6: u32 = 5;
    /// For a flow from a subscriber with rules that these have yet to be asked about, of either family.
    pub const RULES: u32 = 6;
    /// The same for a flow to it.
    pub const RULES_IN: u32 = 7;
    /// Of access ports, for sessions that are not active.
    pub const GARDEN: u32 = 8;
    /// Of access ports, for IPv6 of sessions that are not active.
    pub const GARDEN6: u32 = 9;
    /// Of core ports, for sessions that are not active.
    pub const GARDEN_CORE: u32 = 10;
    /// Of core ports, for IPv6 of sessions that are not active.
    pub const GARDEN_CORE6: u32 = 11;
    /// For DHCPv4 messages of subscribers.
    pub const DHCP: u32 = 12;
    /// Of access ports, for flows in a further port block.
    pub const OVERFLOW: u32 = 13;
    /// The same of core ports.
    pub const OVERFLOW_IN: u32 = 14;
    /// For queries for names, and what else goes to resolvers, of subscribers with parental control.
    pub const DNS: u32 = 15;
    /// For queries that the one before has put into the scratch memory.
    pub const DNS_NAME: u32 = 16;
    /// Of access ports, for what is said on the link and not sent through the office: broadcast and multicast, and ARP.
    pub const LINK: u32 = 17;
    pub const COUNT: u32 = 18;
}

#[cfg(test)]
mod tests;
