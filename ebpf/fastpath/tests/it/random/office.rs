//! An office with every kind of line.

use fastpath::Fastpath;
use net_types::Mac;
use node_state::{NodeState, Resource};

use crate::{
    frames::Address,
    six,
    world::{GATEWAY_MAC, World},
};

/// A line, and what may come and go by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    /// The outermost first.
    pub(super) tags: &'static [u16],
    pub(super) mac: [u8; 6],
    /// Whether anything may pass at all.
    pub(super) is_active: bool,
    /// Whether the office knows its Ethernet address.
    pub(super) has_mac: bool,
    /// An address of its network, and the prefix's length.
    pub(super) network: (Address, u8),
    pub(super) gateway: Address,
    /// Public address, first port and number of ports.
    pub(super) nat: Option<(Address, u16, u16)>,
    /// The link's /64 and the delegated /56.
    pub(super) six: Option<(&'static str, &'static str)>,
    pub(super) has_firewall: bool,
    pub(super) rate: Rates,
}

/// Rates whose state does not depend on how fast the campaign runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rates {
    Unlimited,
    /// Two rates that are never reached.
    Green,
    /// The committed rate is used up for good.
    Yellow,
    /// The peak rate is.
    Red,
}

const PLAIN: Line = Line {
    name: "",
    tags: &[],
    mac: [2, 0xa0, 0, 0, 0, 1],
    is_active: true,
    has_mac: true,
    network: ([0; 4], 32),
    gateway: [100, 64, 0, 1],
    nat: None,
    six: None,
    has_firewall: false,
    rate: Rates::Unlimited,
};
const PUBLIC: Address = [198, 51, 100, 1];

pub(super) const LINES: [Line; 9] = [
    Line {
        name: "nat",
        tags: &[100, 7],
        network: ([100, 64, 0, 2], 32),
        nat: Some((PUBLIC, 1024, 64)),
        six: Some(("2001:db8:100:a::", "2001:db8:1aa:ff00::")),
        ..PLAIN
    },
    Line {
        name: "routed",
        tags: &[101, 9],
        mac: [2, 0xa0, 0, 0, 0, 2],
        network: ([203, 0, 113, 10], 29),
        gateway: [203, 0, 113, 9],
        six: Some(("2001:db8:100:b::", "2001:db8:1aa:fe00::")),
        has_firewall: true,
        ..PLAIN
    },
    Line {
        name: "single-tag",
        tags: &[50],
        mac: [2, 0xa0, 0, 0, 0, 3],
        network: ([100, 64, 0, 3], 32),
        nat: Some((PUBLIC, 1152, 128)),
        six: Some(("2001:db8:100:c::", "2001:db8:1aa:fd00::")),
        has_firewall: true,
        rate: Rates::Green,
        ..PLAIN
    },
    Line {
        name: "untagged",
        mac: [2, 0xa0, 0, 0, 0, 4],
        network: ([203, 0, 113, 18], 30),
        gateway: [203, 0, 113, 17],
        ..PLAIN
    },
    Line {
        name: "suspended",
        tags: &[102, 1],
        mac: [2, 0xa0, 0, 0, 0, 5],
        is_active: false,
        network: ([100, 64, 0, 5], 32),
        nat: Some((PUBLIC, 1280, 64)),
        six: Some(("2001:db8:100:e::", "2001:db8:1aa:fb00::")),
        ..PLAIN
    },
    Line {
        name: "used-up",
        tags: &[102, 2],
        mac: [2, 0xa0, 0, 0, 0, 6],
        network: ([100, 64, 0, 6], 32),
        nat: Some((PUBLIC, 1344, 64)),
        six: Some(("2001:db8:100:f::", "2001:db8:1aa:fa00::")),
        rate: Rates::Red,
        ..PLAIN
    },
    Line {
        name: "marked",
        tags: &[102, 3],
        mac: [2, 0xa0, 0, 0, 0, 7],
        network: ([203, 0, 113, 34], 28),
        gateway: [203, 0, 113, 33],
        six: Some(("2001:db8:100:10::", "2001:db8:1aa:f900::")),
        rate: Rates::Yellow,
        ..PLAIN
    },
    Line {
        name: "unheard",
        tags: &[102, 4],
        mac: [2, 0xa0, 0, 0, 0, 8],
        has_mac: false,
        network: ([203, 0, 113, 50], 30),
        gateway: [203, 0, 113, 49],
        ..PLAIN
    },
    Line {
        name: "neighbour",
        tags: &[100, 8],
        mac: [2, 0xa0, 0, 0, 0, 9],
        network: ([100, 64, 0, 9], 32),
        nat: Some((PUBLIC, 2048, 64)),
        ..PLAIN
    },
];

