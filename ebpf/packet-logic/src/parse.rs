//! IPv4 and what it carries.

use map_abi::DropReason;

use crate::{
    Frame, Window,
    checksum::{Delta, fold},
};

pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMP6: u8 = 58;

pub(crate) const ETHERTYPE_IPV4: u16 = 0x0800_u16.to_be();
pub(crate) const ETHERTYPE_ARP: u16 = 0x0806_u16.to_be();

const MORE_FRAGMENTS: u16 = 0x2000;
const DONT_FRAGMENT: u16 = 0x4000;
const FRAGMENT_OFFSET: u16 = 0x1fff;
const HEADER_LEN: usize = 20;
const OPTION_WORDS_MAX: usize = 10;

/// A valid IPv4 header. Addresses are as they lie in the packet.
#[derive(Clone, Copy)]
pub(crate) struct Ipv4<'a> {
    pub(crate) header: Window<'a, 20>,
    /// Where the payload begins in the frame.
    pub(crate) payload_at: usize,
    pub(crate) payload_len: usize,
    pub(crate) total_len: u16,
    fragment: u16,
    pub(crate) protocol: u8,
    pub(crate) source: u32,
    pub(crate) destination: u32,
}

impl<'a> Ipv4<'a> {
    /// Parses the header at `at`; its checksum is verified, as a router must (RFC 1812, section 5.2.2).
    #[inline(always)]
    pub(crate) fn parse(frame: Frame<'a>, at: usize) -> Result<Self, DropReason> {
        let header = frame.window::<20>(at).ok_or(DropReason::Truncated)?;
        let first = header.u8::<0>();
        let header_len = usize::from(first & 15) * 4;
        if first >> 4 != 4 || header_len < HEADER_LEN {
            return Err(DropReason::BadIpv4);
        }
        let mut sum = half(header.raw32::<0>())
            + half(header.raw32::<4>())
            + half(header.raw32::<8>())
            + half(header.raw32::<12>())
            + half(header.raw32::<16>());
        if header_len > HEADER_LEN {
            // Two tricks spare the verifier going through the rest of the program once for each length. What it
            // learns from the loop's end sticks to `words`, read again, not to `header_len`; and options are read from
            // the end, at distances it does not know, so that how many were read does not stick to the packet.
            let again = frame.window::<1>(at).ok_or(DropReason::Truncated)?;
            let words = usize::from(again.u8::<0>() & 15);
            for word in 0..OPTION_WORDS_MAX {
                if HEADER_LEN / 4 + word == words {
                    break;
                }
                let offset = header_len.wrapping_sub(4 + word * 4) & 63;
                let option = frame.window::<4>(at + offset).ok_or(DropReason::Truncated)?;
                sum += half(option.raw32::<0>());
            }
        }
        let total_len = header.be16::<2>();
        if fold(sum) != 0xffff || usize::from(total_len) < header_len {
            return Err(DropReason::BadIpv4);
        }
        if at + usize::from(total_len) > frame.len() {
            return Err(DropReason::Truncated);
        }
        Ok(Self::new(header, at, header_len))
    }

    /// The header at `at`, which was parsed and found good before.
    #[inline(always)]
    pub(crate) fn known(frame: Frame<'a>, at: usize) -> Option<Self> {
        let header = frame.window::<20>(at)?;
        Some(Self::new(header, at, usize::from(header.u8::<0>() & 15) * 4))
    }

    #[inline(always)]
    fn new(header: Window<'a, 20>, at: usize, header_len: usize) -> Self {
        let total_len = header.be16::<2>();
        Self {
            header,
            payload_at: at + header_len,
            payload_len: usize::from(total_len).wrapping_sub(header_len),
            total_len,
            fragment: header.be16::<6>(),
            protocol: header.u8::<9>(),
            source: header.raw32::<12>(),
            destination: header.raw32::<16>(),
        }
    }

    /// Not the first fragment of its packet: no transport header.
    #[inline(always)]
    pub(crate) fn is_later_fragment(&self) -> bool {
        self.fragment & FRAGMENT_OFFSET != 0
    }

    /// The first of several fragments.
    #[inline(always)]
    pub(crate) fn is_first_fragment(&self) -> bool {
        self.fragment & (FRAGMENT_OFFSET | MORE_FRAGMENTS) == MORE_FRAGMENTS
    }

    #[inline(always)]
    pub(crate) fn is_whole(&self) -> bool {
        self.fragment & (FRAGMENT_OFFSET | MORE_FRAGMENTS) == 0
    }

    #[inline(always)]
    pub(crate) fn must_not_fragment(&self) -> bool {
        self.fragment & DONT_FRAGMENT != 0
    }

    #[inline(always)]
    pub(crate) fn ttl(&self) -> u8 {
        self.header.u8::<8>()
    }

    /// The type of service.
    #[inline(always)]
    pub(crate) fn tos(&self) -> u8 {
        self.header.u8::<1>()
    }

    /// Sets the type of service; the checksum's change is for the caller to apply.
    #[inline(always)]
    pub(crate) fn set_tos(&self, tos: u8) -> Delta {
        let old = self.header.raw16::<0>();
        let [version, _] = old.to_ne_bytes();
        let new = u16::from_ne_bytes([version, tos]);
        self.header.set_raw16::<0>(new);
        Delta::word(old, new)
    }

