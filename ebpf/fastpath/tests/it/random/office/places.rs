//! Where is what: ports and routes, the walled garden, voice platforms, resolvers and lists, and what they say of an
//! address.

use std::net::IpAddr;

use net_types::Prefix;

use crate::world::{ACCESS_MAC, CORE_MAC, GATEWAY_MAC};

/// A port of access: its name, its Ethernet address, its outer TPID, its MTU, whether marks are priorities there, and
/// whether priorities are marks.
pub(in crate::random) struct Access {
    pub(super) name: &'static str,
    pub(in crate::random) mac: [u8; 6],
    pub(in crate::random) outer_tpid: u16,
    pub(in crate::random) mtu: u16,
    pub(in crate::random) has_priorities: bool,
    pub(in crate::random) marks_by_priority: bool,
}

pub(in crate::random) const ACCESS: [Access; 2] = [
    Access {
        name: "access0",
        mac: ACCESS_MAC,
        outer_tpid: 0x88a8,
        mtu: 1500,
        has_priorities: false,
        marks_by_priority: false,
    },
    Access {
        name: "access1",
        mac: [2, 0xac, 0, 0, 0, 2],
        outer_tpid: 0x8100,
        mtu: 1492,
        has_priorities: true,
        marks_by_priority: true,
    },
];

/// What a core port asks of sources (RFC 3704).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::random) enum Check {
    Nothing,
    Loose,
    Strict,
}

/// A core port: its name, its Ethernet address, that of the router behind it, and both routers' addresses there.
pub(in crate::random) struct Core {
    pub(super) name: &'static str,
    pub(in crate::random) mac: [u8; 6],
    pub(in crate::random) router: [u8; 6],
    pub(super) address: &'static str,
    pub(super) gateways: [&'static str; 2],
    pub(in crate::random) check: Check,
}

pub(in crate::random) const MTU: u16 = 1500;
pub(in crate::random) const CORE: [Core; 3] = [
    Core {
        name: "core0",
        mac: CORE_MAC,
        router: GATEWAY_MAC,
        address: "192.0.2.2/30",
        gateways: ["192.0.2.1", "2001:db8:0:1::1"],
        check: Check::Nothing,
    },
    Core {
        name: "core1",
        mac: [2, 0xc0, 0, 0, 0, 2],
        router: [2, 0xfe, 0, 0, 0, 2],
        address: "192.0.3.2/30",
        gateways: ["192.0.3.1", "2001:db8:0:2::1"],
        check: Check::Strict,
    },
    Core {
        name: "core2",
        mac: [2, 0xc0, 0, 0, 0, 3],
        router: [2, 0xfe, 0, 0, 0, 3],
        address: "192.0.4.2/30",
        gateways: ["192.0.4.1", "2001:db8:0:3::1"],
        check: Check::Loose,
    },
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::random) enum Target {
    /// By the core port with this index.
    Core(usize),
    /// A pool of subscribers, where an address that nobody has leads nowhere.
    Pool,
    NatPool,
    /// The office's own address on a core port.
    Own,
}

pub(super) const ROUTES: [(&str, Target); 10] = [
    ("0.0.0.0/0", Target::Core(0)),
    ("8.8.8.0/24", Target::Core(1)),
    ("9.9.9.0/24", Target::Core(2)),
    ("100.64.0.0/16", Target::Pool),
    ("203.0.113.0/24", Target::Pool),
    ("198.51.100.0/24", Target::NatPool),
    ("::/0", Target::Core(0)),
    ("2620:fe::/48", Target::Core(1)),
    ("2606:4700:4700::/48", Target::Core(2)),
    ("2001:db8:100::/40", Target::Pool),
];
pub(super) const GARDEN: [&str; 2] = ["192.0.9.0/24", "2606:4700:9::/48"];
pub(super) const PLATFORMS: [&str; 2] = ["192.0.9.4/30", "2606:4700:5::/48"];
pub(in crate::random) const DSCP: u8 = 46;
pub(in crate::random) const PRIORITY: u8 = 5;
/// What each session is told to ask for names.
pub(in crate::random) const RESOLVERS: [&str; 2] = ["9.9.9.9", "8.8.8.8"];
pub(in crate::random) const RESOLVERS6: [&str; 1] = ["2620:fe::fe"];

/// A list of what is blocked.
pub(in crate::random) struct List {
    pub(in crate::random) name: &'static str,
    pub(in crate::random) domains: &'static [&'static str],
    pub(super) resolvers: &'static [&'static str],
}

pub(in crate::random) const LISTS: [List; 2] = [
    List { name: "games", domains: &["games.example", "play.test"], resolvers: &[] },
    List {
        name: "adult",
        domains: &["adult.example", "arcade.games.example"],
        resolvers: &["1.1.1.0/24", "2606:4700:4700::/64"],
    },
];

fn holds(prefix: &str, address: IpAddr) -> Option<u8> {
    match (prefix.parse::<Prefix>().expect("a prefix"), address) {
        (Prefix::V4(prefix), IpAddr::V4(address)) => prefix.contains(address).then_some(prefix.len()),
        (Prefix::V6(prefix), IpAddr::V6(address)) => prefix.contains(address).then_some(prefix.len()),
        _ => None,
    }
}

/// Whether an address is in a prefix.
pub(in crate::random) fn is_in(prefix: &str, address: IpAddr) -> bool {
    holds(prefix, address).is_some()
}

fn is_in_any(prefixes: &[&str], address: IpAddr) -> bool {
    prefixes.iter().any(|prefix| is_in(prefix, address))
}

/// Where the longest prefix that holds an address leads.
pub(in crate::random) fn route(address: IpAddr) -> Target {
    let is_own =
        |port: &Core| port.address.split('/').next().and_then(|own| own.parse().ok()) == Some(address);
    if CORE.iter().any(is_own) {
        return Target::Own;
    }
    let held = ROUTES.iter().filter_map(|(prefix, target)| Some((holds(prefix, address)?, *target)));
    held.max_by_key(|(len, _)| *len).expect("there is a default route").1
}

pub(in crate::random) fn is_in_garden(address: IpAddr) -> bool {
    is_in_any(&GARDEN, address)
}

pub(in crate::random) fn is_platform(address: IpAddr) -> bool {
    is_in_any(&PLATFORMS, address)
}

pub(in crate::random) fn is_encrypted_resolver(address: IpAddr) -> bool {
    LISTS.iter().any(|list| is_in_any(list.resolvers, address))
}

pub(in crate::random) fn is_resolver(address: IpAddr) -> bool {
    RESOLVERS.iter().chain(&RESOLVERS6).any(|resolver| resolver.parse() == Ok(address))
}

/// Whether an address is one that nothing comes from or goes to across a router (RFC 6890).
pub(in crate::random) fn is_martian(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.octets()[0] == 0 || v4.is_loopback() || v4.is_link_local() || v4.octets()[0] >= 224
        }
        IpAddr::V6(v6) => {
            v6.octets()[0] == 0
                || v6.is_multicast()
                || v6.is_unicast_link_local()
                || is_in("fec0::/10", address)
        }
    }
}
