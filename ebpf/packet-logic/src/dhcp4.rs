//! DHCPv4 for the home that is known: its DISCOVER and its REQUEST of its own lease, answered in place (RFC 2131).
//!
//! What is answered here is answered as `access_protocols::dhcp4` would, option for option; that is a test. All else
//! goes to user space: other devices, other addresses, relays, overloaded or malformed messages, and whatever does not
//! answer with a lease. A program of its own, since no other packet needs any of this.

mod options;
mod reply;
mod request;

use core::ptr::NonNull;

use map_abi::{Course, DropReason, PuntReason, Session, dhcp_answer, flags};

use crate::{
    Packet, Tables, Verdict,
    access::{Arrival, arrive},
    frame::MAC_BITS,
    live::field,
    policer,
};
use reply::Reply;
use request::{Line, Request};

/// Deals with a DHCPv4 message that came in by an access port.
#[inline(always)]
pub fn dhcp<P: Packet, T: Tables>(packet: &mut P, tables: &T) -> Verdict {
    match arrive(packet, tables) {
        Err(reason) => Verdict::Drop(reason),
        Ok(arrival) => serve(packet, tables, &arrival),
    }
    .counted(packet, tables, Course::UP)
}

/// The limit for packets to user space holds for answers too: a flood is not reflected. It is looked at first, so that
/// a flood costs little.
#[inline(always)]
fn serve<P: Packet, T: Tables>(packet: &mut P, tables: &T, arrival: &Arrival) -> Verdict {
    let Some(session) = arrival.home.session(tables) else {
        return Verdict::Drop(DropReason::Inconsistent);
    };
    if policer::may_punt(tables, session) {
        if let Some(reply) = answer(packet, tables, arrival, session)
            && reply.make_room(packet, arrival)
        {
            return match reply.send(packet, arrival) {
                Some(()) => {
                    note(tables, arrival, session, &reply);
                    Verdict::AnsweredDhcp(arrival.port)
                }
                None => Verdict::Drop(DropReason::Inconsistent),
            };
        }
        if packet.punt(PuntReason::Dhcp, arrival.port, arrival.home.session_index()) {
            return Verdict::Punted(PuntReason::Dhcp);
        }
    }
    field!(session, drops_up).add(1);
    Verdict::Drop(DropReason::PuntLost)
}

/// The answer, ready in the scratch memory; `None`: it is user space's to give.
#[inline(always)]
fn answer<P: Packet, T: Tables>(
    packet: &P,
    tables: &T,
    arrival: &Arrival,
    session: NonNull<Session>,
) -> Option<Reply> {
    let profile = field!(session, dhcp_profile).get();
    if profile == 0 || !arrival.has(flags::ACTIVE) || !arrival.has(flags::MAC_KNOWN) {
        return None;
    }
    let profile = tables.dhcp_profile(profile)?;
    let line = Line {
        mac: arrival.mac_and_flags & MAC_BITS,
        lease: field!(session, address).raw(),
        gateway: field!(session, gateway).raw(),
        tags_len: tags_len(session),
    };
    let request = Request::read(packet, tables.dhcp_scratch()?, arrival, &line)?;
    let kind = request.decide(&line)?;
    Reply::write(packet, &request, kind, &line, profile)
}

/// Bytes of the tags that the session's frames have: a tag that only says a priority is one more, and not the session's.
#[inline(always)]
fn tags_len(session: NonNull<Session>) -> usize {
    let tags = [field!(session, s_vid).get(), field!(session, c_vid).get()];
    tags.iter().filter(|vid| **vid != 0).count() * crate::vlan::TAG_LEN
}

/// Counts the answer, and keeps until when the lease is given: user space has to know before it gives it to another.
#[inline(always)]
fn note<T: Tables>(tables: &T, arrival: &Arrival, session: NonNull<Session>, reply: &Reply) {
    if reply.is_lease {
        let now_s = arrival.now_ns / 1_000_000_000;
        field!(session, lease_ends_s).set(now_s + u64::from(reply.lease_seconds));
    }
    tables.count_dhcp(if reply.is_lease { dhcp_answer::ACK } else { dhcp_answer::OFFER });
}
