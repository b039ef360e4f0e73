//! From the core towards a subscriber.

use map_abi::{Course, DropReason, PuntReason, Remembered, flags};

use crate::{
    Frame, Packet, Tables, Verdict,
    checksum::Delta,
    core_side::{CameBy, Line, PACKET_AT, Receiver, came_by},
    firewall, flows, fragment,
    icmp::{Quote, Side},
    inbound::{Found, Inbound, Kind, Translation, find},
    live::{field, part},
    mss, one_to_one,
    parse::{ETHERTYPE_IPV4, Ipv4, TCP, UDP},
    parse6::ETHERTYPE_IPV6,
    policer, rules,
    verdict::{Stop, too_big},
    voice::{self, Class, Way},
};

/// Deals with a frame that came in by a core port, or that another subscriber's way up handed on.
#[inline(always)]
pub fn down<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, false, false>(packet, tables)
}

/// Deals with a frame to a session that is not active.
#[inline(always)]
pub fn garden_down<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, true, false>(packet, tables)
}

/// Deals with a frame for a further port block of a subscriber.
#[inline(always)]
pub fn overflow_down<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, false, true>(packet, tables)
}

/// `IN_GARDEN`: what comes is let in from the walled garden only, else that to active sessions from anywhere.
#[inline(always)]
fn enter<P: Packet, T: Tables, const IN_GARDEN: bool, const IN_OVERFLOW: bool>(
    packet: &mut P,
    tables: &T,
) -> Verdict {
    let came_by = match came_by(packet, tables) {
        Err(reason) => return Verdict::Drop(reason).counted(packet, tables, Course::DOWN),
        Ok(came_by) => came_by,
    };
    match came_by.ethertype {
        ETHERTYPE_IPV6 => Verdict::Core6,
        ETHERTYPE_IPV4 => receive::<P, T, IN_GARDEN, IN_OVERFLOW>(packet, tables, &came_by),
        _ => Verdict::Pass,
    }
    .counted(packet, tables, came_by.course)
}

#[inline(always)]
fn receive<P: Packet, T: Tables, const IN_GARDEN: bool, const IN_OVERFLOW: bool>(
    packet: &mut P,
    tables: &T,
    came_by: &CameBy,
) -> Verdict {
    match find::<P, T, IN_OVERFLOW>(packet, tables, came_by) {
        Err(reason) => Verdict::Drop(reason),
        Ok(Found::Kernel) => Verdict::Pass,
        Ok(Found::Subscriber(inbound)) => deliver::<P, T, IN_GARDEN, IN_OVERFLOW>(packet, tables, &inbound)
            .unwrap_or_else(|stop| inbound.receiver.stop(packet, tables, stop)),
    }
}

#[inline(always)]
fn deliver<P: Packet, T: Tables, const IN_GARDEN: bool, const IN_OVERFLOW: bool>(
    packet: &mut P,
    tables: &T,
    inbound: &Inbound,
) -> Result<Verdict, Stop> {
    if !IN_GARDEN && !inbound.receiver.has(flags::ACTIVE) {
        // Back from there, a further port block would lead here again.
        return if IN_OVERFLOW { Err(DropReason::Suspended.into()) } else { Ok(Verdict::GardenCore) };
    }
    if IN_GARDEN && inbound.receiver.has(flags::OVERFLOW) {
        return Ok(Verdict::OverflowIn);
    }
    let line = inbound.receiver.line(tables)?;
    let Some(tag_bits) = judge::<P, T, IN_GARDEN>(packet, tables, inbound, &line)? else {
        return Ok(Verdict::RulesIn);
    };
    Ok(line.send(packet, &inbound.receiver, tag_bits, ETHERTYPE_IPV4)?)
}

#[inline(always)]
fn judge<P: Packet, T: Tables, const IN_GARDEN: bool>(
    packet: &P,
    tables: &T,
    inbound: &Inbound,
    line: &Line,
) -> Result<Option<u16>, Stop> {
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
    // Before the firewall is asked, as any router does, so that who traces a way sees the office on it.
    if ip.ttl() <= 1 {
        return Err(Stop::tell(DropReason::TtlExpired, PuntReason::TtlExpired));
    }
    if !answers(frame, tables, inbound, &ip)? {
        return Ok(None);
    }
    let mut class = Class::BULK;
    if receiver.has(flags::VOICE) {
        let remote = flows::End::v4(ip.source, 0).address;
        class = voice::class(tables, (receiver.home, Way::Down), remote, ip.tos(), (len, receiver.now_ns));
    }
    let class = class.whichever(receiver.now_ns);
    let limits = (field!(down, limits), class.voice_mask());
    let colour = policer::colour(tables, limits, part!(down, meter), len, receiver.now_ns);
    let colour = colour.ok_or(DropReason::RateDown)?;
    let tos = class.mark(ip.tos());
    let tag_bits = class.tag_bits(colour.tag_bits() | line.priority_of(tos));
    if ip.total_len > line.mtu {
        return Err(too_big(&ip));
    }
    if ip.protocol == TCP && ip.is_whole() {
        mss::clamp(frame, ip.payload_at, line.mtu.saturating_sub(mss::HEADERS4));
    }
    let delta = translate(frame, &ip, receiver, inbound.translation)?;
    ip.update_checksum(delta.and(ip.decrement_ttl()).and(ip.set_tos(tos)));
    field!(down, meter.packets).add(1);
    field!(down, meter.bytes).add(len);
    Ok(Some(tag_bits))
}

/// Lets in what belongs to a flow that the firewall knows, if there is one, and later the rest of its fragments; false: the
/// rules are to be asked.
#[inline(always)]
fn answers<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    inbound: &Inbound,
    ip: &Ipv4<'_>,
) -> Result<bool, DropReason> {
    let receiver = &inbound.receiver;
    if inbound.print != 0 {
        let memory = flows::of(tables, receiver.home.six(), receiver.now_ns);
        let memory = memory.ok_or(DropReason::Inconsistent)?;
        let print = flows::Print(inbound.print);
        let has_rules = receiver.has(flags::RULES);
        let flow = memory.existing(print.0, print.hash());
        let flow = flow.filter(|flow| !has_rules || flows::is_judged(*flow, rules::of(receiver.home)));
        let Some(flow) = flow else {
            let is_askable = has_rules && !ip.is_icmp_error(frame);
            return if is_askable { Ok(false) } else { Err(DropReason::Firewall) };
        };
        if ip.protocol == TCP {
            let bits = (receiver.mac_and_flags >> 48) as u16;
            flow.saw_inbound_tcp(firewall::tcp_flags_of(frame, ip, bits));
        }
    }
    if ip.is_first_fragment() && (inbound.print != 0 || inbound.translation.kind != Kind::Routed) {
        let whom = Remembered::new(inbound.unit, inbound.translation.device);
        fragment::remember(tables, ip.header, whom);
    }
    Ok(true)
}

/// Puts the subscriber's address and port back; returns what that does to the header's checksum.
#[inline(always)]
fn translate(
    frame: Frame<'_>,
    ip: &Ipv4<'_>,
    receiver: &Receiver,
    translation: Translation,
) -> Result<Delta, DropReason> {
    let Translation { kind, port, .. } = translation;
    if kind == Kind::Routed {
        return Ok(Delta::NONE);
    }
    let inside = translation.inside(ip, receiver.home);
    let delta = Delta::long(ip.destination, inside);
    ip.header.set_raw32::<16>(inside);
    if kind == Kind::OneToOne {
        return one_to_one::mend(frame, ip, delta, Side::Source, (ip.destination, inside));
    }
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
