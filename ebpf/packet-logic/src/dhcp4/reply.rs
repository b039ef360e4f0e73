//! The answer: written in the scratch memory, then put in the request's place.

use core::ptr::NonNull;

use map_abi::DhcpProfile;

use super::{
    options::{Found, OPTIONS_AT, code, slot},
    request::{Kind, Line, MAGIC_COOKIE, Request, at, pseudo_sum},
};
use crate::{
    Packet,
    access::Arrival,
    frame::{MAC_BITS, opaque_size},
    live::field,
    sheet::{Sheet, fold_long, halves},
};

/// A BOOTREPLY to an Ethernet station, whose address has six bytes; over no relay.
const FIRST_BYTES: u32 = u32::from_ne_bytes([2, 1, 6, 0]);
/// Of the flags, the one that says that the client takes no unicast yet (RFC 2131, section 2).
const FLAG_BROADCAST: u16 = 0x8000_u16.to_be();
/// Shortest message: a BOOTP message's length (RFC 951), which old relays and clients insist on.
const MESSAGE_LEN_MIN: usize = 300;
/// Options that fit in the message that every client takes: a packet of 576 bytes (RFC 2131, section 2). The relay's own
/// is not counted, since it takes it off again.
const OPTIONS_LEN_MAX: usize = 576 - HEADERS_LEN - OPTIONS_AT;
/// Bytes of the headers of IPv4, without options, and UDP.
const HEADERS_LEN: usize = 28;

const OFFER: u8 = 2;
const ACK: u8 = 5;
/// Version, header length and type of service.
const VERSION_AND_TOS: u16 = u16::from_ne_bytes([0x45, 0]);
/// No identification, for the packet is not to be fragmented (RFC 6864).
const DONT_FRAGMENT: u32 = u32::from_ne_bytes([0, 0, 0x40, 0]);
/// 64 (RFC 1700, "IP Time to Live"), and UDP.
const TTL_AND_PROTOCOL: u16 = u16::from_ne_bytes([64, 17]);
/// From the server's to the client's.
const PORTS: u32 = u32::from_ne_bytes([0, 67, 0, 68]);

pub(super) struct Reply {
    sheet: Sheet,
    /// Where the request was, which there is room for the frame's headers in.
    headers: Sheet,
    /// Of the message.
    len: usize,
    /// Where it goes.
    station: u64,
    address: u32,
    gateway: u32,
    pub(super) is_lease: bool,
    pub(super) lease_seconds: u32,
}

impl Reply {
    /// Writes the message; `None`: it needs more room than every client has.
    #[inline(always)]
    pub(super) fn write<P: Packet>(
        packet: &P,
        request: &Request,
        kind: Kind,
        line: &Line,
        profile: NonNull<DhcpProfile>,
    ) -> Option<Self> {
        let sheet = Sheet::reply(request.scratch);
        let is_lease = kind == Kind::Request;
        let ciaddr = request.ciaddr();
        let flags = request.sheet.get::<u16>(at::FLAGS);
        sheet.put(0, FIRST_BYTES);
        sheet.put(at::XID, request.sheet.get::<u32>(at::XID));
        sheet.put(at::SECS, 0_u16);
        sheet.put(at::FLAGS, flags);
        sheet.put(at::CIADDR, if is_lease { ciaddr } else { 0 });
        sheet.put(at::YIADDR, line.lease);
        sheet.put(at::SIADDR, 0_u32);
        sheet.put(at::GIADDR, 0_u32);
        sheet.put(at::CHADDR, line.mac);
        sheet.put(at::CHADDR_REST, 0_u64);
        sheet.put(at::COOKIE, MAGIC_COOKIE);
        let end = write_options(packet, request, is_lease, line, (sheet, profile))?;
        // RFC 2131, section 4.1.
        let (station, address) = if ciaddr != 0 {
            (line.mac, ciaddr)
        } else if flags & FLAG_BROADCAST != 0 {
            (MAC_BITS, u32::MAX)
        } else {
            (line.mac, line.lease)
        };
        Some(Self {
            sheet,
            headers: request.sheet,
            len: if end < MESSAGE_LEN_MIN { MESSAGE_LEN_MIN } else { end },
            station,
            address,
            gateway: line.gateway,
            is_lease,
            lease_seconds: field!(profile, lease_seconds).get(),
        })
    }

    /// Gives the frame the answer's length, with the tags where they belong; false: there is no room.
    ///
    /// It grows at its beginning: there is room before every frame, for tags and tunnels, while behind one that a veth
    /// hands on there may be none.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "both fit in a page")]
    pub(super) fn make_room<P: Packet>(&self, packet: &mut P, arrival: &Arrival) -> bool {
        let (old, new) = (opaque_size(packet.frame().len()), arrival.packet_at() + HEADERS_LEN + self.len);
        if new <= old {
            return packet.set_len(new);
        }
        let headers_len = arrival.packet_at();
        // SAFETY: the scratch memory has room for more than the headers of a frame.
        unsafe {
            packet.load(0, self.headers.at(0), headers_len)
                && packet.move_head(-(opaque_size(new - old) as i32))
                && packet.store(0, self.headers.at(0), headers_len)
        }
    }

