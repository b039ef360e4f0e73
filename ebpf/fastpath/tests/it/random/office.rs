//! An office with every kind of line, and every kind of port.

mod lines;
mod places;
mod session;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use fastpath::{Fastpath, Options, Sizes};
use net_types::Mac;
use node_state::{NodeState, Resource};

pub(super) use self::{
    lines::LINES,
    places::{
        ACCESS, CORE, Check, DSCP, LISTS, MTU, PRIORITY, RESOLVERS, RESOLVERS6, Target,
        is_encrypted_resolver, is_in, is_in_garden, is_martian, is_platform, is_resolver, route,
    },
};
use self::{
    places::{Access, Core, GARDEN, PLATFORMS, ROUTES},
    session::{decoded, quoted},
};
use crate::{
    frames::Address,
    six,
    world::{World, ifindex, run},
};

/// A line, and what may come and go by it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    /// Which of the access ports it is behind.
    pub(super) port: usize,
    /// The outermost first. Several lines of a port with the same are told apart by `mac`.
    pub(super) tags: &'static [u16],
    pub(super) mac: [u8; 6],
    pub(super) state: State,
    /// Whether the office knows its Ethernet address.
    pub(super) has_mac: bool,
    /// An address of its network, and the prefix's length.
    pub(super) network: (Address, u8),
    pub(super) gateway: Address,
    /// Public address, first port and number of ports.
    pub(super) nat: Option<(Address, u16, u16)>,
    pub(super) forwards: &'static [Forward],
    /// The link's /64 and the delegated /56.
    pub(super) six: Option<(&'static str, &'static str)>,
    pub(super) wall: Wall,
    pub(super) rules: &'static [Rule],
    pub(super) rate: Rates,
    /// The rate of voice, where that is a class of its own.
    pub(super) voice: Option<Rates>,
    /// With parental control, the lists that are blocked for the device.
    pub(super) control: Option<&'static [&'static str]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Active,
    /// Only the walled garden can be reached, for the reason that the session's state is.
    Garden(&'static str),
    Quarantined,
}

/// What the firewall stands before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wall {
    None,
    /// IPv6.
    Six,
    Both,
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

#[derive(Clone, Copy, Debug)]
pub(super) struct Forward {
    pub(super) protocol: u8,
    pub(super) port: u16,
    pub(super) to: u16,
}

/// A rule of a firewall.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) is_out: bool,
    pub(super) allows: bool,
    pub(super) protocol: Option<u8>,
    pub(super) source: Option<&'static str>,
    pub(super) destination: Option<&'static str>,
    pub(super) source_ports: Option<(u16, u16)>,
    pub(super) destination_ports: Option<(u16, u16)>,
}

impl Line {
    pub(super) fn is_active(&self) -> bool {
        self.state == State::Active
    }

    pub(super) fn is_in_garden(&self) -> bool {
        matches!(self.state, State::Garden(_))
    }

    /// Whether others have the same tags on the same port.
    pub(super) fn is_shared(&self) -> bool {
        LINES.iter().filter(|line| (line.port, line.tags) == (self.port, self.tags)).count() > 1
    }

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

    /// Whether an address is one that the line may send from.
    pub(super) fn owns(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(address) => self.holds(address.octets()),
            IpAddr::V6(address) => self.holds6(address.octets()),
        }
    }

    /// Whether what comes in of that family has to be an answer.
    pub(super) fn has_wall(&self, is_v6: bool) -> bool {
        self.wall == Wall::Both || is_v6 && self.wall == Wall::Six
    }

    /// An Ethernet header and the tags of a frame from the line, with the EtherType of the outer tag.
    pub(super) fn header(&self, outer: u16, ethertype: u16) -> Vec<u8> {
        let mut frame = [ACCESS[self.port].mac, self.mac].concat();
        for (n, tag) in self.tags.iter().enumerate() {
            frame.extend(if n == 0 { outer } else { 0x8100 }.to_be_bytes());
            frame.extend(tag.to_be_bytes());
        }
        frame.extend(ethertype.to_be_bytes());
        frame
    }
}

