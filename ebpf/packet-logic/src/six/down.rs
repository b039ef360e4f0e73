//! From the core towards a subscriber.

use map_abi::{Course, DropReason, FibTarget, PuntReason, flags};

use crate::{
    Frame, Packet, Tables, Verdict,
    core_side::{CameBy, Line, PACKET_AT, Receiver, came_by},
    fib6,
    flows::{self, Ends, Print},
    home::Home,
    live::{field, part},
    mss,
    parse::TCP,
    parse6::{ETHERTYPE_IPV6, Ipv6, icmp6_type, is_martian, quoted},
    policer, reverse_path, rules,
    six::{is_own, networks},
    verdict::Stop,
    voice::{self, Class, Way},
};

/// Deals with a frame of IPv6 that came in by a core port, or that another subscriber's way up handed on.
#[inline(always)]
pub fn down6<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, false>(packet, tables)
}

/// Deals with a frame of IPv6 to a session that is not active.
#[inline(always)]
pub fn garden_down6<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, true>(packet, tables)
}

/// `IN_GARDEN`: as for IPv4.
#[inline(always)]
fn enter<P: Packet, T: Tables, const IN_GARDEN: bool>(packet: &mut P, tables: &T) -> Verdict {
    let came_by = match came_by(packet, tables) {
        Err(reason) => return Verdict::Drop(reason).counted(packet, tables, Course::DOWN),
        Ok(came_by) => came_by,
    };
    match find6(packet, tables, &came_by) {
        Err(reason) => Verdict::Drop(reason),
        Ok(None) => Verdict::Pass,
        Ok(Some(receiver)) => match deliver::<P, T, IN_GARDEN>(packet, tables, &receiver) {
            Ok(verdict) => verdict,
            Err(stop) => receiver.stop(packet, tables, stop),
        },
    }
    .counted(packet, tables, came_by.course)
}

/// Whom a packet is for; `None`: the kernel.
#[inline(always)]
pub(crate) fn find6<P: Packet, T: Tables>(
    packet: &P,
    tables: &T,
    came_by: &CameBy,
) -> Result<Option<Receiver>, DropReason> {
    if came_by.ethertype != ETHERTYPE_IPV6 {
        return Ok(None);
    }
    let frame = packet.frame();
    let header = frame.window::<40>(PACKET_AT).ok_or(DropReason::Truncated)?;
    let target = fib6::lookup(tables, [header.raw64::<24>(), header.raw64::<32>()])?;
    let home = match target.kind() {
        FibTarget::KIND_SESSION => Home::find(tables, target.index()).ok_or(DropReason::Inconsistent)?,
        FibTarget::KIND_BLACKHOLE => return Err(DropReason::Blackhole),
        _ => return Ok(None),
    };
    let source = [header.raw64::<8>(), header.raw64::<16>()];
    if is_martian(source[0]) {
        return Err(DropReason::Martian);
    }
    if came_by.flags != 0 {
        reverse_path::check(tables, fib6::lookup(tables, source)?, came_by.flags, came_by.port)?;
    }
    Ok(Some(Receiver::new(home, came_by.port, tables.recent_ns())))
}

#[inline(always)]
fn deliver<P: Packet, T: Tables, const IN_GARDEN: bool>(
    packet: &mut P,
    tables: &T,
    receiver: &Receiver,
) -> Result<Verdict, Stop> {
    if !IN_GARDEN && !receiver.has(flags::ACTIVE) {
        return Ok(Verdict::GardenCore6);
    }
    let line = receiver.line(tables)?;
    let Some(tag_bits) = judge::<P, T, IN_GARDEN>(packet, tables, receiver, &line)? else {
        return Ok(Verdict::RulesIn);
    };
    Ok(line.send(packet, receiver, tag_bits, ETHERTYPE_IPV6)?)
}

