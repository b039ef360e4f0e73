//! Every record, field by field, and every map.

use core::mem::offset_of;

use super::{Carried, Described, Field, Keeper, Map, Record};
use crate::{
    Burst, Category, DeviceKey, DhcpProfile, Down, DropReason, ENTRIES_PER_BUCKET, End, FibLine, FibPage,
    FlowEntry, FragmentKey, FragmentKey6, HEADER_LINES, HOME_ORDER_MAX, LINE_BYTES, LINES_PER_UNIT, Limits,
    LinePage, MAX_PORTS, Meter, NatEntry, NatPorts, NextHop, NextHopGroup, PortEntry, PortLink, ResolverKey,
    Rule, RuleDefaults, SVIDS_PER_PORT, Session, Settings, SharedKey, Six, UNIT_INDICES_PER_CHUNK, UNIT_MAX,
    UNITS_PER_CHUNK, Up, Voice, dns_count, map,
};

const fn bytes_of<T, F>(_: fn(&T) -> &F) -> usize {
    size_of::<F>()
}

const fn fields_of<T, F: Described>(_: fn(&T) -> &F) -> &'static [Field] {
    F::RECORD.fields
}

macro_rules! fields_in {
    (Parts, $type:ident, $field:ident) => {
        fields_of(|record: &$type| &record.$field)
    };
    ($keeper:ident, $type:ident, $field:ident) => {
        &[]
    };
}

macro_rules! keeper {
    (Parts) => {
        Keeper::Kernel
    };
    ($keeper:ident) => {
        Keeper::$keeper
    };
}

