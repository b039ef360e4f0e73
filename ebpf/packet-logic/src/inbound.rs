//! Whom a packet from the core is for, and which flow it belongs to.

use map_abi::{DropReason, ENTRIES_PER_BLOCK, FibTarget, PortsRef, flags, mapping_device};

use crate::{
    Frame, Packet, Tables,
    core_side::{CameBy, PACKET_AT, Receiver},
    devices, fib, firewall,
    flows::{End, Ends, Print},
    fragment,
    home::Home,
    icmp::Quote,
    live::field,
    nat, one_to_one, overflow,
    parse::{ICMP, Ipv4, TCP, Transport, UDP, is_martian},
    reverse_path,
};

pub(crate) enum Found {
    /// Not for a subscriber.
    Kernel,
    Subscriber(Inbound),
}

/// A packet for a subscriber.
pub(crate) struct Inbound {
    pub(crate) receiver: Receiver,
    /// The first unit of the subscriber's home.
    pub(crate) unit: u32,
    pub(crate) translation: Translation,
    /// What the firewall knows the packet's flow by; 0: it need know none.
    pub(crate) print: u64,
}

/// What has to be put back in place of the public address. Not an enum with fields: the verifier wants every one of
/// them to have a value on every path.
#[derive(Clone, Copy)]
pub(crate) struct Translation {
    pub(crate) kind: Kind,
    /// The inside port, where `kind` has one.
    pub(crate) port: u16,
    /// Which of the home's devices it is for, where the packet does not say itself.
    pub(crate) device: u32,
    /// Whether the mapping is a port forward.
    pub(crate) is_forward: bool,
}

