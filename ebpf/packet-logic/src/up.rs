//! From a subscriber towards the core.

use map_abi::{Course, DropReason, FibTarget, PuntReason, flags, mapped};

use crate::{
    Frame, Packet, Tables, Verdict,
    access::{Arrival, Towards, arrive, towards},
    buckets::Entry,
    checksum::Delta,
    devices, dns, fib, firewall,
    flows::End,
    frame::opaque_number,
    icmp::{Quote, Side},
    live::{field, part},
    mss, nat, one_to_one, overflow,
    parse::{ETHERTYPE_ARP, ETHERTYPE_IPV4, Ipv4, TCP, Transport, UDP, is_martian, netmask},
    parse6::ETHERTYPE_IPV6,
    path, policer, priority,
    verdict::{Stop, too_big},
    voice::{self, Class, Way},
};

const DHCP_CLIENT: u16 = 68_u16.to_be();
const DHCP_SERVER: u16 = 67_u16.to_be();

/// Deals with a frame that came in by an access port.
#[inline(always)]
pub fn up<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, false>(packet, tables)
}

/// Deals with a frame of a session that is not active.
#[inline(always)]
pub fn garden_up<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    enter::<P, T, true>(packet, tables)
}

/// Deals with a frame of a flow that is in a further port block, which `open` has found. (The address is the same as that
/// of the subscriber's own block: RFC 4787, REQ-2.)
#[inline(always)]
pub fn overflow_up<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    match arrive(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(arrival) => {
            let arrival = overflow::settle(packet.frame(), tables, arrival);
            receive::<P, T, false>(packet, tables, &arrival)
                .unwrap_or_else(|stop| arrival.stop::<P, T, false>(packet, tables, stop))
        }
    }
    .counted(packet, tables, Course::UP)
}

/// `IN_GARDEN`: what is sent is let go into the walled garden only, else that of active sessions anywhere.
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
    let towards = match judge::<P, T, IN_GARDEN>(packet, tables, arrival)? {
        Step::Link => return Ok(Verdict::Link),
        Step::Six => return Ok(Verdict::Access6),
        Step::Open => return Ok(Verdict::Open),
        Step::Garden => return Ok(Verdict::Garden),
        Step::Rules => return Ok(Verdict::Rules),
        Step::Dhcp => return Ok(Verdict::Dhcp),
        Step::Dns => return Ok(Verdict::Dns),
        Step::Leave(towards) => towards,
    };
    Ok(arrival.leave(packet, towards, ETHERTYPE_IPV4)?)
}

/// What is left to do with a packet that was judged.
enum Step {
    /// It is said on the link, and goes no further.
    Link,
    /// It is IPv6, for the program of that.
    Six,
    /// It is the first of its flow.
    Open,
    /// Its session is not active.
    Garden,
    /// The rules are to be asked about its flow.
    Rules,
    /// It is a DHCP client's message.
    Dhcp,
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
    let frame = packet.frame();
    let header = frame.window::<14>(0).ok_or(DropReason::Truncated)?;
    // Broadcast and multicast among it.
    if header.mac_word::<0>() != arrival.port_mac {
        return Ok(Step::Link);
    }
    if !IN_GARDEN && !arrival.has(flags::ACTIVE) {
        return Ok(Step::Garden);
    }
    let tail = frame.window::<2>(arrival.packet_at() - 2).ok_or(DropReason::Truncated)?;
    let ethertype = tail.raw16::<0>();
    if ethertype == ETHERTYPE_IPV6 {
        return Ok(Step::Six);
    }
    if ethertype == ETHERTYPE_ARP {
        return Ok(Step::Link);
    }
    if ethertype != ETHERTYPE_IPV4 {
        return Err(DropReason::EtherType.into());
    }
    let ip = Ipv4::parse(frame, arrival.packet_at())?;
    // Before the source is checked: whoever asks for a lease has no address yet, and perhaps a new host.
    if is_dhcp_request(frame, &ip) {
        return Ok(Step::Dhcp);
    }
    if IN_GARDEN {
        arrival.has_garden(tables)?;
    }
    if !arrival.is_from(header.mac_word::<6>()) {
        arrival.check_device(tables, ip.source, header.mac_word::<6>())?;
    }
    let up = arrival.home.up();
    let is_own = ip.source & netmask(field!(up, prefix_len).get()) == field!(up, network).raw();
    if !is_own && !is_of_another_network(tables, arrival, ip.source)? {
        return Err(DropReason::SourceAddress.into());
    }
    if is_martian(ip.destination) {
        return Err(DropReason::Martian.into());
    }
    let target = fib::lookup(tables, ip.destination)?;
    if may_be_gateway(target) && is_gateway(tables, arrival, ip.destination)? {
        // The gateway answers pings, and nothing else.
        return Err(match ip.transport(frame)? {
            Transport::Echo(_) if ip.is_whole() => Stop::hand_over(PuntReason::GatewayEcho),
            _ => DropReason::ToOffice.into(),
        });
    }
    if IN_GARDEN {
        arrival.admit(frame, tables, &ip)?;
    }
    forward(frame, tables, arrival, &ip, target)
}

