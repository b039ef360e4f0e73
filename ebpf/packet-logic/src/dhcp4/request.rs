//! A client's message: whether it is this line's, and what it asks for.

use core::ptr::NonNull;

use map_abi::{DHCP_MESSAGE_MAX, DhcpScratch};

use super::options::{OPTIONS_AT, Options, slot};
use crate::{
    Frame, Packet,
    access::Arrival,
    frame::MAC_BITS,
    parse::{Ipv4, UDP},
    sheet::{Sheet, fold_long, halves},
};

const UDP_HEADER_LEN: usize = 8;
/// The first three bytes: a BOOTREQUEST, of an Ethernet station, whose address has six bytes.
const FIRST_BYTES: u32 = u32::from_ne_bytes([1, 1, 6, 0]);
const FIRST_BYTES_MASK: u32 = u32::from_ne_bytes([255, 255, 255, 0]);
pub(super) const MAGIC_COOKIE: u32 = u32::from_ne_bytes([99, 130, 83, 99]);
const BROADCAST: u32 = u32::MAX;

/// Where fields are in a message (RFC 2131, section 2).
pub(super) mod at {
    pub(crate) const XID: usize = 4;
    pub(crate) const SECS: usize = 8;
    pub(crate) const FLAGS: usize = 10;
    pub(crate) const CIADDR: usize = 12;
    pub(crate) const YIADDR: usize = 16;
    pub(crate) const SIADDR: usize = 20;
    pub(crate) const GIADDR: usize = 24;
    pub(crate) const CHADDR: usize = 28;
    pub(crate) const CHADDR_REST: usize = 36;
    pub(crate) const COOKIE: usize = 236;
}

/// Values of option 53 (RFC 2132, section 9.6).
mod kind {
    pub(super) const DISCOVER: u8 = 1;
    pub(super) const REQUEST: u8 = 3;
}

/// What the line has. Addresses are as they lie in packets.
pub(super) struct Line {
    pub(super) mac: u64,
    pub(super) lease: u32,
    pub(super) gateway: u32,
    pub(super) tags_len: usize,
}

/// What is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Discover,
    Request,
}

/// A message of the line's own device, its options found.
pub(super) struct Request {
    pub(super) scratch: NonNull<DhcpScratch>,
    pub(super) sheet: Sheet,
    pub(super) options: Options,
    /// Where the message begins in the frame.
    pub(super) message_at: usize,
}

impl Request {
    /// `None`: it is not this program's to answer.
    #[inline(always)]
    pub(super) fn read<P: Packet>(
        packet: &P,
        scratch: NonNull<DhcpScratch>,
        arrival: &Arrival,
        line: &Line,
    ) -> Option<Self> {
        let frame = packet.frame();
        let header = frame.window::<14>(0)?;
        if header.mac_word::<6>() != line.mac || arrival.tags_len != line.tags_len {
            return None;
        }
        let ip = Ipv4::known(frame, arrival.packet_at())?;
        if ip.destination != BROADCAST && ip.destination != line.gateway {
            return None;
        }
        let udp_len = usize::from(frame.window::<8>(ip.payload_at)?.be16::<4>());
        let is_of_length = udp_len > UDP_HEADER_LEN + OPTIONS_AT
            && udp_len <= UDP_HEADER_LEN + DHCP_MESSAGE_MAX
            && udp_len <= ip.payload_len;
        if !is_of_length {
            return None;
        }
        let len = udp_len - UDP_HEADER_LEN;
        let message_at = ip.payload_at + UDP_HEADER_LEN;
        let sheet = Sheet::request(scratch);
        // SAFETY: the scratch memory is larger.
        if !unsafe { packet.load(message_at, sheet.at(0), len) } {
            return None;
        }
        // For the sum, which is of whole words.
        sheet.put(len, 0_u64);
        if !has_right_checksum(frame, &ip, sheet, len) || !is_of_line(sheet, line) {
            return None;
        }
        let options = Options::find(scratch, sheet, len)?;
        Some(Self { scratch, sheet, options, message_at })
    }

    /// What is to be answered with the lease; `None`: nothing, or something else.
    #[inline(always)]
    pub(super) fn decide(&self, line: &Line) -> Option<Kind> {
        let kind = match self.options.option(slot::MESSAGE_TYPE) {
            Some(found) if found.len == 1 => self.sheet.get::<u8>(found.at),
            _ => return None,
        };
        let server = self.options.address(slot::SERVER_IDENTIFIER).ok()?;
        let requested = self.options.address(slot::REQUESTED_ADDRESS).ok()?;
        if server.is_some_and(|server| server != line.gateway) {
            return None;
        }
        if kind == kind::DISCOVER {
            return Some(Kind::Discover);
        }
        let ciaddr = self.ciaddr();
        // SELECTING names the server, and RENEWING and REBINDING have the address already; INIT-REBOOT does neither
        // (RFC 2131, section 4.3.2).
        let claimed = match (server, requested) {
            (Some(_), Some(requested)) => requested,
            (None, Some(requested)) if ciaddr == 0 => requested,
            _ => ciaddr,
        };
        if kind == kind::REQUEST && claimed == line.lease { Some(Kind::Request) } else { None }
    }

    #[inline(always)]
    pub(super) fn ciaddr(&self) -> u32 {
        self.sheet.get::<u32>(at::CIADDR)
    }
}

/// Whether the UDP checksum is right (RFC 768); none at all will do, and so does the bare sum of the pseudo-header, which is
/// what a virtual device leaves for hardware that is not there.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "no longer than the packet")]
fn has_right_checksum(frame: Frame<'_>, ip: &Ipv4<'_>, sheet: Sheet, len: usize) -> bool {
    let Some(udp) = frame.window::<8>(ip.payload_at) else { return false };
    let check = udp.raw16::<6>();
    if check == 0 {
        return true;
    }
    let udp_len = (len + UDP_HEADER_LEN) as u16;
    let pseudo = pseudo_sum(ip.source, ip.destination, udp_len);
    if check == fold_long(pseudo) {
        return true;
    }
    let header = halves(udp.raw32::<0>()) + halves(udp.raw32::<4>());
    fold_long(pseudo + header + sheet.sum(len)) == u16::MAX
}

/// The sum of the pseudo-header.
#[inline(always)]
pub(super) fn pseudo_sum(source: u32, destination: u32, udp_len: u16) -> u64 {
    let protocol = u16::from(UDP).to_be();
    halves(source) + halves(destination) + u64::from(protocol) + u64::from(udp_len.to_be())
}

/// Whether the fixed part is a client's on this line, with no relay in between.
#[inline(always)]
fn is_of_line(sheet: Sheet, line: &Line) -> bool {
    sheet.get::<u32>(0) & FIRST_BYTES_MASK == FIRST_BYTES
        && sheet.get::<u32>(at::GIADDR) == 0
        && sheet.get::<u64>(at::CHADDR) & MAC_BITS == line.mac
        && sheet.get::<u32>(at::COOKIE) == MAGIC_COOKIE
}