const RESOURCES: [&str; 8] = [
    r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#,
    r#"{"kind":"port","name":"core0","role":"core","mtu":1500,"addresses":["192.0.2.2/30"]}"#,
    r#"{"kind":"route","prefix":"0.0.0.0/0","target":{"via":{"gateway":"192.0.2.1","port":"core0"}}}"#,
    r#"{"kind":"route","prefix":"100.64.0.0/16","target":"pool"}"#,
    r#"{"kind":"route","prefix":"203.0.113.0/24","target":"pool"}"#,
    r#"{"kind":"route","prefix":"198.51.100.0/24","target":"natPool"}"#,
    r#"{"kind":"route6","prefix":"::/0","target":{"via":{"gateway":"2001:db8:0:1::1","port":"core0"}}}"#,
    r#"{"kind":"route6","prefix":"2001:db8:100::/40","target":"pool"}"#,
];

impl Line {
    /// A value of the network's prefix.
    pub(super) fn prefix(&self) -> u32 {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.network.1)).unwrap_or(0);
        u32::from_be_bytes(self.network.0) & mask
    }

    /// Whether an address is of the line's network.
    pub(super) fn holds(&self, address: Address) -> bool {
        let mask = u32::MAX.checked_shl(32 - u32::from(self.network.1)).unwrap_or(0);
        u32::from_be_bytes(address) & mask == self.prefix()
    }

    /// Whether an address on the Internet is the line's.
    pub(super) fn is_reached_by(&self, address: Address) -> bool {
        self.nat.map_or_else(|| self.holds(address), |(public, ..)| public == address)
    }

    pub(super) fn holds6(&self, address: [u8; 16]) -> bool {
        self.six.is_some_and(|(link, delegated)| {
            address[..8] == six::address(link)[..8] || address[..7] == six::address(delegated)[..7]
        })
    }

    /// An Ethernet header and the tags of a frame from the line, with the EtherType of the outer tag.
    pub(super) fn header(&self, outer: u16, ethertype: u16) -> Vec<u8> {
        let mut frame = [crate::world::ACCESS_MAC, self.mac].concat();
        for (n, tag) in self.tags.iter().enumerate() {
            frame.extend(if n == 0 { outer } else { 0x8100 }.to_be_bytes());
            frame.extend(tag.to_be_bytes());
        }
        frame.extend(ethertype.to_be_bytes());
        frame
    }

    fn resource(&self) -> Resource {
        let tags = match self.tags {
            [] => "{}".to_owned(),
            [c] => format!(r#"{{"cVid":{c}}}"#),
            more => format!(r#"{{"sVid":{},"cVid":{}}}"#, more[0], more[1]),
        };
        let state = if self.is_active { "active" } else { "suspended" };
        let mac = if self.has_mac {
            format!(r#""{}""#, Mac::new(self.mac).expect("unicast"))
        } else {
            "null".to_owned()
        };
        let ip = |address: Address| std::net::Ipv4Addr::from(address);
        let nat = self.nat.map_or("null".to_owned(), |(address, first, ports)| {
            format!(r#"{{"address":"{}","firstPort":{first},"ports":{ports}}}"#, ip(address))
        });
        let rates = if self.rate == Rates::Unlimited {
            r#""rateUp":null,"rateDown":null"#.to_owned()
        } else {
            let limit = r#"{"rate":"100G","burstUs":4000000}"#;
            format!(r#""rateUp":{limit},"rateDown":{limit},"committedUp":{limit},"committedDown":{limit}"#)
        };
        let six = self.six.map_or(String::new(), |(link, delegated)| {
            format!(
                r#","ipv6":{{"link":"{link}/64","address":null,"delegated":"{delegated}/56","autonomous":true,"dnsServers":[],"preferredSeconds":1800,"validSeconds":3600}}"#
            )
        });
        let firewall = if self.has_firewall { r#","firewall":{"flows":64}"# } else { "" };
        let Self { name, network: (address, len), gateway, .. } = *self;
        let lease_len = if self.nat.is_some() { 16 } else { len };
        let text = format!(
            r#"{{"kind":"session","subscriber":"{name}","port":"access0","tags":{tags},"state":"{state}","mac":{mac},"lease":"{}/{lease_len}","gateway":"{}","network":"{}/{len}","dnsServers":[],"leaseSeconds":3600,"nat":{nat},{rates}{six}{firewall}}}"#,
            ip(address),
            ip(gateway),
            std::net::Ipv4Addr::from(self.prefix()),
        );
        Resource::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }
}

/// The office with all of them, in the kernel.
pub(super) fn open(world: &World) -> Fastpath {
    let resources = RESOURCES.iter().map(|text| Resource::decode(text.as_bytes()).expect("a resource"));
    let state: NodeState = resources.chain(LINES.iter().map(Line::resource)).collect();
    let mut fastpath = world.office(&state);
    let gateway = std::net::Ipv6Addr::from(six::address("2001:db8:0:1::1"));
    let mac = Mac::new(GATEWAY_MAC).expect("unicast");
    fastpath.set_next_hop(gateway.into(), &"core0".parse().expect("a name"), Some(mac)).expect("a port");
    fastpath
}

/// An address of every line of the forwarding table that a route leads to.
pub(super) fn destinations() -> Vec<Address> {
    let pool = (0..16).map(|n| [100, 64, n << 4, 0]);
    pool.chain([[203, 0, 113, 0], [198, 51, 100, 0], [192, 0, 2, 0]]).collect()
}