/// Whether an address is of another of the subscriber's networks, which is for the forwarding table to say: each leads to
/// its home. Which it was the verifier does not know.
#[inline(always)]
fn is_of_another_network<T: Tables>(tables: &T, arrival: &Arrival, source: u32) -> Result<bool, DropReason> {
    if !arrival.has(flags::NETWORKS) {
        return Ok(false);
    }
    let target = fib::lookup(tables, source)?;
    let is_own = target.kind() == FibTarget::KIND_SESSION && target.index() == arrival.unit;
    Ok(opaque_number(u32::from(is_own)) != 0)
}

/// Whether a gateway's address may lead there.
#[inline(always)]
fn may_be_gateway(target: FibTarget) -> bool {
    (FibTarget::KIND_SESSION..=FibTarget::KIND_PAGE).contains(&target.kind())
}

/// Whether an address is the gateway's, which lies in a pool or in the subscriber's own network.
#[inline(always)]
fn is_gateway<T: Tables>(tables: &T, arrival: &Arrival, address: u32) -> Result<bool, DropReason> {
    let session = arrival.home.session(tables).ok_or(DropReason::Inconsistent)?;
    Ok(address == field!(session, gateway).raw())
}

#[inline(always)]
pub(crate) fn is_dhcp_request(frame: Frame<'_>, ip: &Ipv4<'_>) -> bool {
    // What lies behind the packet in its frame is no part of it.
    if ip.protocol != UDP || !ip.is_whole() || ip.payload_len < 8 {
        return false;
    }
    match frame.window::<8>(ip.payload_at) {
        Some(udp) => udp.raw16::<0>() == DHCP_CLIENT && udp.raw16::<2>() == DHCP_SERVER,
        None => false,
    }
}

/// What NAT does with a packet. Not an enum with fields: the verifier wants every one of them to have a value on every path.
#[derive(Clone, Copy)]
struct Outside {
    /// A `Kind`, of which the verifier does not know which: else it would follow each to the program's end.
    kind: u32,
    /// The mapping, where `kind` has one.
    mapping: Entry,
}

impl Outside {
    #[inline(always)]
    fn new(kind: Kind, mapping: Entry) -> Self {
        Self { kind: opaque_number(kind as u32), mapping }
    }