impl Translation {
    /// The inside address that a packet is for.
    #[inline(always)]
    pub(crate) fn inside(self, ip: &Ipv4<'_>, home: Home) -> u32 {
        if self.kind == Kind::Routed {
            return ip.destination;
        }
        devices::address(field!(home.down(), network).raw(), self.device)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A routed subscriber, or a sender exempt from NAT: nothing.
    Routed,
    /// The address and the port.
    Port,
    /// The address, and inside an ICMP error's quote the address and the port.
    Quote,
    /// The address alone: a later fragment.
    Address,
    /// The address, whatever the packet is.
    OneToOne,
}

impl Kind {
    /// Whether the packet says itself which ports its flow has.
    #[inline(always)]
    fn has_own_ports(self) -> bool {
        self == Self::Routed || self == Self::OneToOne
    }
}

/// `IN_OVERFLOW`: what a further port block leads to is the home that it is of; else it is the block itself, to which
/// nothing is active.
#[inline(always)]
pub(crate) fn find<P: Packet, T: Tables, const IN_OVERFLOW: bool>(
    packet: &P,
    tables: &T,
    came_by: &CameBy,
) -> Result<Found, DropReason> {
    let frame = packet.frame();
    let ip = Ipv4::parse(frame, PACKET_AT)?;
    let target = fib::lookup(tables, ip.destination)?;
    let now_ns = tables.recent_ns();
    if target.kind() == FibTarget::KIND_NAT || target.kind() == FibTarget::KIND_SESSION {
        check_source(tables, ip.source, came_by)?;
    }
    let (unit, home, translation) = match target.kind() {
        FibTarget::KIND_NAT => find_mapping(frame, tables, &ip, target.index(), now_ns)?,
        FibTarget::KIND_SESSION => {
            let home = Home::find(tables, target.index()).ok_or(DropReason::Inconsistent)?;
            let translation = Translation { kind: Kind::Routed, port: 0, device: 0, is_forward: false };
            (target.index(), home, translation)
        }
        FibTarget::KIND_BLACKHOLE => return Err(DropReason::Blackhole),
        _ => return Ok(Found::Kernel),
    };
    let (mut unit, mut home) = (unit, home);
    if IN_OVERFLOW && overflow::is_block(home) {
        unit = overflow::home_of(home);
        home = Home::find(tables, unit).ok_or(DropReason::Inconsistent)?;
    }
    let mut receiver = Receiver::new(home, came_by.port, now_ns);
    let mut translation = translation;
    if translation.kind == Kind::Routed && receiver.has(flags::ONE_TO_ONE | flags::NAT_EXEMPT) {
        translation.kind = one_to_one::kind(tables, &ip, &receiver)?;
    }
    if receiver.has(flags::DEVICES) {
        receiver = receiver.with_device(tables, unit, translation.inside(&ip, home));
    }
    let mut print = 0;
    if receiver.has(flags::FIREWALL) {
        if !ip.is_later_fragment() {
            let ends = ends(frame, &ip, home, translation)?;
            print = Print::of(tables, &ends).ok_or(DropReason::Inconsistent)?.0;
        } else if translation.kind.has_own_ports() {
            fragment::recall(tables, ip.header)?;
        }
    }
    Ok(Found::Subscriber(Inbound { receiver, unit, translation, print }))
}

#[inline(always)]
fn check_source<T: Tables>(tables: &T, source: u32, came_by: &CameBy) -> Result<(), DropReason> {
    if is_martian(source) {
        return Err(DropReason::Martian);
    }
    if came_by.flags == 0 {
        return Ok(());
    }
    let mut target = fib::lookup(tables, source)?;
    if target.kind() == FibTarget::KIND_DEFAULT {
        let settings = tables.settings().ok_or(DropReason::Inconsistent)?;
        target = field!(settings, default_route).get();
    }
    reverse_path::check(tables, target, came_by.flags, came_by.port)
}

/// The home that holds a port of a public address and its first unit, and what the port stands for.
#[inline(always)]
fn find_mapping<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    ip: &Ipv4<'_>,
    address_index: u32,
    now_ns: u64,
) -> Result<(u32, Home, Translation), DropReason> {
    let mut tcp_flags = 0;
    let (protocol, port, kind) = match ip.transport(frame)? {
        Transport::Tcp(tcp) => {
            tcp_flags = tcp.u8::<13>();
            (TCP, tcp.be16::<2>(), Kind::Port)
        }
        Transport::Udp(udp) => (UDP, udp.be16::<2>(), Kind::Port),
        Transport::EchoReply(icmp) => (ICMP, icmp.be16::<4>(), Kind::Port),
        Transport::IcmpError => {
            let quote = Quote::parse(frame, ip.payload_at, ip.payload_len)?;
            if quote.source != ip.destination {
                return Err(DropReason::IcmpErrorUnknown);
            }
            (quote.protocol, quote.source_port, Kind::Quote)
        }
        Transport::LaterFragment => {
            let whom = fragment::recall(tables, ip.header)?;
            let home = Home::find(tables, whom.unit()).ok_or(DropReason::Inconsistent)?;
            let device = whom.device();
            let translation = Translation { kind: Kind::Address, port: 0, device, is_forward: false };
            return Ok((whom.unit(), home, translation));
        }
        Transport::Echo(_) => return Err(DropReason::NatNoMapping),
        Transport::Other => return Err(DropReason::NatProtocol),
    };
    let unknown = if kind == Kind::Quote { DropReason::IcmpErrorUnknown } else { DropReason::NatNoMapping };
    // An address that nobody has a port of has no page.
    let ports = tables.nat_ports(address_index).ok_or(unknown)?;
    let group = u32::from(port) / ENTRIES_PER_BLOCK;
    let ports: PortsRef = field!(ports, groups[(group & 1023) as usize]).get();
    if ports.is_none() {
        return Err(unknown);
    }
    let home = Home::find(tables, ports.home()).ok_or(DropReason::Inconsistent)?;
    let (mapping, key) = nat::inbound(home, ports, port, protocol, now_ns).ok_or(unknown)?;
    if kind == Kind::Port && protocol == TCP {
        mapping.saw_inbound_tcp(tcp_flags);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the inside port is the key's lower half")]
    let (port, device) = (key as u16, mapping_device(key));
    let translation = Translation { kind, port, device, is_forward: nat::is_forward(mapping) };
    Ok((ports.home(), home, translation))
}

/// The ends of the flow that a packet belongs to: of an error, that of the packet that is quoted, which the subscriber sent.
#[inline(always)]
pub(crate) fn ends(
    frame: Frame<'_>,
    ip: &Ipv4<'_>,
    home: Home,
    translation: Translation,
) -> Result<Ends, DropReason> {
    let has_own_ports = translation.kind.has_own_ports();
    let inside = translation.inside(ip, home);
    let (inside_port, remote, mut remote_port, protocol);
    if ip.is_icmp_error(frame) {
        let quote = Quote::parse(frame, ip.payload_at, ip.payload_len)?;
        if quote.source != ip.destination {
            return Err(DropReason::IcmpErrorUnknown);
        }
        // One of the two is 0 if it was an echo.
        let id = if quote.protocol == ICMP { quote.destination_port } else { 0 };
        inside_port = (quote.source_port | id).to_be();
        (remote, remote_port, protocol) = (quote.destination, quote.destination_port.to_be(), quote.protocol);
    } else {
        (remote_port, inside_port) = ip.ports(frame)?;
        (remote, protocol) = (ip.source, ip.protocol);
    }
    let inside_port = if has_own_ports { inside_port } else { translation.port.to_be() };
    if protocol == ICMP {
        remote_port = inside_port;
    }
    remote_port &= firewall::port_mask(field!(home.down(), flags).get());
    Ok(Ends { inside: End::v4(inside, inside_port), remote: End::v4(remote, remote_port), protocol })
}
