//! An office with every kind of line, and every kind of port.

mod lines;
mod places;
mod session;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use fastpath::{Extension, Fastpath, Options, Sizes};
use net_types::Mac;
use node_state::{NodeState, Resource};

pub(super) use self::{
    lines::LINES,
    places::{
        ACCESS, CORE, Check, DSCP, LISTS, MTU, PRIORITY, RESOLVERS, RESOLVERS6, Target,
        is_encrypted_resolver, is_exempt, is_in, is_in_garden, is_martian, is_platform, is_resolver, route,
    },
};
use self::{
    places::{Access, Core, EXEMPT, GARDEN, PLATFORMS, ROUTES},
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
    /// The public address that stands for the one of `network` with all its ports.
    pub(super) one_to_one: Option<Address>,
    /// Whether destinations of the operator's own see it by its inside address.
    pub(super) is_exempt: bool,
    /// The first port of a further block as large as that of `nat`, in which alone there is much room.
    pub(super) lent: Option<u16>,
    /// Networks besides `network`.
    pub(super) more: &'static [&'static str],
    /// The link's /64 and the delegated /56.
    pub(super) six: Option<(&'static str, &'static str)>,
    pub(super) wall: Wall,
    pub(super) rules: &'static [Rule],
    pub(super) rate: Rates,
    /// The rate of voice, where that is a class of its own.
    pub(super) voice: Option<Rates>,
    /// With parental control, the lists that are blocked for the device.
    pub(super) control: Option<&'static [&'static str]>,
    /// The home that this is one device of.
    pub(super) bridged: Option<Bridged>,
}

/// A home with several devices, each of which is a line here: they differ in name, `mac`, `network` and `control` alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bridged {
    /// The session's name.
    pub(super) name: &'static str,
    /// An address of its network, and the prefix's length.
    pub(super) network: (Address, u8),
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

    /// The name of its session.
    pub(super) fn session(&self) -> &'static str {
        self.bridged.map_or(self.name, |home| home.name)
    }

    /// The network of its session.
    pub(super) fn home(&self) -> (Address, u8) {
        self.bridged.map_or(self.network, |home| home.network)
    }

    /// Whether no line before it has the same session.
    pub(super) fn is_first(&self) -> bool {
        LINES.iter().find(|line| line.session() == self.session()).is_some_and(|line| line.name == self.name)
    }

    /// The public address that stands for its own.
    pub(super) fn public(&self) -> Option<Address> {
        self.nat.map(|(public, ..)| public).or(self.one_to_one)
    }

    /// The first ports of its blocks, and how many ports each has.
    pub(super) fn blocks(&self) -> Vec<(u16, u16)> {
        let lent = |(_, _, ports)| self.lent.map(|first| (first, ports));
        self.nat.map(|(_, first, ports)| (first, ports)).into_iter().chain(self.nat.and_then(lent)).collect()
    }

    /// Whether its addresses stay as they are for somebody.
    pub(super) fn is_exempt_for(&self, remote: IpAddr) -> bool {
        self.is_exempt && is_exempt(remote)
    }

    /// Whether an address is of the line's network.
    pub(super) fn holds(&self, address: Address) -> bool {
        is_of(self.network, address)
    }

    /// Whether an address on the Internet is the line's.
    pub(super) fn is_reached_by(&self, address: Address) -> bool {
        let is_own = self.owns(ip4(address));
        self.public().map_or(is_own, |public| public == address || self.is_exempt && is_own)
    }

    pub(super) fn holds6(&self, address: [u8; 16]) -> bool {
        self.six.is_some_and(|(link, delegated)| {
            address[..8] == six::address(link)[..8] || address[..7] == six::address(delegated)[..7]
        })
    }

    /// Whether an address is one that the line may send from.
    pub(super) fn owns(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => self.holds(v4.octets()) || self.is_of_another_network(address),
            IpAddr::V6(address) => self.holds6(address.octets()),
        }
    }

    /// Whether an address is of one of the networks besides the first.
    pub(super) fn is_of_another_network(&self, address: IpAddr) -> bool {
        self.more.iter().any(|network| is_in(network, address))
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
    let exempt = format!(r#"{{"kind":"natExempt","destinations":{}}}"#, quoted(&EXEMPT));
    let texts = access.chain(core).chain(routes).chain(lists).chain([garden, voice, exempt]);
    texts
        .map(|text| decoded(&text))
        .chain(LINES.iter().filter(|line| line.is_first()).map(Line::resource))
        .collect()
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
    for line in LINES.iter().filter(|line| line.is_first()) {
        let name = line.session().parse().expect("a name");
        let of_home = || LINES.iter().filter(|other| other.session() == line.session());
        if line.lent.is_some() {
            let index = fastpath.index_of(&name).expect("a session");
            let given = fastpath.extend_nat(index).expect("extends");
            assert!(matches!(given, Some((_, Extension::Given(_)))), "{given:?}");
        }
        if line.control.is_some() {
            let blocked = of_home().filter_map(Line::blocked).flatten().collect();
            fastpath.set_blocked(&name, &blocked).expect("a session");
        }
        if line.bridged.is_some() {
            let devices: Vec<_> = of_home().map(Line::device).collect();
            fastpath.set_devices(&name, &devices).expect("a session");
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

/// The first address of a network.
pub(super) fn prefix((address, len): (Address, u8)) -> Address {
    let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
    (u32::from_be_bytes(address) & mask).to_be_bytes()
}

/// Whether an address is of a network.
pub(super) fn is_of(network: (Address, u8), address: Address) -> bool {
    prefix((address, network.1)) == prefix(network)
}

/// An address of either family.
pub(super) fn ip4(address: Address) -> IpAddr {
    Ipv4Addr::from(address).into()
}

/// As `ip4`.
pub(super) fn ip6(address: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(address).into()
}