    #[inline(always)]
    fn is(self, kind: Kind) -> bool {
        self.kind == kind as u32
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
enum Kind {
    /// A routed subscriber, or a destination exempt from NAT: nothing.
    Routed,
    /// The flow is not known yet, to the firewall or to NAT.
    New,
    /// The rules have yet to be asked about the flow.
    Unjudged,
    /// The address and the port.
    Port,
    /// The address, and inside an ICMP error's quote the address and the port.
    Quote,
    /// The address alone: a later fragment.
    Address,
    /// The address, whatever the packet is.
    OneToOne,
}

/// What the firewall and NAT know of a packet's flow. Before the first atomic operation, behind which no load can start: so that waiting
/// for the mapping overlaps with waiting for the home's first line.
#[inline(always)]
fn outside<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    arrival: &Arrival,
    ip: &Ipv4<'_>,
) -> Result<Outside, DropReason> {
    let none = Entry::none(arrival.home);
    if arrival.has(flags::FIREWALL) && !firewall::is_known(frame, tables, arrival)? {
        let kind = if arrival.has(flags::RULES) { Kind::Unjudged } else { Kind::New };
        return Ok(Outside::new(kind, none));
    }
    if !arrival.has(flags::NAT | flags::ONE_TO_ONE)
        || arrival.has(flags::NAT_EXEMPT) && tables.is_nat_exempt(mapped(ip.destination))
    {
        return Ok(Outside::new(Kind::Routed, none));
    }
    if arrival.has(flags::ONE_TO_ONE) {
        return Ok(Outside::new(Kind::OneToOne, none));
    }
    let (key, kind) = match ip.transport(frame)? {
        Transport::Tcp(tcp) => (nat::key(ip.protocol, tcp.be16::<0>()), Kind::Port),
        Transport::Udp(udp) => (nat::key(ip.protocol, udp.be16::<0>()), Kind::Port),
        Transport::Echo(icmp) => (nat::key(ip.protocol, icmp.be16::<4>()), Kind::Port),
        Transport::IcmpError => {
            let quote = Quote::parse(frame, ip.payload_at, ip.payload_len)?;
            if quote.destination != ip.source {
                return Err(DropReason::IcmpErrorUnknown);
            }
            (nat::key(quote.protocol, quote.destination_port), Kind::Quote)
        }
        Transport::LaterFragment => return Ok(Outside::new(Kind::Address, none)),
        Transport::EchoReply(_) | Transport::Other => return Err(DropReason::NatProtocol),
    };
    let mut key = key;
    // Only then does the place of the mapping depend on the home's first line: else both are waited for at once.
    if arrival.has(flags::DEVICES) {
        key = nat::of_device(key, devices::number(arrival.home, ip.source));
    }
    match nat::mappings(arrival.block, arrival.order, arrival.now_ns).existing(key, nat::hash(key)) {
        Some(mapping) => Ok(Outside::new(kind, mapping)),
        None if kind == Kind::Quote && !overflow::is_any(arrival.home) => Err(DropReason::IcmpErrorUnknown),
        None => Ok(Outside::new(Kind::New, none)),
    }
}

#[inline(always)]
fn forward<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    arrival: &Arrival,
    ip: &Ipv4<'_>,
    target: FibTarget,
) -> Result<Step, Stop> {
    let up = arrival.home.up();
    let len = frame.len() as u64;
    let outside = outside(frame, tables, arrival, ip)?;
    if outside.is(Kind::New) {
        return Ok(Step::Open);
    }
    if outside.is(Kind::Unjudged) {
        return Ok(Step::Rules);
    }
    if !ip.is_later_fragment() && dns::is_due(frame, tables, arrival, ip.protocol, ip.payload_at) {
        return Ok(Step::Dns);
    }
    let mut target = target;
    if target.kind() == FibTarget::KIND_DEFAULT {
        let settings = tables.settings().ok_or(DropReason::Inconsistent)?;
        target = field!(settings, default_route).get();
    }
    let towards = towards(tables, target, || path::slot(frame, ip))?;
    let tos = priority::mark(frame, arrival, ip.tos())?;
    // There is no tag towards the core to say that a packet is yellow.
    let class = if arrival.has(flags::VOICE) {
        let remote = End::v4(ip.destination, 0).address;
        voice::class(tables, (arrival.home, Way::Up), remote, tos, (len, arrival.now_ns))
    } else {
        Class::BULK
    };
    let class = class.whichever(arrival.now_ns);
    let limits = (field!(up, limits), class.voice_mask());
    if policer::colour(tables, limits, part!(up, meter), len, arrival.now_ns).is_none() {
        return Err(DropReason::RateUp.into());
    }
    if ip.ttl() <= 1 {
        return Err(Stop::tell(DropReason::TtlExpired, PuntReason::TtlExpired));
    }
    // Between subscribers, the other one's access port is what counts, and the way down sees to it.
    if let Towards::NextHop(next_hop) = towards
        && ip.total_len > field!(next_hop, mtu).get()
    {
        return Err(too_big(ip));
    }
    if let Towards::NextHop(next_hop) = towards
        && ip.protocol == TCP
        && ip.is_whole()
    {
        mss::clamp(frame, ip.payload_at, field!(next_hop, mtu).get().saturating_sub(mss::HEADERS4));
    }
    let mut delta = translate(frame, arrival, ip, outside)?;
    if let Towards::NextHop(_) = towards {
        delta = delta.and(ip.decrement_ttl());
    }
    ip.update_checksum(delta.and(ip.set_tos(class.mark(tos))));
    field!(up, meter.packets).add(1);
    field!(up, meter.bytes).add(len);
    Ok(Step::Leave(towards))
}

