//! ICMPv6 (RFC 4443) that the office originates: errors about packets that it could not forward, and echo replies.

use std::{fmt, net::Ipv6Addr};

use crate::{ETHERTYPE_IPV6, Frame, Ipv6, Ipv6Header, PROTOCOL_ICMP6, PacketError, checksum};

const ECHO_REQUEST: u8 = 128;
const ECHO_REPLY: u8 = 129;
const REDIRECT: u8 = 137;
/// From here on messages are not errors (RFC 4443, section 2.1).
const INFORMATIONAL: u8 = 128;

const HEADER_LEN: usize = 4;
/// An error message is as long as every link can take it (RFC 4443, section 2.4 (c)).
const ERROR_QUOTE_MAX: usize = Ipv6Header::MTU_MIN - Ipv6Header::LEN - HEADER_LEN - 4;

/// What is wrong with the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Its hop limit ran out here.
    TimeExceeded,
    /// The next link takes packets of `mtu` bytes at most.
    PacketTooBig {
        mtu: u32,
    },
    Unreachable(Unreachable),
}

/// Why a destination is not reached, by the codes of RFC 4443, section 3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreachable {
    NoRoute = 0,
    /// A firewall's rules are against it.
    Prohibited = 1,
    /// The source is link-local, say, and the destination is not.
    BeyondScope = 2,
    Address = 3,
    Port = 4,
    /// The source is not one that the sender may have.
    SourcePolicy = 5,
    RejectRoute = 6,
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The frame is not a sound IPv6 packet.
    Malformed(PacketError),
    /// It was sent to a group of stations or hosts.
    Group,
    /// Its source is not one host.
    Source,
    /// It is a fragment, of what may be an ICMPv6 error or an echo request.
    Fragment,
    /// It is an ICMPv6 error itself, or a redirect.
    AboutError,
    /// It is not an echo request for this address.
    NotEcho,
}

/// The frame, for the port that `frame` came in by, that tells its sender of `problem`.
/// `address` is the office's address to speak from.
///
/// Silent where RFC 4443, section 2.4 (e), asks for it. The caller limits the rate ([`crate::TokenBucket`]),
/// as section 2.4 (f) asks.
pub fn error(frame: &[u8], problem: Problem, address: Ipv6Addr) -> Result<Vec<u8>, Silence> {
    let frame = Frame::parse(frame).map_err(Silence::Malformed)?;
    let ip = Ipv6::parse(&frame).map_err(Silence::Malformed)?;
    // The office forwards nothing to groups, so that the exception for path MTU discovery does not arise.
    if !frame.is_unicast() || ip.destination.is_multicast() {
        return Err(Silence::Group);
    }
    if !is_one_host(ip.source) {
        return Err(Silence::Source);
    }
    if ip.protocol == PROTOCOL_ICMP6 {
        // What a later part belongs to cannot be seen. Parts of anything else are answered: without that, the
        // sender of large datagrams would not learn of the path's MTU.
        if ip.is_later_fragment() {
            return Err(Silence::Fragment);
        }
        if !ip.payload.first().is_some_and(|&kind| kind >= INFORMATIONAL && kind != REDIRECT) {
            return Err(Silence::AboutError);
        }
    }
    let (kind, code, word) = match problem {
        Problem::Unreachable(why) => (1, why as u8, 0),
        Problem::PacketTooBig { mtu } => (2, 0, mtu),
        Problem::TimeExceeded => (3, 0, 0),
    };
    let quote = &ip.packet[..ip.packet.len().min(ERROR_QUOTE_MAX)];
    let header = Ipv6Header {
        traffic_class: 0,
        protocol: PROTOCOL_ICMP6,
        hop_limit: Ipv6Header::HOP_LIMIT,
        source: address,
        destination: ip.source,
    };
    Ok(answer(&frame, &header, &message(&header, kind, code, &[&word.to_be_bytes(), quote])))
}

