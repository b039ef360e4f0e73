//! What goes back in a packet's place: an answer, or a reset. The tags stay as they are.

use super::{Datagram, UDP_HEADER_LEN};
use crate::{
    Frame, Packet,
    access::Arrival,
    live::field,
    parse::{TCP, UDP, tcp_flags},
    sheet::{Sheet, fold_long, halves},
};

/// Version, header length and type of service.
const VERSION_AND_TOS: u16 = u16::from_ne_bytes([0x45, 0]);
/// No identification, for the packet is not to be fragmented (RFC 6864).
const DONT_FRAGMENT: u32 = u32::from_ne_bytes([0, 0, 0x40, 0]);
/// Version 6, no class and no label.
const VERSION6: u32 = u32::from_ne_bytes([0x60, 0, 0, 0]);
/// RFC 1700, "IP Time to Live".
const HOPS: u8 = 64;
const TCP_HEADER_LEN: usize = 20;
/// A header of five words.
const DATA_OFFSET: u8 = 5 << 4;

/// Sends the message in the scratch memory, from whom the query was for to whom it is from.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the message is shorter than 1024 bytes")]
pub(super) fn answer<P: Packet>(packet: &mut P, arrival: &Arrival, datagram: Datagram) -> Option<()> {
    let sheet = Sheet::query(datagram.scratch);
    let len = field!(datagram.scratch, task.message_len).get() as usize & 511;
    let udp_at = datagram.payload_at();
    if !datagram.is_plain(arrival) {
        return None;
    }
    if !packet.set_len(udp_at + UDP_HEADER_LEN + len) {
        return None;
    }
    // SAFETY: the scratch memory is larger.
    if !unsafe { packet.store(udp_at + UDP_HEADER_LEN, sheet.at(0), len) } {
        return None;
    }
    let frame = packet.frame();
    let udp_len = (UDP_HEADER_LEN + len) as u16;
    let pseudo = turn(frame, arrival, datagram, UDP, udp_len)?;
    let udp = frame.window::<8>(udp_at)?;
    let (from, to) = (udp.raw16::<0>(), udp.raw16::<2>());
    udp.set_raw16::<0>(to);
    udp.set_raw16::<2>(from);
    udp.set_be16::<4>(udp_len);
    let header = u64::from(from) + u64::from(to) + u64::from(udp_len.to_be());
    let check = !fold_long(pseudo + header + sheet.sum(len));
    // 0 would say that there is none.
    udp.set_raw16::<6>(if check == 0 { u16::MAX } else { check });
    Some(())
}

/// Resets the connection that a segment is of (RFC 9293, section 3.10.7.1). The other end is not told, for a program makes
/// one frame of one: a resolver closes what is idle after seconds (RFC 7766, section 6.2.3), and what it says then the client
/// answers with a reset, which goes through. Were it told and not the client, that one would wait until it gives up.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "no longer than the packet")]
pub(super) fn reset<P: Packet>(packet: &mut P, arrival: &Arrival, datagram: Datagram) -> Option<()> {
    let tcp_at = datagram.payload_at();
    if !datagram.is_plain(arrival) {
        return None;
    }
    let (sequence, acknowledgement, kind) = {
        let tcp = packet.frame().window::<20>(tcp_at)?;
        let flags = tcp.u8::<13>();
        if flags & tcp_flags::ACK != 0 {
            (tcp.raw32::<8>(), 0, tcp_flags::RST)
        } else {
            let header_len = usize::from(tcp.u8::<12>() >> 4) * 4;
            let carried = datagram.payload_len().wrapping_sub(header_len) as u32;
            let marks = u32::from(flags & tcp_flags::SYN != 0) + u32::from(flags & tcp_flags::FIN != 0);
            let next = u32::from_be(tcp.raw32::<4>()).wrapping_add(carried).wrapping_add(marks);
            (0, next.to_be(), tcp_flags::RST | tcp_flags::ACK)
        }
    };
    if !packet.set_len(tcp_at + TCP_HEADER_LEN) {
        return None;
    }
    let frame = packet.frame();
    let pseudo = turn(frame, arrival, datagram, TCP, TCP_HEADER_LEN as u16)?;
    let tcp = frame.window::<20>(tcp_at)?;
    let (from, to) = (tcp.raw16::<0>(), tcp.raw16::<2>());
    tcp.set_raw16::<0>(to);
    tcp.set_raw16::<2>(from);
    tcp.set_raw32::<4>(sequence);
    tcp.set_raw32::<8>(acknowledgement);
    let kind = u16::from_ne_bytes([DATA_OFFSET, kind]);
    tcp.set_raw16::<12>(kind);
    tcp.set_raw32::<14>(0);
    tcp.set_raw16::<18>(0);
    let words = u64::from(from) + u64::from(to) + halves(sequence) + halves(acknowledgement);
    tcp.set_raw16::<16>(!fold_long(pseudo + words + u64::from(kind)));
    Some(())
}

/// Turns the packet round and gives it a header for a payload of that length; the sum of the pseudo-header.
#[inline(always)]
fn turn(
    frame: Frame<'_>,
    arrival: &Arrival,
    datagram: Datagram,
    protocol: u8,
    payload_len: u16,
) -> Option<u64> {
    let header = frame.window::<14>(0)?;
    header.set_mac_word::<0>(header.mac_word::<6>());
    header.set_mac_word::<6>(arrival.port_mac);
    let at = arrival.packet_at();
    let rest = u64::from(u16::from(protocol).to_be()) + u64::from(payload_len.to_be());
    if datagram.is_six() {
        let ip = frame.window::<40>(at)?;
        let (source, destination) =
            ([ip.raw64::<8>(), ip.raw64::<16>()], [ip.raw64::<24>(), ip.raw64::<32>()]);
        ip.set_raw32::<0>(VERSION6);
        ip.set_be16::<4>(payload_len);
        ip.set_raw16::<6>(u16::from_ne_bytes([protocol, HOPS]));
        ip.set_raw64::<8>(destination[0]);
        ip.set_raw64::<16>(destination[1]);
        ip.set_raw64::<24>(source[0]);
        ip.set_raw64::<32>(source[1]);
        let ends = longs(source[0]) + longs(source[1]) + longs(destination[0]) + longs(destination[1]);
        return Some(rest + ends);
    }
    let ip = frame.window::<20>(at)?;
    let (source, destination) = (ip.raw32::<12>(), ip.raw32::<16>());
    let total_len = payload_len + 20;
    let ttl_and_protocol = u16::from_ne_bytes([HOPS, protocol]);
    ip.set_raw16::<0>(VERSION_AND_TOS);
    ip.set_be16::<2>(total_len);
    ip.set_raw32::<4>(DONT_FRAGMENT);
    ip.set_raw16::<8>(ttl_and_protocol);
    ip.set_raw32::<12>(destination);
    ip.set_raw32::<16>(source);
    let ends = halves(source) + halves(destination);
    let words = u64::from(VERSION_AND_TOS) + u64::from(total_len.to_be()) + halves(DONT_FRAGMENT);
    ip.set_raw16::<10>(!fold_long(words + u64::from(ttl_and_protocol) + ends));
    Some(rest + ends)
}

/// The sum of the two halves of a long word.
#[inline(always)]
fn longs(word: u64) -> u64 {
    (word & 0xffff_ffff) + (word >> 32)
}