#[inline(always)]
fn judge<P: Packet, T: Tables, const IN_GARDEN: bool>(
    packet: &P,
    tables: &T,
    receiver: &Receiver,
    line: &Line,
) -> Result<Option<u16>, Stop> {
    receiver.check()?;
    let down = receiver.home.down();
    let frame = packet.frame();
    let ip = Ipv6::parse(frame, PACKET_AT)?;
    let six = receiver.home.six();
    if !is_own(six, ip.destination()[0]) && !networks::are_any(six) {
        return Err(DropReason::Inconsistent.into());
    }
    if IN_GARDEN {
        receiver.admit6(frame, tables, &ip)?;
    }
    // As for IPv4, before the firewall is asked.
    if ip.hop_limit() <= 1 {
        return Err(Stop::tell(DropReason::TtlExpired, PuntReason::TtlExpired));
    }
    if !answers(frame, tables, receiver, &ip)? {
        return Ok(None);
    }
    let len = (frame.len() + line.tags_len) as u64;
    let mut class = Class::BULK;
    if receiver.has(flags::VOICE) {
        let measured = (len, receiver.now_ns);
        class = voice::class(tables, (receiver.home, Way::Down), ip.source(), ip.traffic_class(), measured);
    }
    let class = class.whichever(receiver.now_ns);
    let limits = (field!(down, limits), class.voice_mask());
    let colour = policer::colour(tables, limits, part!(down, meter), len, receiver.now_ns);
    let colour = colour.ok_or(DropReason::RateDown)?;
    let traffic_class = class.mark(ip.traffic_class());
    let tag_bits = class.tag_bits(colour.tag_bits() | line.priority_of(traffic_class));
    if ip.total_len > usize::from(line.mtu) {
        return Err(Stop::tell(DropReason::TooBig, PuntReason::TooBig));
    }
    if ip.protocol == TCP && ip.is_whole() {
        mss::clamp(frame, ip.payload_at, line.mtu.saturating_sub(mss::HEADERS6));
    }
    ip.decrement_hop_limit();
    ip.set_traffic_class(traffic_class);
    field!(down, meter.packets).add(1);
    field!(down, meter.bytes).add(len);
    Ok(Some(tag_bits))
}

/// Lets in what belongs to a flow that the firewall knows, if the subscriber has one; false: the rules are to be asked.
#[inline(always)]
fn answers<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    receiver: &Receiver,
    ip: &Ipv6<'_>,
) -> Result<bool, DropReason> {
    let Some(memory) = flows::of(tables, receiver.home.six(), receiver.now_ns) else { return Ok(true) };
    if ip.is_later_fragment() {
        let key = ip.fragment_key(frame).ok_or(DropReason::Truncated)?;
        return if tables.fragment6(&key) { Ok(true) } else { Err(DropReason::FragmentUnknown) };
    }
    let is_error = ip.icmp6_type(frame).is_some_and(|kind| kind <= icmp6_type::ERROR_MAX);
    let ends = if is_error {
        // What the subscriber sent is quoted, so its sender is the inside.
        let quoted = quoted(frame, ip.payload_at, PACKET_AT + ip.total_len);
        let (inside, remote, protocol) = quoted.ok_or(DropReason::IcmpErrorUnknown)?;
        Ends { inside, remote, protocol }
    } else {
        let (remote, inside) = ip.ends(frame)?;
        Ends { inside, remote, protocol: ip.protocol }
    };
    if is_error && ends.inside.address != ip.destination() {
        return Err(DropReason::IcmpErrorUnknown);
    }
    let print = Print::of(tables, &ends).ok_or(DropReason::Inconsistent)?;
    let has_rules = receiver.has(flags::RULES);
    let flow = memory.existing(print.0, print.hash());
    let flow = flow.filter(|flow| !has_rules || flows::is_judged(*flow, rules::of(receiver.home)));
    let Some(flow) = flow else {
        return if has_rules && !is_error { Ok(false) } else { Err(DropReason::Firewall) };
    };
    if !is_error && ip.protocol == TCP {
        flow.saw_inbound_tcp(ip.tcp_flags(frame));
    }
    if !ip.is_whole() {
        let key = ip.fragment_key(frame).ok_or(DropReason::Truncated)?;
        tables.remember_fragment6(&key);
    }
    Ok(true)
}
