//! Marks by priority: where a port asks for it, what its lines send is marked with the priority of the outer tag as a class
//! selector (RFC 2474, section 4.2.2), so that behind the office what counts is what the access node says of a frame, and not
//! what a home says of its own packets.

use map_abi::{DropReason, port_flags};

use crate::{Frame, access::Arrival};

/// Of the first byte of a tag, the bits of the priority (IEEE 802.1Q, clause 6.9.3), which are in the place of the class
/// selector's in a type of service.
const PRIORITY: u8 = 0xe0;
/// The bits beside a mark, which are those of explicit congestion notification (RFC 3168).
const ECN: u8 = 3;

/// The type of service, or traffic class, that a packet from a line has in the office. Without a tag its priority is 0.
#[inline(always)]
pub(crate) fn mark(frame: Frame<'_>, arrival: &Arrival, class: u8) -> Result<u8, DropReason> {
    if arrival.port_flags & port_flags::MARK_BY_PRIORITY == 0 {
        return Ok(class);
    }
    let header = frame.window::<15>(0).ok_or(DropReason::Truncated)?;
    let priority = if arrival.tags_len == 0 { 0 } else { header.u8::<14>() & PRIORITY };
    Ok(priority | class & ECN)
}
