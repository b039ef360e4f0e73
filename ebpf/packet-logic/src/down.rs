//! From the core towards a subscriber.

use map_abi::{DropReason, ENTRIES_PER_BLOCK, FibTarget, PortsRef, PuntReason, flags};

use crate::{
    Frame, Packet, Tables, Verdict,
    checksum::Delta,
    core_side::{CameBy, Line, PACKET_AT, Receiver, came_by},
    fib, fragment,
    home::Home,
    icmp::{Quote, Side},
    live::{field, part},
    mss, nat,
    parse::{ETHERTYPE_IPV4, ICMP, Ipv4, TCP, Transport, UDP, is_martian},
    parse6::ETHERTYPE_IPV6,
    policer::{self, Colour},
    reverse_path,
    verdict::{Stop, too_big},
};

/// Deals with a frame that came in by a core port, or that another subscriber's way up handed on.
#[inline(always)]
pub fn down<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, false>(packet, tables)
}

/// Deals with a frame to a session that is not active.
#[inline(always)]
pub fn garden_down<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, true>(packet, tables)
}

/// `IN_GARDEN`: what comes is let in from the walled garden only, else that to active sessions from anywhere.
#[inline(always)]
fn enter<P: Packet, T: Tables, const IN_GARDEN: bool>(packet: &mut P, tables: &T) -> Verdict {
    match came_by(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(CameBy { ethertype: ETHERTYPE_IPV6, .. }) => Verdict::Core6,
        Ok(came_by @ CameBy { ethertype: ETHERTYPE_IPV4, .. }) => {
            receive::<P, T, IN_GARDEN>(packet, tables, &came_by)
        }
        Ok(_) => Verdict::Pass,
    }
    .counted(tables)
}

#[inline(always)]
fn receive<P: Packet, T: Tables, const IN_GARDEN: bool>(
    packet: &mut P,
    tables: &T,
    came_by: &CameBy,
) -> Verdict {
    match find(packet, tables, came_by) {
        Err(reason) => Verdict::Drop(reason),
        Ok(Found::Kernel) => Verdict::Pass,
        Ok(Found::Subscriber(inbound)) => deliver::<P, T, IN_GARDEN>(packet, tables, &inbound)
            .unwrap_or_else(|stop| inbound.receiver.stop(packet, tables, stop)),
    }
}

enum Found {
    /// Not for a subscriber.
    Kernel,
    Subscriber(Inbound),
}

/// A packet for a subscriber.
struct Inbound {
    receiver: Receiver,
    translation: Translation,
}

/// What has to be put back in place of the public address. Not an enum with fields: the verifier wants every one of
/// them to have a value on every path.
#[derive(Clone, Copy)]
struct Translation {
    kind: Kind,
    /// The inside port, where `kind` has one.
    port: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A routed subscriber: nothing.
    Routed,
    /// The address and the port.
    Port,
    /// The address, and inside an ICMP error's quote the address and the port.
    Quote,
    /// The address alone: a later fragment.
    Address,
}

#[inline(always)]
fn find<P: Packet, T: Tables>(packet: &P, tables: &T, came_by: &CameBy) -> Result<Found, DropReason> {
    let frame = packet.frame();
    let ip = Ipv4::parse(frame, PACKET_AT)?;
    let target = fib::lookup(tables, ip.destination)?;
    let now_ns = tables.recent_ns();
    if target.kind() == FibTarget::KIND_NAT || target.kind() == FibTarget::KIND_SESSION {
        check_source(tables, ip.source, came_by)?;
    }
    let (home, translation) = match target.kind() {
        FibTarget::KIND_NAT => find_mapping(frame, tables, &ip, target.index(), now_ns)?,
        FibTarget::KIND_SESSION => {
            (home_of(tables, target.index())?, Translation { kind: Kind::Routed, port: 0 })
        }
        FibTarget::KIND_BLACKHOLE => return Err(DropReason::Blackhole),
        _ => return Ok(Found::Kernel),
    };
    Ok(Found::Subscriber(Inbound { receiver: Receiver::new(home, came_by.port, now_ns), translation }))
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

#[inline(always)]
fn home_of<T: Tables>(tables: &T, unit: u32) -> Result<Home, DropReason> {
    Home::find(tables, unit).ok_or(DropReason::Inconsistent)
}

/// The home that holds a port of a public address, and what the port stands for.
#[inline(always)]
fn find_mapping<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    ip: &Ipv4<'_>,
    address_index: u32,
    now_ns: u64,
) -> Result<(Home, Translation), DropReason> {
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
            let home = home_of(tables, fragment::recall(tables, ip.header)?)?;
            return Ok((home, Translation { kind: Kind::Address, port: 0 }));
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
    let home = home_of(tables, ports.home())?;
    let (mapping, inside_port) = nat::inbound(home, ports, port, protocol, now_ns).ok_or(unknown)?;
    if ip.is_first_fragment() {
        fragment::remember(tables, ip.header, ports.home());
    }
    if kind == Kind::Port && protocol == TCP {
        mapping.saw_inbound_tcp(tcp_flags);
    }
    Ok((home, Translation { kind, port: inside_port }))
}

