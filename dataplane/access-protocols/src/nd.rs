//! Neighbour discovery on a subscriber's link (RFC 4861): the office's address is answered for, and its routers'
//! advertisements say what the link is.
//!
//! The office has one address there, the link-local one of the access port ([`Mac::link_local`]), and answers for no
//! other: every other address of the link is the subscriber's, whose hosts find each other, and find duplicates, by
//! asking each other. An answer in their name would tell a host that its own address is taken.
//!
//! Frames go to, and hosts are learned from, the station address that a frame came from, and not the one in its
//! options: behind a bridge that translates station addresses (many wireless ones do) only the first can be reached.

mod advertisement;

use std::{fmt, net::Ipv6Addr};

use net_types::Mac;
use node_state::{Ipv6Line, Session};

use crate::{
    ETHERTYPE_IPV6, Frame, Ipv6, Ipv6Header, LineError, Neighbour, PROTOCOL_ICMP6, PacketError, Tags,
    icmp6::{Icmp6, message},
    line,
};

/// Message types (RFC 4861, section 4).
const ROUTER_SOLICITATION: u8 = 133;
const ROUTER_ADVERTISEMENT: u8 = 134;
const NEIGHBOUR_SOLICITATION: u8 = 135;
const NEIGHBOUR_ADVERTISEMENT: u8 = 136;

/// Option types (RFC 4861, section 4.6).
const SOURCE_LINK_LAYER: u8 = 1;
const TARGET_LINK_LAYER: u8 = 2;

/// The hop limit of what no router has forwarded (RFC 4861, section 3.1).
const ON_LINK: u8 = 255;

/// Flags of a neighbour advertisement (RFC 4861, section 4.4).
const ROUTER: u8 = 0x80;
const SOLICITED: u8 = 0x40;
const OVERRIDE: u8 = 0x20;

/// What solicited-node multicast addresses begin with (RFC 4291, section 2.7.1).
const SOLICITED_NODE: [u8; 13] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff];
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);

/// What an answer rests on besides the frame.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    pub session: &'a Session,
    /// The access port's, of which the office's address on the link is made.
    pub port_mac: Mac,
    /// The largest packet of the line, in bytes.
    pub mtu: u16,
}

/// What is to be done about a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The frame to send on the port that the solicitation came in by.
    pub reply: Option<Vec<u8>>,
    /// Who sent it, if that can be known.
    pub neighbour: Option<Neighbour>,
    pub event: Event,
}

/// What happened, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A host looks for the office's address, or probes whether it is still there.
    Answered,
    /// A host would have the office's address itself, and is told that it is taken (RFC 4862, section 5.4).
    Defended,
    /// A host asks what the link is, and is told.
    Advertised,
    /// A host says where it is.
    Learned,
    /// A host says that the office's address is its own.
    Contested,
    Ignored(Ignored),
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    Packet(PacketError),
    Line(LineError),
    /// A router has forwarded it, so its sender may be anywhere.
    HopLimit(u8),
    /// The message is not as RFC 4861, sections 6.1 and 7.1, would have it.
    Malformed,
    /// It comes from the office's own address.
    OwnSource,
    /// It asks for an address that is not the office's.
    NotOurs(Ipv6Addr),
    /// A message that is not neighbour discovery, or only a router's.
    OtherMessage(u8),
}

/// Answers a frame, at once (a delay is for links with several routers: RFC 4861, section 6.2.6); the caller limits the
/// rate. Never panics, whatever the bytes.
pub fn handle(context: &Context, frame: &[u8]) -> Outcome {
    answer(context, frame).unwrap_or_else(|ignored| Outcome {
        reply: None,
        neighbour: None,
        event: Event::Ignored(ignored),
    })
}

