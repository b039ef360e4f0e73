//! Replies: what is in them, and where they go.

use std::net::Ipv6Addr;

use super::{
    CLIENT_PORT, Context, Duid, Request, SERVER_PORT,
    association::Told,
    message::MessageType,
    options::{OptionWriter, Status, code},
};
use crate::{ETHERTYPE_IPV6, Frame, Ipv6Header, PROTOCOL_UDP, Udp};

/// IPv6 and UDP headers.
const HEADERS_LEN: usize = Ipv6Header::LEN + 8;
/// What a client is told fits into a packet that every link takes.
const MESSAGE_LEN_MAX: usize = Ipv6Header::MTU_MIN - HEADERS_LEN;
/// With the envelopes of relays, it fits into the largest that an access line carries.
const RELAYED_LEN_MAX: usize = 1500 - HEADERS_LEN;
/// Type and transaction.
const HEADER_LEN: usize = 4;

/// There is no server to wait for that would be better (RFC 8415, section 18.2.1).
const PREFERENCE: u8 = 255;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Advertise,
    Reply,
    /// A reply to a Solicit that would have it at once.
    RapidReply,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) kind: Kind,
    pub(super) status: Option<Status>,
    pub(super) associations: Vec<Told>,
}

impl Reply {
    /// `None` if the relays' envelopes leave no room for it.
    pub(super) fn frame(&self, context: &Context, request: &Request) -> Option<Vec<u8>> {
        let mut message = self.message(context, request);
        for relay in request.relays.iter().rev() {
            message = relay.wrap(&message, RELAYED_LEN_MAX)?;
        }
        let destination_port = if request.relays.is_empty() { CLIENT_PORT } else { SERVER_PORT };
        let ip = Ipv6Header {
            traffic_class: 0,
            protocol: PROTOCOL_UDP,
            hop_limit: Ipv6Header::HOP_LIMIT,
            source: context.port_mac.link_local(),
            destination: request.source,
        };
        let udp = Udp { source_port: SERVER_PORT, destination_port, payload: &message };
        let frame = Frame {
            destination: request.mac.octets(),
            source: context.port_mac.octets(),
            tags: request.tags,
            ethertype: ETHERTYPE_IPV6,
            payload: &ip.packet(&udp.to_bytes6(&ip)),
        };
        Some(frame.to_bytes())
    }

    /// The options in the order of their weight: what does not fit any more is left out.
    fn message(&self, context: &Context, request: &Request) -> Vec<u8> {
        let asked = &request.message;
        let mut writer = OptionWriter::new(MESSAGE_LEN_MAX - HEADER_LEN);
        if let Some(client) = &asked.client {
            writer.put(code::CLIENT_ID, client.as_bytes());
        }
        writer.put(code::SERVER_ID, Duid::link_layer(context.port_mac).as_bytes());
        if self.kind == Kind::Advertise {
            writer.put(code::PREFERENCE, &[PREFERENCE]);
        }
        if self.kind == Kind::RapidReply {
            writer.put(code::RAPID_COMMIT, &[]);
        }
        if let Some(status) = self.status {
            writer.put_status(status);
        }
        let (leased, others): (Vec<_>, Vec<_>) =
            self.associations.iter().partition(|told| told.lease.is_some());
        for told in leased {
            told.write(&mut writer, request.line);
        }
        if !request.line.dns_servers.is_empty() && asked.wants(code::DNS_SERVERS) {
            let servers: Vec<u8> = request.line.dns_servers.iter().flat_map(Ipv6Addr::octets).collect();
            writer.put(code::DNS_SERVERS, &servers);
        }
        for told in others {
            told.write(&mut writer, request.line);
        }
        let kind = if self.kind == Kind::Advertise { MessageType::ADVERTISE } else { MessageType::REPLY };
        [&[kind], &asked.transaction[..], &writer.finish()].concat()
    }
}
