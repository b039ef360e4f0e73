//! The firewall of a subscriber's IPv4, in both directions; see `six` for IPv6's.
//!
//! Where NAT is in between, a flow is known by the inside address and port, whatever stands for them outside.

use map_abi::{DropReason, flags};

use crate::{
    Frame, Tables,
    access::Arrival,
    flows::{self, End, Ends, Print},
    frame::opaque_number,
    parse::{Ipv4, TCP, tcp_flags},
    rules,
};

/// What of the other end's port a flow is known by: all or nothing. Without a branch, as it is for every packet.
#[inline(always)]
pub(crate) fn port_mask(bits: u16) -> u16 {
    ((bits / flags::BY_ADDRESS) & 1).wrapping_sub(1)
}

/// The flags of a TCP packet that matter to its flow: where that is all there is between two hosts, one connection's end is
/// not its end.
#[inline(always)]
pub(crate) fn tcp_flags_of(frame: Frame<'_>, ip: &Ipv4<'_>, bits: u16) -> u8 {
    const ENDS: u8 = tcp_flags::FIN | tcp_flags::RST;
    #[expect(clippy::cast_possible_truncation, reason = "a byte is what is wanted")]
    let mask = port_mask(bits) as u8 | !ENDS;
    ip.tcp_flags(frame) & mask
}

/// The print of the flow that a packet from a subscriber belongs to; `None`: errors and later fragments are of none.
#[inline(always)]
pub(crate) fn print_up<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    arrival: &Arrival,
    ip: &Ipv4<'_>,
) -> Result<Option<Print>, DropReason> {
    if ip.is_later_fragment() || ip.is_icmp_error(frame) {
        return Ok(None);
    }
    let (source, destination) = ip.ports(frame)?;
    let destination = destination & port_mask(arrival.flags());
    let (inside, remote) = (End::v4(ip.source, source), End::v4(ip.destination, destination));
    let ends = Ends { inside, remote, protocol: ip.protocol };
    Print::of(tables, &ends).ok_or(DropReason::Inconsistent).map(Some)
}

/// Whether the firewall knows what an answer will be, and lets it in by the rules that there are.
///
/// The header is read again, and the outcome is a number of which the verifier knows nothing: else it would follow each way
/// through here to the end of the program.
#[inline(always)]
pub(crate) fn is_known<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    arrival: &Arrival,
) -> Result<bool, DropReason> {
    let ip = Ipv4::known(frame, arrival.packet_at()).ok_or(DropReason::Truncated)?;
    Ok(opaque_number(u32::from(finds(frame, tables, arrival, &ip)?)) != 0)
}

#[inline(always)]
fn finds<T: Tables>(
    frame: Frame<'_>,
    tables: &T,
    arrival: &Arrival,
    ip: &Ipv4<'_>,
) -> Result<bool, DropReason> {
    let Some(print) = print_up(frame, tables, arrival, ip)? else { return Ok(true) };
    let memory = flows::of(tables, arrival.home.six(), arrival.now_ns).ok_or(DropReason::Inconsistent)?;
    let Some(flow) = memory.existing(print.0, print.hash()) else { return Ok(false) };
    if arrival.has(flags::RULES) && !flows::is_judged(flow, rules::of(arrival.home)) {
        return Ok(false);
    }
    flow.saw_outbound(arrival.now_ns);
    if ip.protocol == TCP {
        flow.saw_outbound_tcp(tcp_flags_of(frame, ip, arrival.flags()));
    }
    Ok(true)
}