/// Puts the external address and port in place of the subscriber's; returns what that does to the header's checksum.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a port block ends at port 65535 at the latest")]
fn translate(
    frame: Frame<'_>,
    arrival: &Arrival,
    ip: &Ipv4<'_>,
    outside: Outside,
) -> Result<Delta, DropReason> {
    let mapping = outside.mapping;
    if outside.is(Kind::Routed) {
        return Ok(Delta::NONE);
    }
    let external = field!(arrival.home.up(), external).raw();
    let delta = Delta::long(ip.source, external);
    ip.header.set_raw32::<12>(external);
    if outside.is(Kind::Address) {
        return Ok(delta);
    }
    if outside.is(Kind::OneToOne) {
        return one_to_one::mend(frame, ip, delta, Side::Destination, (ip.source, external));
    }
    let port = field!(arrival.block.up(), first_port).get().wrapping_add(nat::outside(mapping) as u16);
    if outside.is(Kind::Quote) {
        let quote = Quote::parse(frame, ip.payload_at, ip.payload_len)?;
        let icmp = frame.window::<8>(ip.payload_at).ok_or(DropReason::Truncated)?;
        quote.translate(icmp, Side::Destination, external, port);
        return Ok(delta);
    }
    mapping.saw_outbound(arrival.now_ns);
    let new = port.to_be();
    if ip.protocol == TCP {
        let tcp = frame.window::<20>(ip.payload_at).ok_or(DropReason::Truncated)?;
        mapping.saw_outbound_tcp(tcp.u8::<13>());
        let port_delta = Delta::word(tcp.raw16::<0>(), new);
        tcp.set_raw16::<0>(new);
        tcp.set_raw16::<16>(delta.and(port_delta).apply(tcp.raw16::<16>()));
    } else if ip.protocol == UDP {
        let udp = frame.window::<8>(ip.payload_at).ok_or(DropReason::Truncated)?;
        let port_delta = Delta::word(udp.raw16::<0>(), new);
        udp.set_raw16::<0>(new);
        udp.set_raw16::<6>(delta.and(port_delta).apply_udp(udp.raw16::<6>()));
    } else {
        let icmp = frame.window::<8>(ip.payload_at).ok_or(DropReason::Truncated)?;
        let port_delta = Delta::word(icmp.raw16::<4>(), new);
        icmp.set_raw16::<4>(new);
        icmp.set_raw16::<2>(port_delta.apply(icmp.raw16::<2>()));
    }
    Ok(delta)
}