    /// Puts the answer into the frame, which has its length already; the tags stay as they are.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the message is shorter than 1024 bytes")]
    pub(super) fn send<P: Packet>(&self, packet: &mut P, arrival: &Arrival) -> Option<()> {
        let at = arrival.packet_at();
        // SAFETY: the scratch memory is larger.
        if !unsafe { packet.store(at + HEADERS_LEN, self.sheet.at(0), self.len) } {
            return None;
        }
        let udp_len = (self.len + 8) as u16;
        let frame = packet.frame();
        let header = frame.window::<14>(0)?;
        header.set_mac_word::<0>(self.station);
        header.set_mac_word::<6>(arrival.port_mac);
        let ip = frame.window::<28>(at)?;
        ip.set_raw16::<0>(VERSION_AND_TOS);
        ip.set_be16::<2>(udp_len + 20);
        ip.set_raw32::<4>(DONT_FRAGMENT);
        ip.set_raw16::<8>(TTL_AND_PROTOCOL);
        ip.set_raw32::<12>(self.gateway);
        ip.set_raw32::<16>(self.address);
        let words = u64::from(VERSION_AND_TOS) + u64::from((udp_len + 20).to_be());
        let sum = words + halves(DONT_FRAGMENT) + u64::from(TTL_AND_PROTOCOL);
        ip.set_raw16::<10>(!fold_long(sum + halves(self.gateway) + halves(self.address)));
        ip.set_raw32::<20>(PORTS);
        ip.set_be16::<24>(udp_len);
        let header = halves(PORTS) + u64::from(udp_len.to_be());
        let pseudo = pseudo_sum(self.gateway, self.address, udp_len);
        let check = !fold_long(pseudo + header + self.sheet.sum(self.len));
        // 0 would say that there is none.
        ip.set_raw16::<26>(if check == 0 { u16::MAX } else { check });
        Some(())
    }
}

/// Writes the options; returns where the message ends behind them.
#[inline(always)]
fn write_options<P: Packet>(
    packet: &P,
    request: &Request,
    is_lease: bool,
    line: &Line,
    (sheet, profile): (Sheet, NonNull<DhcpProfile>),
) -> Option<usize> {
    let asked = request.options.asked()?;
    let kind = if is_lease { ACK } else { OFFER };
    let mut end = OPTIONS_AT;
    sheet.put(end, u32::from_ne_bytes([code::MESSAGE_TYPE, 1, kind, 0]));
    end += 3;
    put_address(sheet, end, code::SERVER_IDENTIFIER, line.gateway);
    end += 6;
    for (n, word) in field!(profile, times).get().into_iter().enumerate() {
        sheet.put(end + n * 8, word);
    }
    end += 18;
    // The mask precedes the router (RFC 2132, section 3.3).
    if has(asked, code::SUBNET_MASK) {
        sheet.put(end, field!(profile, mask).get());
        end += 6;
    }
    if has(asked, code::ROUTER) {
        put_address(sheet, end, code::ROUTER, line.gateway);
        end += 6;
    }
    if has(asked, code::RESOLVERS) {
        for (n, word) in field!(profile, resolvers).get().into_iter().enumerate() {
            sheet.put(end + n * 8, word);
        }
        end += field!(profile, resolvers_len).get() as usize & 63;
    }
    // RFC 6842.
    if let Some(identifier) = request.options.option(slot::CLIENT_IDENTIFIER) {
        end = echo(packet, request, identifier, sheet, end)?;
    }
    if end + 1 > OPTIONS_AT + OPTIONS_LEN_MAX {
        return None;
    }
    // The last one (RFC 3046, section 2.1).
    if let Some(information) = request.options.option(slot::RELAY_AGENT_INFORMATION) {
        end = echo(packet, request, information, sheet, end)?;
    }
    // The end option, and zeros up to the length that a message has at least.
    sheet.put(end, u64::from(code::END));
    for word in 1..8 {
        sheet.put(end + word * 8, 0_u64);
    }
    Some(end + 1)
}

#[inline(always)]
fn has(asked: u64, code: u8) -> bool {
    asked >> code & 1 != 0
}

#[inline(always)]
fn put_address(sheet: Sheet, at: usize, code: u8, address: u32) {
    sheet.put(at, u16::from_ne_bytes([code, 4]));
    sheet.put(at + 2, address);
}

/// Copies an option as it came; returns where it ends.
#[inline(always)]
fn echo<P: Packet>(packet: &P, request: &Request, found: Found, sheet: Sheet, end: usize) -> Option<usize> {
    let from = request.message_at + found.at - 2;
    let len = found.len + 2;
    // SAFETY: behind any offset that a sheet lets through there are 1024 bytes more.
    if !unsafe { packet.load(from, sheet.at(end), len) } {
        return None;
    }
    Some(opaque_size(end + len) & 1023)
}
