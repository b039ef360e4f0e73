//! Packets to a subscriber.

use map_abi::{Course, DropReason};

use crate::{
    Packet, Tables, Verdict,
    core_side::{PACKET_AT, Receiver, came_by},
    flows::Ends,
    inbound::{self, Found, Inbound},
    parse::{ETHERTYPE_IPV4, Ipv4},
    parse6::{ETHERTYPE_IPV6, Ipv6},
    rules::{OUTSIDE, judge},
    six::find6,
};

/// Asks the rules about the flow of a packet from the core or from another subscriber, which then goes the ordinary way.
#[inline(always)]
pub fn rules_in<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    let came_by = match came_by(packet, tables) {
        Err(reason) => return Verdict::Drop(reason).counted(packet, tables, Course::DOWN),
        Ok(came_by) => came_by,
    };
    match came_by.ethertype {
        ETHERTYPE_IPV4 => match inbound::find::<P, T, true>(packet, tables, &came_by) {
            Err(reason) => Verdict::Drop(reason),
            Ok(Found::Kernel) => Verdict::Pass,
            Ok(Found::Subscriber(inbound)) => match ask(packet, tables, &inbound) {
                Ok(()) => Verdict::Core,
                Err(reason) => inbound.receiver.stop(packet, tables, reason.into()),
            },
        },
        ETHERTYPE_IPV6 => match find6(packet, tables, &came_by) {
            Err(reason) => Verdict::Drop(reason),
            Ok(None) => Verdict::Pass,
            Ok(Some(receiver)) => match ask6(packet, tables, &receiver) {
                Ok(()) => Verdict::Core6,
                Err(reason) => receiver.stop(packet, tables, reason.into()),
            },
        },
        _ => Verdict::Pass,
    }
    .counted(packet, tables, came_by.course)
}

#[inline(always)]
fn ask<P: Packet, T: Tables>(packet: &P, tables: &T, inbound: &Inbound) -> Result<(), DropReason> {
    let Inbound { receiver, translation, .. } = inbound;
    receiver.check()?;
    let frame = packet.frame();
    let ip = Ipv4::known(frame, PACKET_AT).ok_or(DropReason::Truncated)?;
    let ends = inbound::ends(frame, &ip, receiver.home, *translation)?;
    judge(tables, receiver.home, receiver.now_ns, &ends, OUTSIDE, translation.is_forward)
}

#[inline(always)]
fn ask6<P: Packet, T: Tables>(packet: &P, tables: &T, receiver: &Receiver) -> Result<(), DropReason> {
    receiver.check()?;
    let frame = packet.frame();
    let ip = Ipv6::parse(frame, PACKET_AT)?;
    let (remote, inside) = ip.ends(frame)?;
    let ends = Ends { inside, remote, protocol: ip.protocol };
    judge(tables, receiver.home, receiver.now_ns, &ends, OUTSIDE, false)
}