/// A router advertisement for everyone on the link of a session, or for one of them; `tags` are those of the line.
///
/// It is due every 200 to 600 seconds (RFC 4861, section 6.2.1), and at once when something about the line has changed.
/// That of a session that is quarantined has no lifetime, so that hosts turn away from the office (section 6.2.5).
/// None if the session has no IPv6.
pub fn router_advertisement(context: &Context, tags: Tags, to: Option<Neighbour>) -> Option<Vec<u8>> {
    let line = context.session.ipv6.as_ref()?;
    let destination = match to {
        Some(neighbour) => Destination { station: neighbour.mac.octets(), address: neighbour.address },
        None => Destination::ALL_NODES,
    };
    let body = advertisement::body(context, line);
    Some(destination.frame(context, tags, ROUTER_ADVERTISEMENT, &body))
}

fn answer(context: &Context, bytes: &[u8]) -> Result<Outcome, Ignored> {
    let frame = Frame::parse(bytes).map_err(Ignored::Packet)?;
    let ip = Ipv6::parse(&frame).map_err(Ignored::Packet)?;
    // Not even an "atomic" one (RFC 6980, section 5).
    if ip.has_fragment_header() {
        return Err(Ignored::Packet(PacketError::Fragment));
    }
    let icmp = Icmp6::parse(&ip).map_err(Ignored::Packet)?;
    let (line, mac) = line::admit(context.session, &frame).map_err(Ignored::Line)?;
    if ip.hop_limit != ON_LINK {
        return Err(Ignored::HopLimit(ip.hop_limit));
    }
    if icmp.code != 0 || ip.source.is_multicast() {
        return Err(Ignored::Malformed);
    }
    if ip.source == context.port_mac.link_local() {
        return Err(Ignored::OwnSource);
    }
    let asked = Asked {
        context,
        line,
        tags: frame.tags,
        mac,
        source: ip.source,
        destination: ip.destination,
        body: icmp.body,
    };
    let (reply, event) = match icmp.kind {
        ROUTER_SOLICITATION => asked.router_solicitation()?,
        NEIGHBOUR_SOLICITATION => asked.neighbour_solicitation()?,
        NEIGHBOUR_ADVERTISEMENT => (None, asked.neighbour_advertisement()?),
        other => return Err(Ignored::OtherMessage(other)),
    };
    let neighbour = Neighbour { address: ip.source, mac };
    Ok(Outcome { reply, neighbour: Some(neighbour).filter(|it| it.address.is_unicast_link_local()), event })
}

/// A sound message of this line.
struct Asked<'a> {
    context: &'a Context<'a>,
    line: &'a Ipv6Line,
    tags: Tags,
    mac: Mac,
    source: Ipv6Addr,
    destination: Ipv6Addr,
    /// What follows the checksum.
    body: &'a [u8],
}