#[inline(always)]
fn deliver<P: Packet, T: Tables, const IN_GARDEN: bool>(
    packet: &mut P,
    tables: &T,
    inbound: &Inbound,
) -> Result<Verdict, Stop> {
    if !IN_GARDEN && !inbound.receiver.has(flags::ACTIVE) {
        return Ok(Verdict::GardenCore);
    }
    let line = inbound.receiver.line(tables)?;
    let colour = judge::<P, T, IN_GARDEN>(packet, tables, inbound, &line)?;
    Ok(line.send(packet, &inbound.receiver, colour, ETHERTYPE_IPV4)?)
}

#[inline(always)]
fn judge<P: Packet, T: Tables, const IN_GARDEN: bool>(
    packet: &P,
    tables: &T,
    inbound: &Inbound,
    line: &Line,
) -> Result<Colour, Stop> {
    let receiver = &inbound.receiver;
    receiver.check()?;
    let down = receiver.home.down();
    let frame = packet.frame();
    // As the subscriber's link carries it, tags included; so a rate means the same both ways.
    let len = (frame.len() + line.tags_len) as u64;
    let ip = Ipv4::known(frame, PACKET_AT).ok_or(DropReason::Truncated)?;
    if IN_GARDEN {
        receiver.admit(frame, tables, &ip)?;
    }
    let colour = policer::colour(tables, field!(down, limits), part!(down, meter), len, receiver.now_ns);
    let colour = colour.ok_or(DropReason::RateDown)?;
    if ip.ttl() <= 1 {
        return Err(Stop::tell(DropReason::TtlExpired, PuntReason::TtlExpired));
    }
    if ip.total_len > line.mtu {
        return Err(too_big(&ip));
    }
    if ip.protocol == TCP && ip.is_whole() {
        mss::clamp(frame, ip.payload_at, line.mtu.saturating_sub(mss::HEADERS4));
    }
    let delta = translate(frame, &ip, receiver, inbound.translation)?;
    ip.update_checksum(delta.and(ip.decrement_ttl()));
    field!(down, meter.packets).add(1);
    field!(down, meter.bytes).add(len);
    Ok(colour)
}

/// Puts the subscriber's address and port back; returns what that does to the header's checksum.
#[inline(always)]
fn translate(
    frame: Frame<'_>,
    ip: &Ipv4<'_>,
    receiver: &Receiver,
    translation: Translation,
) -> Result<Delta, DropReason> {
    let Translation { kind, port } = translation;
    if kind == Kind::Routed {
        return Ok(Delta::NONE);
    }
    let inside = field!(receiver.home.down(), network).raw();
    let delta = Delta::long(ip.destination, inside);
    ip.header.set_raw32::<16>(inside);
    if kind == Kind::Quote {
        let quote = Quote::parse(frame, ip.payload_at, ip.payload_len)?;
        let icmp = frame.window::<8>(ip.payload_at).ok_or(DropReason::Truncated)?;
        quote.translate(icmp, Side::Source, inside, port);
    } else if kind == Kind::Port {
        let new = port.to_be();
        if ip.protocol == TCP {
            let tcp = frame.window::<20>(ip.payload_at).ok_or(DropReason::Truncated)?;
            let port_delta = Delta::word(tcp.raw16::<2>(), new);
            tcp.set_raw16::<2>(new);
            tcp.set_raw16::<16>(delta.and(port_delta).apply(tcp.raw16::<16>()));
        } else if ip.protocol == UDP {
            let udp = frame.window::<8>(ip.payload_at).ok_or(DropReason::Truncated)?;
            let port_delta = Delta::word(udp.raw16::<2>(), new);
            udp.set_raw16::<2>(new);
            udp.set_raw16::<6>(delta.and(port_delta).apply_udp(udp.raw16::<6>()));
        } else {
            let icmp = frame.window::<8>(ip.payload_at).ok_or(DropReason::Truncated)?;
            let port_delta = Delta::word(icmp.raw16::<4>(), new);
            icmp.set_raw16::<4>(new);
            icmp.set_raw16::<2>(port_delta.apply(icmp.raw16::<2>()));
        }
    }
    Ok(delta)
}