/// Describes records: the keeper of each field, `Parts` of a field that is a record itself. One that is left out is an
/// error where the record is taken apart.
macro_rules! describe {
    ($($type:ident { $($keeper:ident $($(#[$cfg:meta])? $field:ident)+;)+ })+) => {$(
        impl Described for $type {
            const RECORD: Record = Record {
                name: stringify!($type),
                bytes: size_of::<Self>(),
                fields: &[$($($(#[$cfg])? Field {
                    name: stringify!($field),
                    offset: offset_of!($type, $field),
                    bytes: bytes_of(|record: &$type| &record.$field),
                    keeper: keeper!($keeper),
                    fields: fields_in!($keeper, $type, $field),
                },)+)+],
            };
        }

        const _: fn($type) = |$type { $($($(#[$cfg])? $field: _,)+)+ }| {};
    )+};
}

describe! {
    Limits {
        User committed_burst peak_burst committed peak;
    }
    Meter {
        Latest committed_arrival_q6 peak_arrival_q6;
        Counter bytes packets;
    }
    Up {
        Kernel mac;
        User flags network external first_port prefix_len spare;
        Parts limits meter;
    }
    Down {
        Kernel mac;
        User flags s_tci c_tci network owner;
        Parts limits meter;
    }
    Six {
        User link delegated delegated_len is_on flows rules overflow home spare_words;
        Kernel told_full;
    }
    NatEntry {
        Kernel key remote remote_port state overflow last_seen_q30;
    }
    FlowEntry {
        Kernel print protocol judged state overflow last_seen_q30;
    }
    RuleDefaults {
        Counter hits_in hits_out;
        User spare_words;
    }
    Rule {
        User source destination source_bits destination_bits protocol protocol_mask bits spare source_ports
            destination_ports;
        Counter hits;
        User spare_word;
    }
    Session {
        User #[cfg(layout_probe)] probe_head #[cfg(layout_probe)] probe_tail;
        Anew version;
        Counter drops_up drops_down;
        Latest punt_arrival_q6;
        Kernel mac;
        User flags home in_use port first_port s_vid c_vid address gateway network external prefix_len spare;
        Parts limits_up limits_down;
        User link delegated delegated_len has_ipv6 spare_bytes flows forwards spare_shorts rules;
        Latest portal_arrival_q6;
        User dhcp_profile spare_dhcp;
        Latest lease_ends_s;
        User overflow overflow_share name;
        Latest broadcast_arrival_q6;
        Counter dns_blocked;
        Parts voice;
    }
    Voice {
        User rate burst spare;
        Latest up_arrival_q6 down_arrival_q6;
        Counter up_packets up_bytes down_packets down_bytes;
        User spare_word;
    }
    PortEntry { User mac index_plus_one; }
    PortLink { User mac mtu ifindex role outer_tpid name priority_mask spare_byte broadcast_burst broadcast
        spare; }
    LinePage { User homes; }
    NatPorts { User groups; }
    SharedKey { User mac_and_port c_vid s_vid; }
    FragmentKey { Kernel source destination identification protocol spare; }
    FragmentKey6 { Kernel source destination identification spare; }
    ResolverKey { User address session spare; }
    FibLine { User entries; }
    FibPage { User entries; }
    NextHop { Kernel destination; User port source mtu gateway; }
    NextHopGroup { User slots; }
    Settings { Anew abi_version; User default_route; Kernel hash_key; User garden voice events; }
    DeviceKey { User mac session spare; }
    Category { User name; }
    DhcpProfile { User lease_seconds resolvers_len times mask resolvers; }
}

/// Of maps whose values are single words.
const WORD: Record = Record {
    name: "u64",
    bytes: 8,
    fields: &[Field { name: "value", offset: 0, bytes: 8, keeper: Keeper::User, fields: &[] }],
};

pub const RECORDS: &[Record] = &[
    WORD,
    Up::RECORD,
    Down::RECORD,
    Six::RECORD,
    NatEntry::RECORD,
    FlowEntry::RECORD,
    RuleDefaults::RECORD,
    Rule::RECORD,
    Session::RECORD,
    PortEntry::RECORD,
    PortLink::RECORD,
    LinePage::RECORD,
    NatPorts::RECORD,
    SharedKey::RECORD,
    FragmentKey::RECORD,
    FragmentKey6::RECORD,
    ResolverKey::RECORD,
    FibLine::RECORD,
    FibPage::RECORD,
    NextHop::RECORD,
    NextHopGroup::RECORD,
    Settings::RECORD,
    DhcpProfile::RECORD,
    DeviceKey::RECORD,
    Category::RECORD,
];

/// What indices and places are worked out with: where one of these differs, nothing is where its name says.
pub const CONSTANTS: &[(&str, u64)] = &[
    ("LINE_BYTES", LINE_BYTES as u64),
    ("LINES_PER_UNIT", LINES_PER_UNIT as u64),
    ("UNITS_PER_CHUNK", UNITS_PER_CHUNK as u64),
    ("UNIT_INDICES_PER_CHUNK", UNIT_INDICES_PER_CHUNK as u64),
    ("UNIT_MAX", UNIT_MAX as u64),
    ("HOME_ORDER_MAX", HOME_ORDER_MAX as u64),
    ("HEADER_LINES", HEADER_LINES as u64),
    ("ENTRIES_PER_BUCKET", ENTRIES_PER_BUCKET as u64),
    ("MAPPING_HASH_OF_2", crate::mapping_hash(2) as u64),
    ("MAX_PORTS", MAX_PORTS as u64),
    ("SVIDS_PER_PORT", SVIDS_PER_PORT as u64),
    ("BURST_UNIT_Q6", Burst(1).q6()),
];

/// What the indices of counters are called.
pub const INDICES: &[(&str, &[&str])] = &[
    (map::DROPS, &DropReason::NAMES),
    (map::ENDS, &End::NAMES),
    (map::LOSSES, &["events", "punts"]),
    (map::DHCP_ANSWERS, &["offers", "acks"]),
    (map::DNS_COUNTS, &DNS_COUNTS),
];

/// The bits of categories, and `dns_count`.
const DNS_COUNTS: [&str; dns_count::COUNT as usize] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18",
    "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31", "32", "33", "34", "35",
    "36", "37", "38", "39", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49", "50", "51", "52",
    "53", "54", "55", "56", "57", "58", "59", "60", "61", "62", "63", "queries", "blocked", "refused",
];

const fn of(name: &'static str, carried: Carried) -> Map {
    Map { name, carried }
}

/// Every map that is pinned.
pub const MAPS: &[Map] = &[
    of(map::PORTS, Carried::Array { record: "PortEntry" }),
    of(map::PORT_LINKS, Carried::Array { record: "PortLink" }),
    of(map::SVID_PAGES, Carried::Array { record: "u64" }),
    of(map::LINES, Carried::Pages { record: "LinePage" }),
    of(map::SHARED, Carried::Entries { key: "SharedKey", grows: false }),
    of(map::HOMES, Carried::Homes),
    of(map::PAGES, Carried::Anew),
    of(map::SESSIONS, Carried::Array { record: "Session" }),
    of(map::NAT_PORTS, Carried::Pages { record: "NatPorts" }),
    of(map::FIB_ROOT, Carried::Array { record: "FibLine" }),
    of(map::FIB_PAGES, Carried::Array { record: "FibPage" }),
    of(map::FIB6_ROOT, Carried::Array { record: "FibLine" }),
    of(map::FIB6_PAGES, Carried::Array { record: "FibPage" }),
    of(map::NEXT_HOPS, Carried::Array { record: "NextHop" }),
    of(map::NEXT_HOP_GROUPS, Carried::Array { record: "NextHopGroup" }),
    of(map::REDIRECT, Carried::Entries { key: "", grows: false }),
    of(map::FRAGMENTS, Carried::Entries { key: "FragmentKey", grows: true }),
    of(map::FRAGMENTS6, Carried::Entries { key: "FragmentKey6", grows: true }),
    of(map::GARDEN, Carried::Entries { key: "", grows: false }),
    of(map::RESOLVERS, Carried::Entries { key: "ResolverKey", grows: false }),
    of(map::DROPS, Carried::Counters),
    of(map::ENDS, Carried::Counters),
    of(map::PUNTS, Carried::Anew),
    of(map::EVENTS, Carried::Anew),
    of(map::LOSSES, Carried::Counters),
    of(map::SETTINGS, Carried::Array { record: "Settings" }),
    of(map::DHCP_PROFILES, Carried::Array { record: "DhcpProfile" }),
    of(map::DHCP_ANSWERS, Carried::Counters),
    of(map::VOICE, Carried::Entries { key: "", grows: false }),
    of(map::NAT_EXEMPT, Carried::Entries { key: "", grows: false }),
    of(map::LISTED_NAMES, Carried::Entries { key: "", grows: false }),
    of(map::ENCRYPTED_RESOLVERS, Carried::Entries { key: "", grows: false }),
    of(map::BLOCKED, Carried::Entries { key: "DeviceKey", grows: false }),
    of(map::CATEGORIES, Carried::Array { record: "Category" }),
    of(map::DNS_COUNTS, Carried::Counters),
    of(map::PROGRAMS, Carried::Anew),
    of(map::LAYOUT, Carried::Anew),
];
