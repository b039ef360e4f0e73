//! From a subscriber towards the core.

use core::ptr::NonNull;

use map_abi::{DropReason, FibTarget, HomeRef, NextHop, PuntReason, SVIDS_PER_PORT, flags};

use crate::{
    Frame, Packet, Tables, Verdict, arp,
    checksum::Delta,
    fib, flow,
    frame::MAC_BITS,
    home::Home,
    icmp::{Quote, Side},
    live::{self, field, mac_field, part},
    nat::{self, Mappings, Remote},
    parse::{ETHERTYPE_ARP, ETHERTYPE_IPV4, Ipv4, Transport, UDP, is_martian, netmask},
    policer,
    verdict::{Stop, too_big},
    vlan::{self, TAGS_LEN},
};

/// Where the packet begins behind Ethernet addresses, two tags and the EtherType.
const PACKET_AT: usize = 22;
const DHCP_CLIENT: u16 = 68_u16.to_be();
const DHCP_SERVER: u16 = 67_u16.to_be();

/// The home that a frame comes from.
struct Arrival {
    home: Home,
    /// The binary logarithm of its units.
    order: u32,
    port: u32,
    /// The port's own Ethernet address.
    port_mac: u64,
    /// First word of the home: Ethernet address and flags.
    mac_and_flags: u64,
    /// Of the recent clock.
    now_ns: u64,
}

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
fn arrive<P: Packet, T: Tables>(packet: &P, tables: &T) -> Result<Arrival, DropReason> {
    let port = tables.port(packet.ifindex()).ok_or(DropReason::UnknownPort)?;
    let port_word = mac_field!(port, mac).get();
    let Some(port) = u32::from((port_word >> 48) as u16).checked_sub(1) else {
        return Err(DropReason::UnknownPort);
    };
    let tagged = vlan::tags(packet.frame())?;
    let page =
        tables.svid_page(port * SVIDS_PER_PORT + u32::from(tagged.s_vid)).ok_or(DropReason::Inconsistent)?;
    #[expect(clippy::cast_possible_truncation, reason = "an index, which is 32 bits wide")]
    let page = live::value(page).get() as u32;
    if page == 0 {
        return Err(DropReason::UnknownTags);
    }
    let page = tables.line_page(page).ok_or(DropReason::Inconsistent)?;
    let reference: HomeRef = field!(page, homes[usize::from(tagged.c_vid & 0xfff)]).get();
    if reference.is_none() {
        return Err(DropReason::UnknownTags);
    }
    let home = Home::find(tables, reference.unit()).ok_or(DropReason::Inconsistent)?;
    let mac_and_flags = mac_field!(home.up(), mac).get();
    Ok(Arrival {
        home,
        order: reference.order(),
        port,
        port_mac: port_word & MAC_BITS,
        mac_and_flags,
        now_ns: tables.recent_ns(),
    })
}

impl Arrival {
    #[inline(always)]
    fn has(&self, flag: u16) -> bool {
        self.mac_and_flags & u64::from(flag) << 48 != 0
    }

    /// Tells user space, unless the subscriber had its share, and counts.
    #[inline(always)]
    fn stop<P: Packet, T: Tables>(&self, packet: &P, tables: &T, stop: Stop) -> Verdict {
        let Some(session) = self.home.session(tables) else { return Verdict::Drop(stop.reason) };
        let verdict = stop.verdict(|reason| {
            policer::may_punt(tables, session) && packet.punt(reason, self.port, self.home.session_index())
        });
        if let Verdict::Drop(_) = verdict {
            field!(session, drops_up).add(1);
        }
        verdict
    }

    #[inline(always)]
    fn mappings(&self) -> Mappings {
        Mappings { home: self.home, order: self.order, now_ns: self.now_ns }
    }
}

#[inline(always)]
fn receive<P: Packet, T: Tables>(packet: &mut P, tables: &T, arrival: &Arrival) -> Result<Verdict, Stop> {
    let towards = match judge(packet, tables, arrival)? {
        Step::Answer => return Ok(Verdict::Redirect(arrival.port)),
        Step::Leave(towards) => towards,
    };
    Ok(leave(packet, arrival, towards)?)
}

/// What is left to do with a packet that was judged.
enum Step {
    /// It is its own answer, and goes back where it came from.
    Answer,
    Leave(Towards),
}

