//! One to one NAT (RFC 3022, section 2.1): an address stands for another, and nothing else of a packet changes but the
//! checksums that are over addresses too.

use map_abi::{DropReason, flags, mapped};

use crate::{
    Frame, Tables,
    checksum::Delta,
    core_side::Receiver,
    icmp::{Quote, Side},
    inbound::Kind,
    live::field,
    parse::{Ipv4, Transport},
};

/// Mends the rest of a packet in whose header `address` has taken the place of `instead_of`; `delta` is what that does to a
/// checksum, and is given back. `side` is the subscriber's in what an error quotes.
#[inline(always)]
pub(crate) fn mend(
    frame: Frame<'_>,
    ip: &Ipv4<'_>,
    delta: Delta,
    side: Side,
    (instead_of, address): (u32, u32),
) -> Result<Delta, DropReason> {
    match ip.transport(frame)? {
        Transport::Tcp(tcp) => tcp.set_raw16::<16>(delta.apply(tcp.raw16::<16>())),
        Transport::Udp(udp) => udp.set_raw16::<6>(delta.apply_udp(udp.raw16::<6>())),
        Transport::IcmpError => {
            let quote = Quote::parse(frame, ip.payload_at, ip.payload_len)?;
            let quoted = if side == Side::Source { quote.source } else { quote.destination };
            if quoted != instead_of {
                return Err(DropReason::IcmpErrorUnknown);
            }
            let icmp = frame.window::<8>(ip.payload_at).ok_or(DropReason::Truncated)?;
            quote.translate(icmp, side, address, quote.port_of(side));
        }
        _ => {}
    }
    Ok(delta)
}

/// What is done with a packet to a home behind NAT that came by an address which leads there alone: its public one, or its
/// own, by which only those reach it that are exempt from NAT.
#[inline(always)]
pub(crate) fn kind<T: Tables>(tables: &T, ip: &Ipv4<'_>, receiver: &Receiver) -> Result<Kind, DropReason> {
    let own = field!(receiver.home.down(), network).raw();
    if receiver.has(flags::ONE_TO_ONE) && ip.destination != own {
        return Ok(Kind::OneToOne);
    }
    if tables.is_nat_exempt(mapped(ip.source)) { Ok(Kind::Routed) } else { Err(DropReason::NatNoMapping) }
}
