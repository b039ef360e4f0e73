//! The first packet of a flow from a subscriber.

use map_abi::{Course, DropReason, flags};

use crate::{
    Frame, Packet, Tables, Verdict,
    access::{Arrival, arrive},
    devices, firewall, flows,
    frame::opaque_number,
    nat::{self, Remote},
    overflow,
    parse::{Ipv4, Transport},
    told,
};

/// Makes the mapping for the first packet of a flow, or lets the firewall know it, which then goes the ordinary way; what
/// is in a further port block goes the way of those. A program of its own: the many ways of finding a place would be too
/// much for that of all packets.
#[inline(always)]
pub fn open<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    let opened = match arrive(packet, tables) {
        Err(reason) => Err(reason),
        Ok(arrival) if arrival.has(flags::NAT) => map(packet.frame(), tables, &arrival),
        Ok(arrival) => remember(packet.frame(), tables, &arrival),
    };
    match opened {
        Ok(verdict) => verdict,
        Err(reason) => match arrive(packet, tables) {
            Ok(arrival) => arrival.stop::<P, T, false>(packet, tables, reason.into()),
            Err(reason) => Verdict::Drop(reason),
        },
    }
    .counted(packet, tables, Course::UP)
}

/// Lets the firewall know a flow.
#[inline(always)]
fn remember<T: Tables>(frame: Frame<'_>, tables: &T, arrival: &Arrival) -> Result<Verdict, DropReason> {
    let ip = Ipv4::known(frame, arrival.packet_at()).ok_or(DropReason::Truncated)?;
    let print = firewall::print_up(frame, tables, arrival, &ip)?.ok_or(DropReason::Inconsistent)?;
    let memory = flows::of(tables, arrival.home.six(), arrival.now_ns).ok_or(DropReason::Inconsistent)?;
    let claimed = memory.claim(print.0, print.hash(), |entry| flows::fill(entry, ip.protocol, 0));
    if claimed.is_some() { Ok(Verdict::Access) } else { Err(DropReason::FlowsExhausted) }
}

/// Makes a mapping, unless it is there, in a further port block. Sessions that are not active have what their own block has
/// room for: packets from and to the walled garden do not come past further ones.
#[inline(always)]
fn map<T: Tables>(frame: Frame<'_>, tables: &T, arrival: &Arrival) -> Result<Verdict, DropReason> {
    let ip = Ipv4::known(frame, arrival.packet_at()).ok_or(DropReason::Truncated)?;
    let mut is_error = 0;
    let (key, port) = match ip.transport(frame)? {
        Transport::Tcp(tcp) => (nat::key(ip.protocol, tcp.be16::<0>()), tcp.raw16::<2>()),
        Transport::Udp(udp) => (nat::key(ip.protocol, udp.be16::<0>()), udp.raw16::<2>()),
        Transport::Echo(icmp) => (nat::key(ip.protocol, icmp.be16::<4>()), 0),
        Transport::IcmpError => {
            is_error = 1;
            (overflow::quoted_key(frame, &ip)?, 0)
        }
        _ => return Err(DropReason::NatProtocol),
    };
    let key = nat::of_device(key, devices::number(arrival.home, ip.source));
    if arrival.has(flags::ACTIVE) && overflow::holds(tables, arrival, key) {
        return Ok(Verdict::Overflow);
    }
    // Errors begin nothing.
    if opaque_number(is_error) != 0 {
        return Err(DropReason::IcmpErrorUnknown);
    }
    let Some(room) = overflow::with_room(tables, arrival, key) else {
        told::exhausted(tables, arrival);
        return Err(DropReason::NatPortsExhausted);
    };
    let remote = Remote { address: ip.destination, port };
    let mappings = nat::mappings(room.block, room.order, arrival.now_ns);
    let claimed = mappings.claim(key, nat::hash(key), |entry| remote.fill(entry));
    let claimed = claimed.ok_or(DropReason::NatPortsExhausted)?;
    told::mapping(tables, arrival, room.block, key, remote, claimed);
    Ok(if room.is_own { Verdict::Access } else { Verdict::Overflow })
}
