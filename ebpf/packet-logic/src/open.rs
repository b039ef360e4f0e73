//! The first packet of a flow from a subscriber.

use map_abi::{Course, DropReason, flags};

use crate::{
    Frame, Packet, Tables, Verdict,
    access::{Arrival, arrive},
    firewall, flows,
    nat::{self, Remote},
    parse::{Ipv4, Transport},
    told,
};

/// Makes the mapping for the first packet of a flow, or lets the firewall know it, which then goes the ordinary way. A
/// program of its own: the many ways of finding a place would be too much for that of all packets.
#[inline(always)]
pub fn open<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    let opened = match arrive(packet, tables) {
        Err(reason) => Err(reason),
        Ok(arrival) if arrival.has(flags::NAT) => map(packet.frame(), tables, &arrival),
        Ok(arrival) => remember(packet.frame(), tables, &arrival),
    };
    match opened {
        Ok(()) => Verdict::Access,
        Err(reason) => match arrive(packet, tables) {
            Ok(arrival) => arrival.stop::<P, T, false>(packet, tables, reason.into()),
            Err(reason) => Verdict::Drop(reason),
        },
    }
    .counted(packet, tables, Course::UP)
}

/// Lets the firewall know a flow.
#[inline(always)]
fn remember<T: Tables>(frame: Frame<'_>, tables: &T, arrival: &Arrival) -> Result<(), DropReason> {
    let ip = Ipv4::known(frame, arrival.packet_at()).ok_or(DropReason::Truncated)?;
    let print = firewall::print_up(frame, tables, &ip)?.ok_or(DropReason::Inconsistent)?;
    let memory = flows::of(tables, arrival.home.six(), arrival.now_ns).ok_or(DropReason::Inconsistent)?;
    let claimed = memory.claim(print.0, print.hash(), |entry| flows::fill(entry, ip.protocol, 0));
    if claimed.is_some() { Ok(()) } else { Err(DropReason::FlowsExhausted) }
}

/// Makes a mapping.
#[inline(always)]
fn map<T: Tables>(frame: Frame<'_>, tables: &T, arrival: &Arrival) -> Result<(), DropReason> {
    let ip = Ipv4::known(frame, arrival.packet_at()).ok_or(DropReason::Truncated)?;
    let (key, port) = match ip.transport(frame)? {
        Transport::Tcp(tcp) => (nat::key(ip.protocol, tcp.be16::<0>()), tcp.raw16::<2>()),
        Transport::Udp(udp) => (nat::key(ip.protocol, udp.be16::<0>()), udp.raw16::<2>()),
        Transport::Echo(icmp) => (nat::key(ip.protocol, icmp.be16::<4>()), 0),
        _ => return Err(DropReason::NatProtocol),
    };
    let remote = Remote { address: ip.destination, port };
    let mappings = nat::mappings(arrival.home, arrival.order, arrival.now_ns);
    let claimed = mappings.claim(key, nat::hash(key), |entry| remote.fill(entry));
    let claimed = claimed.ok_or(DropReason::NatPortsExhausted)?;
    told::mapping(tables, arrival, ip.source, key, remote, claimed);
    Ok(())
}