impl Asked<'_> {
    fn router_solicitation(&self) -> Result<(Option<Vec<u8>>, Event), Ignored> {
        let (_reserved, options) = self.body.split_first_chunk::<4>().ok_or(Ignored::Malformed)?;
        self.check(options)?;
        let body = advertisement::body(self.context, self.line);
        Ok((Some(self.send(ROUTER_ADVERTISEMENT, &body)), Event::Advertised))
    }

    fn neighbour_solicitation(&self) -> Result<(Option<Vec<u8>>, Event), Ignored> {
        let target = self.target()?;
        // A probe for a duplicate goes to the group of the address (RFC 4861, section 7.1.1).
        let is_probe = self.source.is_unspecified();
        if is_probe && self.destination.octets()[..13] != SOLICITED_NODE {
            return Err(Ignored::Malformed);
        }
        if target != self.context.port_mac.link_local() {
            return Err(Ignored::NotOurs(target));
        }
        // RFC 4861, section 7.2.4: nobody has solicited what is told everyone.
        let flags = ROUTER | OVERRIDE | if is_probe { 0 } else { SOLICITED };
        let mut body = vec![flags, 0, 0, 0];
        body.extend_from_slice(&target.octets());
        body.extend(link_layer(TARGET_LINK_LAYER, self.context.port_mac));
        let event = if is_probe { Event::Defended } else { Event::Answered };
        Ok((Some(self.send(NEIGHBOUR_ADVERTISEMENT, &body)), event))
    }

    /// A host that contests the address is not told anything: whom it has misled asks again, and is answered. (What a
    /// node should do about it is beyond RFC 4862, section 5.4.4.)
    fn neighbour_advertisement(&self) -> Result<Event, Ignored> {
        let target = self.target()?;
        let solicited = self.body.first().is_some_and(|flags| flags & SOLICITED != 0);
        if self.source.is_unspecified() || self.destination.is_multicast() && solicited {
            return Err(Ignored::Malformed);
        }
        let contested = target == self.context.port_mac.link_local();
        Ok(if contested { Event::Contested } else { Event::Learned })
    }

    /// The target of a solicitation or advertisement whose options are sound.
    fn target(&self) -> Result<Ipv6Addr, Ignored> {
        let (_flags, rest) = self.body.split_first_chunk::<4>().ok_or(Ignored::Malformed)?;
        let (&target, options) = rest.split_first_chunk::<16>().ok_or(Ignored::Malformed)?;
        self.check(options)?;
        let target = Ipv6Addr::from(target);
        if target.is_multicast() { Err(Ignored::Malformed) } else { Ok(target) }
    }

    /// Options have a length, and a sender without an address has no station address to tell
    /// (RFC 4861, sections 6.1.1 and 7.1.1).
    fn check(&self, mut options: &[u8]) -> Result<(), Ignored> {
        while let [kind, len, ..] = *options {
            let len = usize::from(len) * 8;
            if len == 0 || kind == SOURCE_LINK_LAYER && self.source.is_unspecified() {
                return Err(Ignored::Malformed);
            }
            options = options.get(len..).ok_or(Ignored::Malformed)?;
        }
        if options.is_empty() { Ok(()) } else { Err(Ignored::Malformed) }
    }

    /// The frame back to the sender; to everyone if it has no address yet.
    fn send(&self, kind: u8, body: &[u8]) -> Vec<u8> {
        let destination = if self.source.is_unspecified() {
            Destination::ALL_NODES
        } else {
            Destination { station: self.mac.octets(), address: self.source }
        };
        destination.frame(self.context, self.tags, kind, body)
    }
}

struct Destination {
    station: [u8; 6],
    address: Ipv6Addr,
}

impl Destination {
    /// The group's station address is made of its own (RFC 2464, section 7).
    const ALL_NODES: Self = Self { station: [0x33, 0x33, 0, 0, 0, 1], address: ALL_NODES };

    fn frame(&self, context: &Context, tags: Tags, kind: u8, body: &[u8]) -> Vec<u8> {
        let header = Ipv6Header {
            traffic_class: 0,
            protocol: PROTOCOL_ICMP6,
            hop_limit: ON_LINK,
            source: context.port_mac.link_local(),
            destination: self.address,
        };
        Frame {
            destination: self.station,
            source: context.port_mac.octets(),
            tags,
            ethertype: ETHERTYPE_IPV6,
            payload: &header.packet(&message(&header, kind, 0, &[body])),
        }
        .to_bytes()
    }
}

/// A link-layer address option (RFC 4861, section 4.6.1).
fn link_layer(kind: u8, mac: Mac) -> [u8; 8] {
    let mac = mac.octets();
    [kind, 1, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]]
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered => f.write_str("answered for the office's address"),
            Self::Defended => f.write_str("a host would have the office's address: it is taken"),
            Self::Advertised => f.write_str("advertised the router"),
            Self::Learned => f.write_str("learned where a host is"),
            Self::Contested => {
                f.write_str("a host on the subscriber's line says that it has the office's address")
            }
            Self::Ignored(ignored) => write!(f, "ignored: {ignored}"),
        }
    }
}

impl fmt::Display for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packet(error) => error.fmt(f),
            Self::Line(error) => error.fmt(f),
            Self::HopLimit(hops) => write!(f, "its hop limit is {hops}, so it has been forwarded"),
            Self::Malformed => f.write_str("the message is malformed"),
            Self::OwnSource => f.write_str("it comes from the office's own address"),
            Self::NotOurs(address) => write!(f, "{address} is not the office's address"),
            Self::OtherMessage(kind) => write!(f, "ICMPv6 type {kind} is not a host's question or answer"),
        }
    }
}

#[cfg(test)]
mod tests;
