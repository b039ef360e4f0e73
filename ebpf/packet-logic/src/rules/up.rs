//! Packets from a subscriber.

use map_abi::{Course, DropReason};

use crate::{
    Packet, Tables, Verdict,
    access::{Arrival, arrive},
    firewall,
    flows::{End, Ends},
    parse::{ETHERTYPE_IPV4, Ipv4},
    parse6::Ipv6,
    rules::judge,
};

/// Asks the rules about the flow of a packet, which then goes the ordinary way.
#[inline(always)]
pub fn rules<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    match arrive(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(arrival) => match ask(packet, tables, &arrival) {
            Ok(true) => Verdict::Access,
            Ok(false) => Verdict::Access6,
            Err(reason) => arrival.stop::<P, T, false>(packet, tables, reason.into()),
        },
    }
    .counted(packet, tables, Course::UP)
}

/// Whether it was a packet of IPv4.
#[inline(always)]
fn ask<P: Packet, T: Tables>(packet: &P, tables: &T, arrival: &Arrival) -> Result<bool, DropReason> {
    let frame = packet.frame();
    let tail = frame.window::<2>(arrival.packet_at() - 2).ok_or(DropReason::Truncated)?;
    let is_v4 = tail.raw16::<0>() == ETHERTYPE_IPV4;
    let ends = if is_v4 {
        let ip = Ipv4::known(frame, arrival.packet_at()).ok_or(DropReason::Truncated)?;
        let (source, destination) = ip.ports(frame)?;
        let destination = destination & firewall::port_mask(arrival.flags());
        let (inside, remote) = (End::v4(ip.source, source), End::v4(ip.destination, destination));
        Ends { inside, remote, protocol: ip.protocol }
    } else {
        let ip = Ipv6::parse(frame, arrival.packet_at())?;
        let (inside, remote) = ip.ends(frame)?;
        Ends { inside, remote, protocol: ip.protocol }
    };
    judge(tables, arrival.home, arrival.now_ns, &ends, 0, false)?;
    Ok(is_v4)
}
