//! What a subscriber says on its link and does not send through the office: broadcast and multicast, for which there is a
//! limit, ARP, and what is for another station.
//!
//! A program of its own, to which that of access ports leads on what is not sent to the port's own address. So a flow that
//! is forwarded pays nothing for the limit, for no group address is that of a port. What is left of a frame when it comes
//! from here, DHCP or IPv6, has programs of its own too, for any state of the session.

use map_abi::{Course, DropReason, flags};

use crate::{
    Packet, Tables, Verdict,
    access::{Arrival, arrive},
    arp,
    parse::{ETHERTYPE_ARP, ETHERTYPE_IPV4, Ipv4},
    parse6::ETHERTYPE_IPV6,
    storm,
    up::is_dhcp_request,
};

/// The bit of an address's first byte that says that it is a group's.
const GROUP: u8 = 1;

/// Deals with a frame that came in by an access port and is for the link.
#[inline(always)]
pub fn link<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    match arrive(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(arrival) => match judge(packet, tables, &arrival) {
            Ok(verdict) => verdict,
            Err(reason) => arrival.stop::<P, T, false>(packet, tables, reason.into()),
        },
    }
    .counted(packet, tables, Course::UP)
}

#[inline(always)]
fn judge<P: Packet, T: Tables>(packet: &P, tables: &T, arrival: &Arrival) -> Result<Verdict, DropReason> {
    let frame = packet.frame();
    let header = frame.window::<14>(0).ok_or(DropReason::Truncated)?;
    if header.u8::<0>() & GROUP != 0 {
        storm::admit(tables, arrival)?;
    }
    let tail = frame.window::<2>(arrival.packet_at() - 2).ok_or(DropReason::Truncated)?;
    let ethertype = tail.raw16::<0>();
    if ethertype == ETHERTYPE_IPV6 {
        return Ok(Verdict::Access6);
    }
    if ethertype == ETHERTYPE_ARP {
        // Not XDP_TX: a veth does not wake a peer that has no program of its own, while it does after a redirect.
        arp::answer(frame, header, tables, arrival)?;
        return Ok(Verdict::AnsweredArp(arrival.port));
    }
    if ethertype != ETHERTYPE_IPV4 {
        return Err(DropReason::EtherType);
    }
    let ip = Ipv4::parse(frame, arrival.packet_at())?;
    if is_dhcp_request(frame, &ip) {
        return Ok(Verdict::Dhcp);
    }
    if !arrival.has(flags::ACTIVE) {
        arrival.has_garden(tables)?;
    }
    Err(DropReason::DestinationMac)
}
