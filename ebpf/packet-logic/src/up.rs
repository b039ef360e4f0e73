//! From a subscriber towards the core.

use map_abi::{DropReason, FibTarget, PuntReason, flags};

use crate::{
    Frame, Packet, Tables, Verdict,
    access::{Arrival, Towards, arrive, towards},
    arp,
    buckets::Buckets,
    checksum::Delta,
    fib,
    frame::MAC_BITS,
    icmp::{Quote, Side},
    live::{field, part},
    nat::{self, Mapping, Remote},
    parse::{ETHERTYPE_ARP, ETHERTYPE_IPV4, Ipv4, Transport, UDP, is_martian, netmask},
    parse6::ETHERTYPE_IPV6,
    policer,
    verdict::{Stop, too_big},
};

const DHCP_CLIENT: u16 = 68_u16.to_be();
const DHCP_SERVER: u16 = 67_u16.to_be();

/// Deals with a frame that came in by an access port.
#[inline(always)]
pub fn up<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    match arrive(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(arrival) => {
            receive(packet, tables, &arrival).unwrap_or_else(|stop| arrival.stop(packet, tables, stop))
        }
    }
    .counted(tables)
}

#[inline(always)]
fn receive<P: Packet, T: Tables>(packet: &mut P, tables: &T, arrival: &Arrival) -> Result<Verdict, Stop> {
    let towards = match judge(packet, tables, arrival)? {
        Step::Answer => return Ok(Verdict::Redirect(arrival.port)),
        Step::Six => return Ok(Verdict::Access6),
        Step::Leave(towards) => towards,
    };
    Ok(arrival.leave(packet, towards, ETHERTYPE_IPV4)?)
}

/// What is left to do with a packet that was judged.
enum Step {
    /// It is its own answer, and goes back where it came from.
    Answer,
    /// It is IPv6, for the program of that.
    Six,
    Leave(Towards),
}

#[inline(always)]
fn judge<P: Packet, T: Tables>(packet: &P, tables: &T, arrival: &Arrival) -> Result<Step, Stop> {
    if !arrival.has(flags::ACTIVE) {
        return Err(DropReason::Suspended.into());
    }
    let frame = packet.frame();
    let header = frame.window::<14>(0).ok_or(DropReason::Truncated)?;
    let tail = frame.window::<2>(arrival.packet_at() - 2).ok_or(DropReason::Truncated)?;
    let ethertype = tail.raw16::<0>();
    if ethertype == ETHERTYPE_IPV6 {
        return Ok(Step::Six);
    }
    if ethertype == ETHERTYPE_ARP {
        // Not XDP_TX: a veth does not wake a peer that has no program of its own, while it does after a redirect.
        arp::answer(frame, header, tables, arrival)?;
        return Ok(Step::Answer);
    }
    if ethertype != ETHERTYPE_IPV4 {
        return Err(DropReason::EtherType.into());
    }
    let ip = Ipv4::parse(frame, arrival.packet_at())?;
    // Before the source is checked: whoever asks for a lease has no address yet, and perhaps a new host.
    if is_dhcp_request(frame, &ip) {
        return Err(Stop::hand_over(PuntReason::Dhcp));
    }
    if header.mac_word::<0>() != arrival.port_mac {
        return Err(DropReason::DestinationMac.into());
    }
    if header.mac_word::<6>() != arrival.mac_and_flags & MAC_BITS {
        return Err(DropReason::SourceMac.into());
    }
    let up = arrival.home.up();
    if ip.source & netmask(field!(up, prefix_len).get()) != field!(up, network).raw() {
        return Err(DropReason::SourceAddress.into());
    }
    if is_martian(ip.destination) {
        return Err(DropReason::Martian.into());
    }
    let target = fib::lookup(tables, ip.destination)?;
    if target.kind() > FibTarget::KIND_NAT && is_gateway(tables, arrival, ip.destination)? {
        // The gateway answers pings, and nothing else.
        return Err(match ip.transport(frame)? {
            Transport::Echo(_) if ip.is_whole() => Stop::hand_over(PuntReason::GatewayEcho),
            _ => DropReason::ToOffice.into(),
        });
    }
    forward(frame, tables, arrival, &ip, target).map(Step::Leave)
}

/// Whether an address is the gateway's, which lies in a pool or in the subscriber's own network.
#[inline(always)]
fn is_gateway<T: Tables>(tables: &T, arrival: &Arrival, address: u32) -> Result<bool, DropReason> {
    let session = arrival.home.session(tables).ok_or(DropReason::Inconsistent)?;
    Ok(address == field!(session, gateway).raw())
}