#[inline(always)]
fn judge<P: Packet, T: Tables>(packet: &P, tables: &T, arrival: &Arrival) -> Result<Step, Stop> {
    if !arrival.has(flags::ACTIVE) {
        return Err(DropReason::Suspended.into());
    }
    let frame = packet.frame();
    let header = frame.window::<22>(0).ok_or(DropReason::Truncated)?;
    let ethertype = header.raw16::<20>();
    if ethertype == ETHERTYPE_ARP {
        // Not XDP_TX: a veth does not wake a peer that has no program of its own, while it does after a redirect.
        arp::answer(frame, header, tables, arrival.home, arrival.port_mac)?;
        return Ok(Step::Answer);
    }
    if ethertype != ETHERTYPE_IPV4 {
        return Err(DropReason::EtherType.into());
    }
    let ip = Ipv4::parse(frame, PACKET_AT)?;
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
    if may_be_gateway(target) && is_gateway(tables, arrival, ip.destination)? {
        // The gateway answers pings, and nothing else.
        return Err(match ip.transport(frame)? {
            Transport::Echo(_) if ip.is_whole() => Stop::hand_over(PuntReason::GatewayEcho),
            _ => DropReason::ToOffice.into(),
        });
    }
    forward(frame, tables, arrival, &ip, target).map(Step::Leave)
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
fn is_dhcp_request(frame: Frame<'_>, ip: &Ipv4<'_>) -> bool {
    if ip.protocol != UDP || !ip.is_whole() {
        return false;
    }
    match frame.window::<8>(ip.payload_at) {
        Some(udp) => udp.raw16::<0>() == DHCP_CLIENT && udp.raw16::<2>() == DHCP_SERVER,
        None => false,
    }
}

/// Where a packet goes on to.
#[derive(Clone, Copy)]
enum Towards {
    NextHop(NonNull<NextHop>),
    /// Another subscriber (or the same one by its public address).
    Subscriber,
    /// A network behind an interface that is no port of the office.
    Kernel,
}

#[inline(always)]
fn towards<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    ip: &Ipv4<'_>,
    target: FibTarget,
) -> Result<Towards, DropReason> {
    let mut target = target;
    if target.kind() == FibTarget::KIND_DEFAULT {
        let settings = tables.settings().ok_or(DropReason::Inconsistent)?;
        target = field!(settings, default_route).get();
    }
    let index = match target.kind() {
        FibTarget::KIND_NEXT_HOP => target.index(),
        FibTarget::KIND_GROUP => {
            let group = tables.next_hop_group(target.index()).ok_or(DropReason::Inconsistent)?;
            u32::from(field!(group, slots[flow::slot(frame, ip)]).get())
        }
        FibTarget::KIND_NAT | FibTarget::KIND_SESSION => return Ok(Towards::Subscriber),
        FibTarget::KIND_KERNEL => 0,
        FibTarget::KIND_LOCAL => return Err(DropReason::ToOffice),
        FibTarget::KIND_BLACKHOLE => return Err(DropReason::Blackhole),
        FibTarget::KIND_DEFAULT => return Err(DropReason::NoRoute),
        _ => return Err(DropReason::Inconsistent),
    };
    if index == 0 {
        return Ok(Towards::Kernel);
    }
    let next_hop = tables.next_hop(index).ok_or(DropReason::Inconsistent)?;
    if mac_field!(next_hop, destination).get() & MAC_BITS == 0 {
        return Err(DropReason::NeighbourUnresolved);
    }
    Ok(Towards::NextHop(next_hop))
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
        nat::touch(arrival.mappings(), nat::key(ip.protocol, transport.be16::<0>()));
    }
    let towards = towards(frame, tables, ip, target)?;
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
            let mapping = nat::existing(arrival.mappings(), key).ok_or(DropReason::IcmpErrorUnknown)?;
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
    let mapping = nat::outbound(arrival.mappings(), key, remote).ok_or(DropReason::NatPortsExhausted)?;
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

/// Takes the tags off and sends the packet on its way.
#[inline(always)]
fn leave<P: Packet>(packet: &mut P, arrival: &Arrival, towards: Towards) -> Result<Verdict, DropReason> {
    if !packet.move_head(TAGS_LEN) {
        return Err(DropReason::Inconsistent);
    }
    let header = packet.frame().window::<14>(0).ok_or(DropReason::Truncated)?;
    header.set_raw16::<12>(ETHERTYPE_IPV4);
    match towards {
        Towards::NextHop(next_hop) => {
            header.set_mac_word::<0>(mac_field!(next_hop, destination).get());
            header.set_mac_word::<6>(mac_field!(next_hop, source).get());
            Ok(Verdict::Redirect(u32::from(field!(next_hop, port).get())))
        }
        Towards::Subscriber => {
            header.set_mac_word::<0>(arrival.port_mac);
            header.set_mac_word::<6>(arrival.port_mac);
            Ok(Verdict::Core)
        }
        Towards::Kernel => {
            header.set_mac_word::<0>(arrival.port_mac);
            header.set_mac_word::<6>(arrival.port_mac);
            Ok(Verdict::Pass)
        }
    }
}
