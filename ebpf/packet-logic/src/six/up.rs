//! From a subscriber towards the core.

use map_abi::{Course, DropReason, PuntReason, flags};

use crate::{
    Frame, Packet, Tables, Verdict,
    access::{Arrival, Towards, arrive, towards},
    dns, fib6,
    flows::{self, Ends, Print},
    live::{field, part},
    mss,
    parse::{TCP, UDP},
    parse6::{ETHERTYPE_IPV6, Ipv6, icmp6_type, is_martian},
    path, policer, priority, rules,
    six::{is_own, networks},
    verdict::Stop,
    voice::{self, Class, Way},
};

/// `ff02::1:2`, all DHCP relay agents and servers (RFC 8415, section 7.1).
const ALL_DHCP: [u64; 2] = [0xff02_0000_0000_0000_u64.to_be(), 0x0001_0002_u64.to_be()];
const DHCP6_SERVER: u16 = 547_u16.to_be();
/// The upper half of a link-local address.
const LINK_LOCAL: u64 = 0xfe80_0000_0000_0000_u64.to_be();
/// The hop limit of what no router has forwarded (RFC 4861, section 3.1).
const ON_LINK: u8 = 255;

/// Deals with a frame of IPv6 that came in by an access port.
#[inline(always)]
pub fn up6<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, false>(packet, tables)
}

/// Deals with a frame of IPv6 of a session that is not active.
#[inline(always)]
pub fn garden_up6<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, true>(packet, tables)
}

/// `IN_GARDEN`: as for IPv4.
#[inline(always)]
fn enter<P: Packet, T: Tables, const IN_GARDEN: bool>(packet: &mut P, tables: &T) -> Verdict {
    match arrive(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(arrival) => receive::<P, T, IN_GARDEN>(packet, tables, &arrival)
            .unwrap_or_else(|stop| arrival.stop::<P, T, IN_GARDEN>(packet, tables, stop)),
    }
    .counted(packet, tables, Course::UP)
}

#[inline(always)]
fn receive<P: Packet, T: Tables, const IN_GARDEN: bool>(
    packet: &mut P,
    tables: &T,
    arrival: &Arrival,
) -> Result<Verdict, Stop> {
    if !IN_GARDEN && !arrival.has(flags::ACTIVE) {
        return Ok(Verdict::Garden6);
    }
    let towards = match judge::<P, T, IN_GARDEN>(packet, tables, arrival)? {
        Step::Leave(towards) => towards,
        Step::Dns => return Ok(Verdict::Dns),
        Step::Open => return Ok(if arrival.has(flags::RULES) { Verdict::Rules } else { Verdict::Open6 }),
    };
    Ok(match arrival.leave(packet, towards, ETHERTYPE_IPV6)? {
        Verdict::Core => Verdict::Core6,
        verdict => verdict,
    })
}

/// Lets the firewall know the first packet of a flow, which then goes the ordinary way; see `open`.
#[inline(always)]
pub fn open6<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    match arrive(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(arrival) => match claim(packet.frame(), tables, &arrival) {
            Ok(()) => Verdict::Access6,
            Err(reason) => arrival.stop::<P, T, false>(packet, tables, reason.into()),
        },
    }
    .counted(packet, tables, Course::UP)
}

#[inline(always)]
fn claim<T: Tables>(frame: Frame<'_>, tables: &T, arrival: &Arrival) -> Result<(), DropReason> {
    let ip = Ipv6::parse(frame, arrival.packet_at())?;
    let memory = flows::of(tables, arrival.home.six(), arrival.now_ns).ok_or(DropReason::Inconsistent)?;
    let print = print(frame, tables, &ip)?;
    let claimed = memory.claim(print.0, print.hash(), |entry| flows::fill(entry, ip.protocol, 0));
    if claimed.is_some() { Ok(()) } else { Err(DropReason::FlowsExhausted) }
}

#[inline(always)]
fn print<T: Tables>(frame: Frame<'_>, tables: &T, ip: &Ipv6<'_>) -> Result<Print, DropReason> {
    let (inside, remote) = ip.ends(frame)?;
    Print::of(tables, &Ends { inside, remote, protocol: ip.protocol }).ok_or(DropReason::Inconsistent)
}

/// What is left to do with a packet that was judged.
enum Step {
    /// It is the first of its flow.
    Open,
    /// It may be for a resolver, and parental control is to look at it first.
    Dns,
    Leave(Towards),
}