#[inline(always)]
fn is_dhcp_request(frame: Frame<'_>, ip: &Ipv4<'_>) -> bool {
    if ip.protocol != UDP || !ip.is_whole() {
        return false;
    }
    match frame.window::<8>(ip.payload_at) {
        Some(udp) => udp.raw16::<0>() == DHCP_CLIENT && udp.raw16::<2>() == DHCP_SERVER,
        None => false,
    }
}

#[inline(always)]
fn mappings(arrival: &Arrival) -> Buckets<Mapping> {
    nat::mappings(arrival.home, arrival.order, arrival.now_ns)
}

#[inline(always)]
fn forward<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    arrival: &Arrival,
    ip: &Ipv4<'_>,
    target: FibTarget,
) -> Result<Towards, Stop> {
    let up = arrival.home.up();
    let len = frame.len() as u64;
    if arrival.has(flags::NAT)
        && let Some(transport) = frame.window::<2>(ip.payload_at)
    {
        mappings(arrival).touch(nat::hash(nat::key(ip.protocol, transport.be16::<0>())));
    }
    let default = || tables.settings().map(|settings| field!(settings, default_next_hop).get());
    let towards = towards(tables, target, default)?;
    // There is no tag towards the core to say that a packet is yellow.
    if policer::colour(tables, field!(up, limits), part!(up, meter), len, arrival.now_ns).is_none() {
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
    let mut delta = Delta::NONE;
    if arrival.has(flags::NAT) {
        delta = translate(frame, arrival, ip)?;
    }
    if let Towards::NextHop(_) = towards {
        delta = delta.and(ip.decrement_ttl());
    }
    ip.update_checksum(delta);
    field!(up, meter.packets).add(1);
    field!(up, meter.bytes).add(len);
    Ok(towards)
}

/// Puts the external address and port in place of the subscriber's; returns what that does to the header's checksum.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a port block ends at port 65535 at the latest")]
fn translate(frame: Frame<'_>, arrival: &Arrival, ip: &Ipv4<'_>) -> Result<Delta, DropReason> {
    let external = field!(arrival.home.up(), external).raw();
    let first_port = field!(arrival.home.up(), first_port).get();
    let delta = Delta::long(ip.source, external);
    let transport = ip.transport(frame)?;
    let (port, remote_port) = match transport {
        Transport::Tcp(tcp) => (tcp.be16::<0>(), tcp.raw16::<2>()),
        Transport::Udp(udp) => (udp.be16::<0>(), udp.raw16::<2>()),
        Transport::Echo(icmp) => (icmp.be16::<4>(), 0),
        Transport::IcmpError(icmp) => {
            let quote = Quote::parse(frame, ip.payload_at, ip.payload_len)?;
            let key = nat::key(quote.protocol, quote.destination_port);
            let mapping = mappings(arrival).existing(key, nat::hash(key)).ok_or(DropReason::IcmpErrorUnknown)?;
            if quote.destination != ip.source {
                return Err(DropReason::IcmpErrorUnknown);
            }
            quote.translate(
                icmp,
                Side::Destination,
                external,
                first_port.wrapping_add(mapping.offset as u16),
            );
            ip.header.set_raw32::<12>(external);
            return Ok(delta);
        }
        Transport::LaterFragment => {
            ip.header.set_raw32::<12>(external);
            return Ok(delta);
        }
        Transport::EchoReply(_) | Transport::Other => return Err(DropReason::NatProtocol),
    };
    let key = nat::key(ip.protocol, port);
    let remote = Remote { address: ip.destination, port: remote_port };
    let mapping = mappings(arrival).outbound(key, nat::hash(key), |entry| remote.fill(entry)).ok_or(DropReason::NatPortsExhausted)?;
    let external_port = first_port.wrapping_add(mapping.offset as u16);
    let port_delta = Delta::word(port.to_be(), external_port.to_be());
    match transport {
        Transport::Tcp(tcp) => {
            mapping.saw_outbound_tcp(tcp.u8::<13>());
            tcp.set_be16::<0>(external_port);
            tcp.set_raw16::<16>(delta.and(port_delta).apply(tcp.raw16::<16>()));
        }
        Transport::Udp(udp) => {
            udp.set_be16::<0>(external_port);
            udp.set_raw16::<6>(delta.and(port_delta).apply_udp(udp.raw16::<6>()));
        }
        Transport::Echo(icmp) => {
            icmp.set_be16::<4>(external_port);
            icmp.set_raw16::<2>(port_delta.apply(icmp.raw16::<2>()));
        }
        _ => {}
    }
    ip.header.set_raw32::<12>(external);
    Ok(delta)
}