fn resources() -> Vec<Resource> {
    let access = ACCESS.iter().map(|port| {
        format!(
            r#"{{"kind":"port","name":"{}","role":{{"access":{{"outerTpid":"{:#06x}","priorityFromDscp":{},"dscpFromPriority":{}}}}},"mtu":{},"addresses":[]}}"#,
            port.name, port.outer_tpid, port.has_priorities, port.marks_by_priority, port.mtu
        )
    });
    let core = CORE.iter().map(|port| {
        let check = match port.check {
            Check::Nothing => "off",
            Check::Loose => "loose",
            Check::Strict => "strict",
        };
        format!(
            r#"{{"kind":"port","name":"{}","role":"core","mtu":{MTU},"addresses":["{}"],"reversePath":"{check}"}}"#,
            port.name, port.address
        )
    });
    let routes = ROUTES.iter().map(|(prefix, target)| {
        let is_v6 = prefix.contains(':');
        let target = match target {
            Target::Core(port) => {
                let Core { name, gateways, .. } = CORE[*port];
                format!(r#"{{"via":{{"gateway":"{}","port":"{name}"}}}}"#, gateways[usize::from(is_v6)])
            }
            Target::Pool => r#""pool""#.to_owned(),
            Target::NatPool => r#""natPool""#.to_owned(),
            Target::Own => unreachable!("no route leads there"),
        };
        let kind = if is_v6 { "route6" } else { "route" };
        format!(r#"{{"kind":"{kind}","prefix":"{prefix}","target":{target}}}"#)
    });
    let lists = LISTS.iter().map(|list| {
        let (domains, resolvers) = (quoted(list.domains), quoted(list.resolvers));
        format!(
            r#"{{"kind":"blockList","name":"{}","domains":{domains},"resolvers":{resolvers}}}"#,
            list.name
        )
    });
    let garden = format!(r#"{{"kind":"garden","portal":"http://192.0.9.9/","allowed":{}}}"#, quoted(&GARDEN));
    let voice = format!(
        r#"{{"kind":"voice","platforms":{},"dscp":{DSCP},"priority":{PRIORITY}}}"#,
        quoted(&PLATFORMS)
    );
    let texts = access.chain(core).chain(routes).chain(lists).chain([garden, voice]);
    texts.map(|text| decoded(&text)).chain(LINES.iter().map(Line::resource)).collect()
}

/// The ports that the world does not have, each one end of a veth.
fn make_ports(world: &World) {
    let access = ACCESS[1..].iter().map(|port| (port.name, port.mac));
    for (name, mac) in access.chain(CORE[1..].iter().map(|port| (port.name, port.mac))) {
        let mac = Mac::new(mac).expect("unicast");
        run(&format!("ip link add {name} address {mac} mtu 1508 type veth peer name {name}p mtu 1508"));
        run(&format!("ip link set {name} up"));
        run(&format!("ip link set {name}p up"));
    }
    assert_eq!(interfaces().0[0], world.access);
}

/// The interfaces of the access ports and of the core ports.
pub(super) fn interfaces() -> ([u32; ACCESS.len()], [u32; CORE.len()]) {
    (ACCESS.map(|Access { name, .. }| ifindex(name)), CORE.map(|Core { name, .. }| ifindex(name)))
}

/// The office with all of them, in the kernel.
pub(super) fn open(world: &World) -> Fastpath {
    make_ports(world);
    let options = world.options();
    let sizes = Sizes { home_units: 310, line_pages: 32, ..options.sizes };
    let mut fastpath =
        Fastpath::open(&Options { sizes, ..options }).unwrap_or_else(|error| panic!("{error}"));
    let state: NodeState = resources().into_iter().collect();
    crate::world::settle(&mut fastpath, &state);
    for port in &CORE {
        let mac = Mac::new(port.router).expect("unicast");
        let name = port.name.parse().expect("a name");
        for gateway in port.gateways {
            let gateway: IpAddr = gateway.parse().expect("an address");
            fastpath.set_next_hop(gateway, &name, Some(mac)).expect("a port");
        }
    }
    for line in &LINES {
        if let Some(blocked) = line.blocked() {
            fastpath.set_blocked(&line.name.parse().expect("a name"), &blocked).expect("a session");
        }
    }
    fastpath
}

/// An address of every line of the forwarding table that a route leads to.
pub(super) fn destinations() -> Vec<Address> {
    let pool = (0..16).map(|n| [100, 64, n << 4, 0]);
    let others = [[203, 0, 113, 0], [198, 51, 100, 0], [192, 0, 2, 0], [8, 8, 8, 0], [9, 9, 9, 0]];
    pool.chain(others).collect()
}

/// An address of either family.
pub(super) fn ip4(address: Address) -> IpAddr {
    Ipv4Addr::from(address).into()
}

/// As `ip4`.
pub(super) fn ip6(address: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(address).into()
}
