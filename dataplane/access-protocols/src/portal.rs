//! The captive portal's end of a subscriber's web: whatever host a session in the walled garden asks for a page, it is
//! answered in that host's name and sent to the portal (RFC 8952, section 2.6), and HTTPS, in whose name nobody can
//! answer, is refused, so that a browser tries something else rather than waits.
//!
//! There is no memory of connections. A connection's first sequence number is a keyed hash of its two ends, as in SYN
//! cookies (RFC 4987, section 3.6), and what is sent is always the same; so each segment tells how far its connection
//! is:
//!
//! ```text
//! SYN                         ─►   ◄─ SYN, ACK
//! the request, or part of it  ─►   ◄─ the redirect, FIN
//! FIN                         ─►   ◄─ ACK
//! anything else but a bare ACK ─►  ◄─ RST
//! ```
//!
//! A segment is answered with one at most, and nothing of what a request says is in the answer.

mod redirect;

use std::{
    fmt,
    hash::BuildHasher,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use net_types::PortalUrl;

use crate::{
    ETHERTYPE_IPV6, Frame, Ipv4, Ipv4Header, Ipv6, Ipv6Header, PROTOCOL_TCP, PacketError, Tcp,
    tcp::control::{ACK, FIN, PSH, RST, SYN},
};

/// The port of a web that can be redirected.
const HTTP: u16 = 80;
/// What is taken at once: a request that is longer than that is answered before it is all there.
const WINDOW: u16 = 4096;
/// The option that says how long a segment may be (RFC 9293, section 3.2): what fits in IPv6's smallest packet.
const MAXIMUM_SEGMENT: [u8; 4] = [2, 4, 0x04, 0xc4];

/// What the answers depend on.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a, K> {
    pub portal: &'a PortalUrl,
    /// A hash whose key nobody outside knows, the same for as long as a connection lasts.
    pub key: &'a K,
}

/// Why nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The frame is not a sound TCP segment.
    Malformed(PacketError),
    /// It was sent to a group of stations or hosts, or by one.
    Group,
    /// It is a reset, which nothing is answered to (RFC 9293, section 3.10.7.1).
    Reset,
    /// All is well, and the other end knows.
    Acknowledged,
}

/// Where a segment came from, and went to.
#[derive(Clone, Copy)]
struct Ends {
    source: IpAddr,
    destination: IpAddr,
}

/// The frame to be sent out of the port that `frame` came in by. The caller limits the rate.
pub fn answer<K: BuildHasher>(context: &Context<'_, K>, frame: &[u8]) -> Result<Vec<u8>, Silence> {
    let frame = Frame::parse(frame).map_err(Silence::Malformed)?;
    let (ends, segment) = parse(&frame).map_err(Silence::Malformed)?;
    if !frame.is_unicast() || !is_one_host(ends.source) || !is_one_host(ends.destination) {
        return Err(Silence::Group);
    }
    let redirect = redirect::response(context.portal);
    let reply = if segment.destination_port == HTTP {
        converse(&segment, first_sequence(context.key, ends, &segment), redirect.as_bytes())?
    } else {
        refuse(&segment)?
    };
    Ok(send(&frame, ends, reply))
}

fn parse<'a>(frame: &Frame<'a>) -> Result<(Ends, Tcp<'a>), PacketError> {
    if frame.ethertype == ETHERTYPE_IPV6 {
        let ip = Ipv6::parse(frame)?;
        check(ip.protocol, ip.is_fragment(), ip.cut_off)?;
        let pseudo = |len| Ipv6Header::pseudo_sum(ip.source, ip.destination, PROTOCOL_TCP, len);
        let ends = Ends { source: ip.source.into(), destination: ip.destination.into() };
        return Ok((ends, Tcp::parse(ip.payload, pseudo)?));
    }
    let ip = Ipv4::parse(frame)?;
    check(ip.protocol, ip.is_fragment(), ip.cut_off)?;
    let pseudo = |len| Ipv4Header::pseudo_sum(ip.source, ip.destination, PROTOCOL_TCP, len);
    let ends = Ends { source: ip.source.into(), destination: ip.destination.into() };
    Ok((ends, Tcp::parse(ip.payload, pseudo)?))
}

fn check(protocol: u8, is_fragment: bool, is_cut_off: bool) -> Result<(), PacketError> {
    match (protocol, is_fragment, is_cut_off) {
        (PROTOCOL_TCP, false, false) => Ok(()),
        (PROTOCOL_TCP, true, _) => Err(PacketError::Fragment),
        (PROTOCOL_TCP, false, true) => Err(PacketError::Truncated),
        _ => Err(PacketError::Protocol),
    }
}

fn is_one_host(address: IpAddr) -> bool {
    let is_class_e = matches!(address, IpAddr::V4(address) if address.octets()[0] >= 240);
    !(address.is_multicast() || address.is_unspecified() || address.is_loopback() || is_class_e)
}

