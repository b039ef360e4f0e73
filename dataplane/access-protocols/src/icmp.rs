//! ICMP (RFC 792) that the office originates: errors about packets that it could not forward, and echo replies.

use std::{fmt, net::Ipv4Addr};

use crate::{ETHERTYPE_IPV4, Frame, Ipv4, Ipv4Header, PROTOCOL_ICMP, PacketError, checksum};

const ECHO_REPLY: u8 = 0;
const ECHO_REQUEST: u8 = 8;
/// Messages that are not errors: echo, router discovery (RFC 1256), timestamp, information, address mask (RFC 950).
const QUERIES: [u8; 10] = [ECHO_REPLY, ECHO_REQUEST, 9, 10, 13, 14, 15, 16, 17, 18];

/// Largest error message, IP header included (RFC 1812, section 4.3.2.3).
const ERROR_LEN_MAX: usize = 576;
const ERROR_QUOTE_MAX: usize = ERROR_LEN_MAX - 20 - 8;

/// Precedence "internetwork control", that errors are sent with (RFC 1812, section 4.3.2.5).
const ERROR_TOS: u8 = 0xc0;

/// What is wrong with the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Its time to live ran out here.
    TimeExceeded,
    /// It must not be fragmented, and the next link takes packets of `mtu` bytes at most (RFC 1191).
    FragmentationNeeded { mtu: u16 },
    /// No route leads to its destination.
    NetUnreachable,
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The frame is not a sound IPv4 packet.
    Malformed(PacketError),
    /// It was sent to a group of stations or hosts.
    Group,
    /// Its source is not one host.
    Source,
    /// It is a fragment other than the first, or, for an echo, a fragment at all.
    Fragment,
    /// It is an ICMP error itself.
    AboutError,
    /// It is not an echo request for this address.
    NotEcho,
}

/// The frame, for the port that `frame` came in by, that tells its sender of `problem`.
/// `address` is the office's address on that link.
///
/// Silent where RFC 1812, section 4.3.2.7, asks for it. The caller limits the rate ([`crate::TokenBucket`]),
/// as section 4.3.2.8 asks.
pub fn error(frame: &[u8], problem: Problem, address: Ipv4Addr) -> Result<Vec<u8>, Silence> {
    let frame = Frame::parse(frame).map_err(Silence::Malformed)?;
    let ip = Ipv4::parse(&frame).map_err(Silence::Malformed)?;
    if !frame.is_unicast() || is_group(ip.destination) {
        return Err(Silence::Group);
    }
    if is_group(ip.source) || ip.source.is_unspecified() || ip.source.is_loopback() {
        return Err(Silence::Source);
    }
    if ip.is_later_fragment() {
        return Err(Silence::Fragment);
    }
    if ip.protocol == PROTOCOL_ICMP && !ip.payload.first().is_some_and(|kind| QUERIES.contains(kind)) {
        return Err(Silence::AboutError);
    }
    let (kind, code, rest) = match problem {
        Problem::TimeExceeded => (11, 0, [0; 4]),
        Problem::FragmentationNeeded { mtu } => {
            let [high, low] = mtu.to_be_bytes();
            (3, 4, [0, 0, high, low])
        }
        Problem::NetUnreachable => (3, 0, [0; 4]),
    };
    let quote = &ip.packet[..ip.packet.len().min(ERROR_QUOTE_MAX)];
    let header =
        Ipv4Header { tos: ERROR_TOS, protocol: PROTOCOL_ICMP, source: address, destination: ip.source };
    Ok(answer(&frame, &header, &message(kind, code, rest, quote)))
}

/// The answer to an echo request for `address`, the office's on that link.
pub fn echo_reply(frame: &[u8], address: Ipv4Addr) -> Result<Vec<u8>, Silence> {
    let frame = Frame::parse(frame).map_err(Silence::Malformed)?;
    let ip = Ipv4::parse(&frame).map_err(Silence::Malformed)?;
    if !frame.is_unicast() {
        return Err(Silence::Group);
    }
    if is_group(ip.source) || ip.source.is_unspecified() || ip.source.is_loopback() {
        return Err(Silence::Source);
    }
    if ip.destination != address || ip.protocol != PROTOCOL_ICMP {
        return Err(Silence::NotEcho);
    }
    if ip.is_fragment() {
        return Err(Silence::Fragment);
    }
    if ip.cut_off {
        return Err(Silence::Malformed(PacketError::Truncated));
    }
    let &[kind, code, _, _, id_high, id_low, sequence_high, sequence_low, ref data @ ..] = ip.payload else {
        return Err(Silence::Malformed(PacketError::Truncated));
    };
    if (kind, code) != (ECHO_REQUEST, 0) {
        return Err(Silence::NotEcho);
    }
    if checksum::finish(checksum::sum(0, ip.payload)) != 0 {
        return Err(Silence::Malformed(PacketError::BadChecksum));
    }
    let header = Ipv4Header { tos: ip.tos, protocol: PROTOCOL_ICMP, source: address, destination: ip.source };
    let rest = [id_high, id_low, sequence_high, sequence_low];
    Ok(answer(&frame, &header, &message(ECHO_REPLY, 0, rest, data)))
}

/// Back to the sender of `to`, with the tags that it came with.
fn answer(to: &Frame, header: &Ipv4Header, message: &[u8]) -> Vec<u8> {
    Frame {
        destination: to.source,
        source: to.destination,
        tags: to.tags,
        ethertype: ETHERTYPE_IPV4,
        payload: &header.packet(message),
    }
    .to_bytes()
}

fn message(kind: u8, code: u8, rest: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(8 + data.len());
    message.extend_from_slice(&[kind, code, 0, 0]);
    message.extend_from_slice(&rest);
    message.extend_from_slice(data);
    let sum = checksum::finish(checksum::sum(0, &message));
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// Multicast, limited broadcast, and the reserved class E.
fn is_group(address: Ipv4Addr) -> bool {
    address.octets()[0] >= 224
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::Group => f.write_str("it was sent to a group"),
            Self::Source => f.write_str("its source is not one host"),
            Self::Fragment => f.write_str("it is a fragment"),
            Self::AboutError => f.write_str("it is an ICMP error itself"),
            Self::NotEcho => f.write_str("it is not an echo request for this address"),
        }
    }
}

#[cfg(test)]
mod tests;