#[inline(always)]
fn judge<P: Packet, T: Tables, const IN_GARDEN: bool>(
    packet: &P,
    tables: &T,
    arrival: &Arrival,
) -> Result<Step, Stop> {
    let six = arrival.home.six();
    if field!(six, is_on).get() == 0 {
        return Err(DropReason::EtherType.into());
    }
    let frame = packet.frame();
    let header = frame.window::<14>(0).ok_or(DropReason::Truncated)?;
    let ip = Ipv6::parse(frame, arrival.packet_at())?;
    // Before the source is checked: whoever begins has no address yet, and perhaps a new host.
    if let Some(reason) = for_the_office(frame, &ip) {
        return Err(Stop::hand_over(reason));
    }
    if IN_GARDEN {
        arrival.has_garden(tables)?;
    }
    if !arrival.is_from(header.mac_word::<6>()) {
        return Err(DropReason::SourceMac.into());
    }
    let [upper, lower] = ip.destination();
    if upper.to_ne_bytes()[0] == 0xff {
        return Err(DropReason::Martian.into());
    }
    if header.mac_word::<0>() != arrival.port_mac {
        return Err(DropReason::DestinationMac.into());
    }
    if upper == LINK_LOCAL && lower == interface_id(arrival.port_mac) {
        // The gateway answers pings, and nothing else.
        return Err(match ip.icmp6_type(frame) {
            Some(icmp6_type::ECHO_REQUEST) if ip.is_whole() => Stop::hand_over(PuntReason::GatewayEcho),
            _ => DropReason::ToOffice.into(),
        });
    }
    if !is_own(six, ip.source()[0]) && !networks::hold(tables, arrival, ip.source())? {
        return Err(DropReason::SourceAddress.into());
    }
    if is_martian(upper) {
        return Err(DropReason::Martian.into());
    }
    if IN_GARDEN {
        arrival.admit6(frame, tables, &ip)?;
    }
    forward(frame, tables, arrival, &ip)
}

/// What is said to the office itself on the link.
#[inline(always)]
fn for_the_office(frame: Frame<'_>, ip: &Ipv6<'_>) -> Option<PuntReason> {
    if !ip.is_whole() {
        return None;
    }
    if let Some(kind) = ip.icmp6_type(frame) {
        let is_discovery = kind == icmp6_type::ROUTER_SOLICITATION
            || kind == icmp6_type::NEIGHBOUR_SOLICITATION
            || kind == icmp6_type::NEIGHBOUR_ADVERTISEMENT;
        return (is_discovery && ip.hop_limit() == ON_LINK).then_some(PuntReason::NeighbourDiscovery);
    }
    if ip.protocol == UDP && ip.destination() == ALL_DHCP {
        let udp = frame.window::<8>(ip.payload_at)?;
        return (udp.raw16::<2>() == DHCP6_SERVER).then_some(PuntReason::Dhcp6);
    }
    None
}

/// The lower half of the link-local address of a port (modified EUI-64: RFC 4291, appendix A), as it lies in a packet.
#[inline(always)]
fn interface_id(mac: u64) -> u64 {
    let [a, b, c, d, e, f, ..] = mac.to_ne_bytes();
    u64::from_ne_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f])
}

#[inline(always)]
fn forward<T: Tables>(frame: Frame<'_>, tables: &T, arrival: &Arrival, ip: &Ipv6<'_>) -> Result<Step, Stop> {
    let up = arrival.home.up();
    if !is_known(frame, tables, arrival, ip)? {
        return Ok(Step::Open);
    }
    if !ip.is_later_fragment() && dns::is_due(frame, tables, arrival, ip.protocol, ip.payload_at) {
        return Ok(Step::Dns);
    }
    let target = fib6::lookup(tables, ip.destination())?;
    // The default route is in the table like any other.
    let towards = towards(tables, target, || path::slot6(frame, ip))?;
    let len = frame.len() as u64;
    let mark = priority::mark(frame, arrival, ip.traffic_class())?;
    let class = if arrival.has(flags::VOICE) {
        let measured = (len, arrival.now_ns);
        voice::class(tables, (arrival.home, Way::Up), ip.destination(), mark, measured)
    } else {
        Class::BULK
    };
    let class = class.whichever(arrival.now_ns);
    let limits = (field!(up, limits), class.voice_mask());
    if policer::colour(tables, limits, part!(up, meter), len, arrival.now_ns).is_none() {
        return Err(DropReason::RateUp.into());
    }
    if ip.hop_limit() <= 1 {
        return Err(Stop::tell(DropReason::TtlExpired, PuntReason::TtlExpired));
    }
    // Between subscribers, the other one's access port is what counts, and the way down sees to it.
    if let Towards::NextHop(next_hop) = towards
        && ip.total_len > usize::from(field!(next_hop, mtu).get())
    {
        return Err(Stop::tell(DropReason::TooBig, PuntReason::TooBig));
    }
    if let Towards::NextHop(next_hop) = towards {
        if ip.protocol == TCP && ip.is_whole() {
            mss::clamp(frame, ip.payload_at, field!(next_hop, mtu).get().saturating_sub(mss::HEADERS6));
        }
        ip.decrement_hop_limit();
    }
    ip.set_traffic_class(class.mark(mark));
    field!(up, meter.packets).add(1);
    field!(up, meter.bytes).add(len);
    Ok(Step::Leave(towards))
}

/// Whether the firewall, if there is one, knows what an answer will be.
#[inline(always)]
fn is_known<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    arrival: &Arrival,
    ip: &Ipv6<'_>,
) -> Result<bool, DropReason> {
    let Some(memory) = flows::of(tables, arrival.home.six(), arrival.now_ns) else { return Ok(true) };
    if ip.is_later_fragment() || ip.icmp6_type(frame).is_some_and(|kind| kind <= icmp6_type::ERROR_MAX) {
        return Ok(true);
    }
    let print = print(frame, tables, ip)?;
    let Some(flow) = memory.existing(print.0, print.hash()) else { return Ok(false) };
    if arrival.has(flags::RULES) && !flows::is_judged(flow, rules::of(arrival.home)) {
        return Ok(false);
    }
    flow.saw_outbound(arrival.now_ns);
    if ip.protocol == TCP {
        flow.saw_outbound_tcp(ip.tcp_flags(frame));
    }
    Ok(true)
}