/// The sequence number of a connection's SYN from here.
#[expect(clippy::cast_possible_truncation, reason = "as many bits as a sequence number has")]
fn first_sequence<K: BuildHasher>(key: &K, ends: Ends, segment: &Tcp) -> u32 {
    let Tcp { source_port, destination_port, .. } = *segment;
    key.hash_one((ends.source, source_port, ends.destination, destination_port)) as u32
}

/// What is said next in a connection that is answered in another's name.
fn converse<'r>(segment: &Tcp, first: u32, redirect: &'r [u8]) -> Result<Tcp<'r>, Silence> {
    if segment.has(RST) {
        return Err(Silence::Reset);
    }
    let len = u32::try_from(redirect.len()).expect("some hundred bytes");
    let begin = first.wrapping_add(1);
    let end = begin.wrapping_add(len);
    let say = |sequence, control, payload| Ok(reply_to(segment, sequence, control, payload));
    if segment.has(SYN) && segment.control & (ACK | FIN) == 0 {
        // What a SYN carries is sent again, since it is not acknowledged.
        let bare = Tcp { payload: &[], ..*segment };
        return Ok(reply_to(&bare, first, SYN | ACK, &[]));
    }
    if segment.has(SYN) || !segment.has(ACK) {
        return refuse(segment);
    }
    let is_bare = segment.payload.is_empty() && !segment.has(FIN);
    let at = segment.acknowledgement;
    if at == begin && !segment.payload.is_empty() {
        say(begin, PSH | FIN | ACK, redirect)
    } else if at == begin && segment.has(FIN) {
        // It closes without having asked.
        say(begin, FIN | ACK, &[])
    } else if [begin, begin.wrapping_add(1), end, end.wrapping_add(1)].contains(&at) {
        // Once all has been said, only what still comes is acknowledged.
        if is_bare { Err(Silence::Acknowledged) } else { say(end.wrapping_add(1), ACK, &[]) }
    } else {
        refuse(segment)
    }
}

/// A reset for a segment of no connection (RFC 9293, section 3.10.7.1).
fn refuse(segment: &Tcp) -> Result<Tcp<'static>, Silence> {
    if segment.has(RST) {
        return Err(Silence::Reset);
    }
    if segment.has(ACK) {
        let reset = reply_to(segment, segment.acknowledgement, RST, &[]);
        return Ok(Tcp { acknowledgement: 0, ..reset });
    }
    Ok(reply_to(segment, 0, RST | ACK, &[]))
}

/// To the other end, all of its segment acknowledged.
fn reply_to<'r>(segment: &Tcp, sequence: u32, control: u8, payload: &'r [u8]) -> Tcp<'r> {
    Tcp {
        source_port: segment.destination_port,
        destination_port: segment.source_port,
        sequence,
        acknowledgement: segment.sequence.wrapping_add(segment.sequence_len()),
        control,
        window: if control & RST == 0 { WINDOW } else { 0 },
        payload,
    }
}

/// Back to the sender of `to`, with the tags that it came with.
fn send(to: &Frame, ends: Ends, segment: Tcp) -> Vec<u8> {
    let options: &[[u8; 4]] = if segment.has(SYN) { &[MAXIMUM_SEGMENT] } else { &[] };
    let packet = match (ends.destination, ends.source) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => packet4(source, destination, segment, options),
        (IpAddr::V6(source), IpAddr::V6(destination)) => packet6(source, destination, segment, options),
        _ => unreachable!("both ends of a packet are of one family"),
    };
    let Frame { destination, source, tags, ethertype, payload: _ } = *to;
    Frame { destination: source, source: destination, tags, ethertype, payload: &packet }.to_bytes()
}

fn packet4(source: Ipv4Addr, destination: Ipv4Addr, segment: Tcp, options: &[[u8; 4]]) -> Vec<u8> {
    let pseudo = |len| Ipv4Header::pseudo_sum(source, destination, PROTOCOL_TCP, len);
    let header = Ipv4Header { tos: 0, protocol: PROTOCOL_TCP, source, destination };
    header.packet(&segment.to_bytes(options, pseudo))
}

fn packet6(source: Ipv6Addr, destination: Ipv6Addr, segment: Tcp, options: &[[u8; 4]]) -> Vec<u8> {
    let pseudo = |len| Ipv6Header::pseudo_sum(source, destination, PROTOCOL_TCP, len);
    let (protocol, hop_limit) = (PROTOCOL_TCP, Ipv6Header::HOP_LIMIT);
    let header = Ipv6Header { traffic_class: 0, protocol, hop_limit, source, destination };
    header.packet(&segment.to_bytes(options, pseudo))
}

impl fmt::Display for Silence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => error.fmt(f),
            Self::Group => f.write_str("one of its ends is a group"),
            Self::Reset => f.write_str("it is a reset"),
            Self::Acknowledged => f.write_str("it needs no answer"),
        }
    }
}

#[cfg(test)]
mod tests;