    /// Takes one off the time to live; the checksum's change is for the caller to apply.
    #[inline(always)]
    pub(crate) fn decrement_ttl(&self) -> Delta {
        let old = self.header.raw16::<8>();
        let [ttl, protocol] = old.to_ne_bytes();
        let new = u16::from_ne_bytes([ttl.wrapping_sub(1), protocol]);
        self.header.set_raw16::<8>(new);
        Delta::word(old, new)
    }

    #[inline(always)]
    pub(crate) fn update_checksum(&self, delta: Delta) {
        self.header.set_raw16::<10>(delta.apply(self.header.raw16::<10>()));
    }

    /// The ports of sender and receiver, as they lie in the packet: 0 for what has none, and for an echo its identifier at
    /// both ends.
    #[inline(always)]
    pub(crate) fn ports(&self, frame: Frame<'a>) -> Result<(u16, u16), DropReason> {
        if self.protocol != TCP && self.protocol != UDP && self.protocol != ICMP {
            return Ok((0, 0));
        }
        if self.payload_len < 8 {
            return Err(DropReason::Truncated);
        }
        let transport = frame.window::<8>(self.payload_at).ok_or(DropReason::Truncated)?;
        if self.protocol != ICMP {
            return Ok((transport.raw16::<0>(), transport.raw16::<2>()));
        }
        let id = transport.raw16::<4>();
        Ok(match transport.u8::<0>() {
            icmp_type::ECHO_REQUEST | icmp_type::ECHO_REPLY => (id, id),
            _ => (0, 0),
        })
    }

    #[inline(always)]
    pub(crate) fn is_icmp_error(&self, frame: Frame<'a>) -> bool {
        if self.protocol != ICMP || self.is_later_fragment() {
            return false;
        }
        frame.window::<1>(self.payload_at).is_some_and(|icmp| is_error(icmp.u8::<0>()))
    }

    /// The flags of a TCP header; 0: it is not there.
    #[inline(always)]
    pub(crate) fn tcp_flags(&self, frame: Frame<'a>) -> u8 {
        if self.protocol != TCP {
            return 0;
        }
        frame.window::<14>(self.payload_at).map_or(0, Window::u8::<13>)
    }

    /// The transport header.
    #[inline(always)]
    pub(crate) fn transport(&self, frame: Frame<'a>) -> Result<Transport<'a>, DropReason> {
        if self.is_later_fragment() {
            // A second fragment that overlays a TCP header (RFC 3128).
            let overlays = self.protocol == TCP && self.fragment & FRAGMENT_OFFSET == 1;
            return if overlays { Err(DropReason::BadIpv4) } else { Ok(Transport::LaterFragment) };
        }
        let needs = match self.protocol {
            TCP => 20,
            UDP | ICMP => 8,
            _ => return Ok(Transport::Other),
        };
        if self.payload_len < needs {
            return Err(DropReason::Truncated);
        }
        let header = frame.window::<8>(self.payload_at).ok_or(DropReason::Truncated)?;
        match self.protocol {
            TCP => {
                let all = frame.window::<20>(self.payload_at).ok_or(DropReason::Truncated)?;
                Ok(Transport::Tcp(all))
            }
            UDP => Ok(Transport::Udp(header)),
            _ => Ok(match header.u8::<0>() {
                icmp_type::ECHO_REQUEST => Transport::Echo(header),
                icmp_type::ECHO_REPLY => Transport::EchoReply(header),
                error if is_error(error) => Transport::IcmpError,
                _ => Transport::Other,
            }),
        }
    }
}

/// What an IPv4 packet carries, as far as it matters here.
#[derive(Clone, Copy)]
pub(crate) enum Transport<'a> {
    Tcp(Window<'a, 20>),
    Udp(Window<'a, 8>),
    Echo(Window<'a, 8>),
    EchoReply(Window<'a, 8>),
    IcmpError,
    LaterFragment,
    Other,
}

pub(crate) mod icmp_type {
    pub(crate) const ECHO_REPLY: u8 = 0;
    pub(crate) const UNREACHABLE: u8 = 3;
    pub(crate) const ECHO_REQUEST: u8 = 8;
    pub(crate) const TIME_EXCEEDED: u8 = 11;
    pub(crate) const PARAMETER_PROBLEM: u8 = 12;
}

/// Whether a message of that type quotes a packet that something became of.
#[inline(always)]
fn is_error(kind: u8) -> bool {
    kind == icmp_type::UNREACHABLE || kind == icmp_type::TIME_EXCEEDED || kind == icmp_type::PARAMETER_PROBLEM
}

/// Bits of the fourteenth byte of a TCP header.
pub(crate) mod tcp_flags {
    pub(crate) const FIN: u8 = 1;
    pub(crate) const SYN: u8 = 2;
    pub(crate) const RST: u8 = 4;
    pub(crate) const ACK: u8 = 16;
}

/// The sum of the two 16-bit words of a long one.
#[inline(always)]
fn half(long: u32) -> u32 {
    (long & 0xffff) + (long >> 16)
}

/// Addresses that no router forwards to: this network, loopback, link-local (RFC 3927), multicast and beyond.
#[inline(always)]
pub(crate) fn is_martian(address: u32) -> bool {
    let [a, b, ..] = address.to_ne_bytes();
    a == 0 || a == 127 || a >= 224 || (a == 169 && b == 254)
}

/// The mask of a prefix of that length, as an address lies in a packet.
#[inline(always)]
pub(crate) fn netmask(prefix_len: u8) -> u32 {
    // Shifted as 64 bits, for a prefix may have no bits at all.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is the mask")]
    let mask = (u64::MAX << ((32 - u32::from(prefix_len)) & 63)) as u32;
    mask.to_be()
}
