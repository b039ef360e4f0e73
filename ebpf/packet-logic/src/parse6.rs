//! IPv6 (RFC 8200) and what it carries.

use map_abi::{DropReason, FragmentKey6};

use crate::{
    Frame, Window,
    flows::End,
    frame::{opaque_number, opaque_size},
    parse::{ICMP6, TCP, UDP},
};

pub(crate) const ETHERTYPE_IPV6: u16 = 0x86dd_u16.to_be();
pub(crate) const HEADER_LEN: usize = 40;

/// Extension headers that are walked over; a packet with more is dropped, as RFC 9098 finds routers to do.
const EXTENSIONS_MAX: usize = 6;
/// No packet's transport header lies further in.
const OFFSET_MASK: usize = 0x1fff;

mod extension {
    pub(super) const HOP_BY_HOP: u32 = 0;
    pub(super) const ROUTING: u32 = 43;
    pub(super) const FRAGMENT: u32 = 44;
    pub(super) const DESTINATION: u32 = 60;
    pub(super) const MOBILITY: u32 = 135;
}

mod transport {
    pub(super) const TCP: u32 = crate::parse::TCP as u32;
    pub(super) const UDP: u32 = crate::parse::UDP as u32;
    pub(super) const ICMP6: u32 = crate::parse::ICMP6 as u32;
}

/// Whether that is an extension header and not what the packet carries.
#[inline(always)]
fn is_extension(next: u32) -> bool {
    matches!(
        next,
        extension::HOP_BY_HOP
            | extension::ROUTING
            | extension::FRAGMENT
            | extension::DESTINATION
            | extension::MOBILITY
    )
}

/// Bytes of a transport header that is looked into.
#[inline(always)]
fn header_len(protocol: u32) -> usize {
    match protocol {
        transport::TCP => 20,
        transport::UDP | transport::ICMP6 => 8,
        _ => 0,
    }
}

/// ICMPv6 types (RFC 4443; RFC 4861 for neighbour discovery).
pub(crate) mod icmp6_type {
    pub(crate) const ERROR_MAX: u8 = 4;
    pub(crate) const ECHO_REQUEST: u8 = 128;
    pub(crate) const ECHO_REPLY: u8 = 129;
    pub(crate) const ROUTER_SOLICITATION: u8 = 133;
    pub(crate) const NEIGHBOUR_SOLICITATION: u8 = 135;
    pub(crate) const NEIGHBOUR_ADVERTISEMENT: u8 = 136;
}

/// A valid IPv6 header, and where what it carries is. Addresses are as they lie in the packet.
#[derive(Clone, Copy)]
pub(crate) struct Ipv6<'a> {
    pub(crate) header: Window<'a, 40>,
    /// Where what follows the last extension header begins in the frame.
    pub(crate) payload_at: usize,
    /// Header included.
    pub(crate) total_len: usize,
    /// What follows the last extension header.
    pub(crate) protocol: u8,
    /// Fragment offset and more-fragments flag, as in the fragment header; 0: the packet is whole.
    fragment: u16,
    fragment_at: usize,
}

impl<'a> Ipv6<'a> {
    /// Parses the headers from `at` on.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "as many bits as went in")]
    pub(crate) fn parse(frame: Frame<'a>, at: usize) -> Result<Self, DropReason> {
        let header = frame.window::<40>(at).ok_or(DropReason::Truncated)?;
        if header.u8::<0>() >> 4 != 6 {
            return Err(DropReason::BadIpv6);
        }
        let total_len = HEADER_LEN + usize::from(header.be16::<4>());
        if at + total_len > frame.len() {
            return Err(DropReason::Truncated);
        }
        let mut next = u32::from(header.u8::<6>());
        let mut offset = at + HEADER_LEN;
        let (mut fragment, mut fragment_at) = (0, 0);
        let mut is_walked = 0;
        for _ in 0..EXTENSIONS_MAX {
            if is_walked != 0 || !is_extension(next) {
                is_walked = 1;
                break;
            }
            let extension = frame.window::<8>(offset).ok_or(DropReason::Truncated)?;
            let mut len = 8;
            if next == extension::FRAGMENT {
                fragment = u32::from(extension.be16::<2>() & !6);
                fragment_at = offset;
                // A later fragment: what follows is no header.
                is_walked = fragment >> 3;
            } else if next == extension::ROUTING && extension.u8::<2>() == 0 {
                return Err(DropReason::BadIpv6);
            } else {
                len += usize::from(extension.u8::<1>()) * 8;
            }
            next = opaque_number(u32::from(extension.u8::<0>()));
            // Numbers of which the verifier knows no more after one header than after another: else it would follow each
            // way through the headers to the program's end.
            offset = opaque_size(offset + len) & OFFSET_MASK;
            fragment = opaque_number(fragment);
            fragment_at = opaque_size(fragment_at) & OFFSET_MASK;
            is_walked = opaque_number(is_walked);
        }
        if is_walked == 0 && is_extension(next) {
            return Err(DropReason::BadIpv6);
        }
        // What follows the packet in its frame is no header of it.
        if fragment >> 3 == 0 && offset + header_len(next) > at + total_len {
            return Err(DropReason::Truncated);
        }
        Ok(Self {
            header,
            payload_at: offset,
            total_len,
            protocol: opaque_number(next) as u8,
            fragment: opaque_number(fragment) as u16,
            fragment_at,
        })
    }