/// The answer to an echo request for `address`, the office's on that link.
pub fn echo_reply(frame: &[u8], address: Ipv6Addr) -> Result<Vec<u8>, Silence> {
    let frame = Frame::parse(frame).map_err(Silence::Malformed)?;
    let ip = Ipv6::parse(&frame).map_err(Silence::Malformed)?;
    if !frame.is_unicast() {
        return Err(Silence::Group);
    }
    if !is_one_host(ip.source) {
        return Err(Silence::Source);
    }
    if ip.destination != address || ip.protocol != PROTOCOL_ICMP6 {
        return Err(Silence::NotEcho);
    }
    if ip.is_fragment() {
        return Err(Silence::Fragment);
    }
    let request = Icmp6::parse(&ip).map_err(Silence::Malformed)?;
    if (request.kind, request.code) != (ECHO_REQUEST, 0) {
        return Err(Silence::NotEcho);
    }
    if request.body.len() < 4 {
        return Err(Silence::Malformed(PacketError::Truncated));
    }
    let header = Ipv6Header {
        traffic_class: ip.traffic_class,
        protocol: PROTOCOL_ICMP6,
        hop_limit: Ipv6Header::HOP_LIMIT,
        source: address,
        destination: ip.source,
    };
    Ok(answer(&frame, &header, &message(&header, ECHO_REPLY, 0, &[request.body])))
}

/// A message taken apart, whole and with a right checksum.
pub(crate) struct Icmp6<'a> {
    pub(crate) kind: u8,
    pub(crate) code: u8,
    /// What follows the checksum.
    pub(crate) body: &'a [u8],
}

impl<'a> Icmp6<'a> {
    /// The message in `ip`, which must not be a fragment.
    pub(crate) fn parse(ip: &Ipv6<'a>) -> Result<Self, PacketError> {
        if ip.protocol != PROTOCOL_ICMP6 {
            return Err(PacketError::Protocol);
        }
        if ip.is_fragment() {
            return Err(PacketError::Fragment);
        }
        let &[kind, code, _, _, ref body @ ..] = ip.payload else { return Err(PacketError::Truncated) };
        // No longer than 65535 bytes, as it is part of a packet.
        let len = u16::try_from(ip.payload.len()).map_err(|_| PacketError::BadHeader)?;
        let pseudo = Ipv6Header::pseudo_sum(ip.source, ip.destination, PROTOCOL_ICMP6, len);
        if ip.cut_off {
            return Err(PacketError::Truncated);
        }
        if checksum::finish(checksum::sum(pseudo, ip.payload)) != 0 {
            return Err(PacketError::BadChecksum);
        }
        Ok(Self { kind, code, body })
    }
}

/// The message for a packet under `header`, which must be shorter than 65536 bytes.
pub(crate) fn message(header: &Ipv6Header, kind: u8, code: u8, body: &[&[u8]]) -> Vec<u8> {
    let mut message = vec![kind, code, 0, 0];
    for part in body {
        message.extend_from_slice(part);
    }
    let len = u16::try_from(message.len()).expect("the office sends no jumbograms");
    let pseudo = Ipv6Header::pseudo_sum(header.source, header.destination, PROTOCOL_ICMP6, len);
    let sum = checksum::finish(checksum::sum(pseudo, &message));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// Back to the sender of `to`, with the tags that it came with.
fn answer(to: &Frame, header: &Ipv6Header, message: &[u8]) -> Vec<u8> {
    Frame {
        destination: to.source,
        source: to.destination,
        tags: to.tags,
        ethertype: ETHERTYPE_IPV6,
        payload: &header.packet(message),
    }
    .to_bytes()
}

/// Whether an answer to this source goes to one host.
fn is_one_host(source: Ipv6Addr) -> bool {
    !source.is_multicast() && !source.is_unspecified() && !source.is_loopback()
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::Group => f.write_str("it was sent to a group"),
            Self::Source => f.write_str("its source is not one host"),
            Self::Fragment => f.write_str("it is a fragment"),
            Self::AboutError => f.write_str("it is an ICMPv6 error itself, or a redirect"),
            Self::NotEcho => f.write_str("it is not an echo request for this address"),
        }
    }
}

#[cfg(test)]
mod tests;