    #[inline(always)]
    pub(crate) fn source(&self) -> [u64; 2] {
        [self.header.raw64::<8>(), self.header.raw64::<16>()]
    }

    #[inline(always)]
    pub(crate) fn destination(&self) -> [u64; 2] {
        [self.header.raw64::<24>(), self.header.raw64::<32>()]
    }

    #[inline(always)]
    pub(crate) fn hop_limit(&self) -> u8 {
        self.header.u8::<7>()
    }

    #[inline(always)]
    pub(crate) fn traffic_class(&self) -> u8 {
        (self.header.be16::<0>() >> 4 & 0xff) as u8
    }

    #[inline(always)]
    pub(crate) fn set_traffic_class(&self, class: u8) {
        self.header.set_be16::<0>(self.header.be16::<0>() & 0xf00f | u16::from(class) << 4);
    }

    #[inline(always)]
    pub(crate) fn decrement_hop_limit(&self) {
        self.header.set_u8::<7>(self.hop_limit().wrapping_sub(1));
    }

    #[inline(always)]
    pub(crate) fn is_whole(&self) -> bool {
        self.fragment == 0
    }

    /// Not the first fragment of its packet: no transport header.
    #[inline(always)]
    pub(crate) fn is_later_fragment(&self) -> bool {
        self.fragment >> 3 != 0
    }

    /// What tells the packet's fragments from others'.
    #[inline(always)]
    pub(crate) fn fragment_key(&self, frame: Frame<'a>) -> Option<FragmentKey6> {
        let fragment = frame.window::<8>(self.fragment_at)?;
        Some(FragmentKey6 {
            source: self.source(),
            destination: self.destination(),
            identification: fragment.raw32::<4>(),
            spare: 0,
        })
    }

    /// The message type of an ICMPv6 message.
    #[inline(always)]
    pub(crate) fn icmp6_type(&self, frame: Frame<'a>) -> Option<u8> {
        if self.protocol != ICMP6 || self.is_later_fragment() {
            return None;
        }
        Some(frame.window::<4>(self.payload_at)?.u8::<0>())
    }

    /// The ports of sender and receiver, as they lie in the packet: 0 for what has none, and for an echo its identifier at
    /// both ends.
    #[inline(always)]
    pub(crate) fn ports(&self, frame: Frame<'a>) -> Result<(u16, u16), DropReason> {
        ports(frame, self.payload_at, self.protocol)
    }

    /// Both ends: the sender's and the receiver's.
    #[inline(always)]
    pub(crate) fn ends(&self, frame: Frame<'a>) -> Result<(End, End), DropReason> {
        let (source, destination) = self.ports(frame)?;
        Ok((
            End { address: self.source(), port: source },
            End { address: self.destination(), port: destination },
        ))
    }

    /// The flags of a TCP header; 0: it is not there.
    #[inline(always)]
    pub(crate) fn tcp_flags(&self, frame: Frame<'a>) -> u8 {
        if self.protocol != TCP {
            return 0;
        }
        frame.window::<14>(self.payload_at).map_or(0, Window::u8::<13>)
    }
}

#[inline(always)]
fn ports(frame: Frame<'_>, at: usize, protocol: u8) -> Result<(u16, u16), DropReason> {
    match protocol {
        TCP | UDP => {
            let ports = frame.window::<8>(at).ok_or(DropReason::Truncated)?;
            Ok((ports.raw16::<0>(), ports.raw16::<2>()))
        }
        ICMP6 => {
            let icmp = frame.window::<8>(at).ok_or(DropReason::Truncated)?;
            let id = icmp.raw16::<4>();
            Ok(match icmp.u8::<0>() {
                icmp6_type::ECHO_REQUEST | icmp6_type::ECHO_REPLY => (id, id),
                _ => (0, 0),
            })
        }
        _ => Ok((0, 0)),
    }
}

/// The packet that an ICMPv6 error quotes, which ends where the error does: the ends of it, as its sender and its receiver,
/// and its protocol. One with extension headers is not looked into.
#[inline(always)]
pub(crate) fn quoted(frame: Frame<'_>, icmp_at: usize, end: usize) -> Option<(End, End, u8)> {
    let header = frame.window::<40>(icmp_at + 8)?;
    let protocol = header.u8::<6>();
    let ports_len = if header_len(protocol.into()) == 0 { 0 } else { 8 };
    if icmp_at + 8 + HEADER_LEN + ports_len > end {
        return None;
    }
    let (source, destination) = ports(frame, icmp_at + 8 + HEADER_LEN, protocol).ok()?;
    Some((
        End { address: [header.raw64::<8>(), header.raw64::<16>()], port: source },
        End { address: [header.raw64::<24>(), header.raw64::<32>()], port: destination },
        protocol,
    ))
}

/// Addresses that no router forwards to: unspecified, loopback, IPv4 in IPv6, link-local, site-local (RFC 3879) and
/// multicast; as the upper half of one lies in a packet.
#[inline(always)]
pub(crate) fn is_martian(upper: u64) -> bool {
    let first = upper.to_ne_bytes();
    first[0] == 0 || first[0] == 0xff || (first[0] == 0xfe && first[1] & 0x80 != 0)
}
