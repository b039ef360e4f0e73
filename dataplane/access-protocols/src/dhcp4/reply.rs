//! Replies: what is in them, and where they go.

use std::net::Ipv4Addr;

use super::{
    CLIENT_PORT, Context, Request, SERVER_PORT,
    message::{BOOT_REPLY, FIXED_LEN, FLAG_BROADCAST, HARDWARE_ETHERNET, MAGIC_COOKIE},
    options::{MessageType, OptionWriter, code},
};
use crate::{ETHERTYPE_IPV4, Frame, Ipv4Header, PROTOCOL_UDP, Udp};

/// Shortest message: a BOOTP message's length (RFC 951), which old relays and clients insist on.
const MESSAGE_LEN_MIN: usize = 300;
/// IPv4 and UDP headers, which option 57 counts in (RFC 2131, section 2).
const HEADERS_LEN: u16 = 28;
/// Every client takes a packet of this size (RFC 2131, section 2).
const PACKET_LEN_MIN: u16 = 576;
/// Largest packet an access line carries.
const PACKET_LEN_MAX: u16 = 1500;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Offer,
    /// An ACK to a REQUEST.
    Lease,
    /// An ACK to an INFORM, of the host at `to`.
    Parameters {
        to: Ipv4Addr,
    },
    Nak,
}

impl Reply {
    pub(super) fn frame(self, context: &Context, request: &Request) -> Vec<u8> {
        let message = self.message(context, request);
        let to = self.destination(context, request);
        let ip = Ipv4Header {
            tos: 0,
            protocol: PROTOCOL_UDP,
            source: context.session.gateway,
            destination: to.address,
        };
        let udp = Udp { source_port: SERVER_PORT, destination_port: to.port, payload: &message };
        Frame {
            destination: to.station,
            source: context.port_mac.octets(),
            tags: request.tags,
            ethertype: ETHERTYPE_IPV4,
            payload: &ip.packet(&udp.to_bytes(&ip)),
        }
        .to_bytes()
    }

    /// RFC 2131, section 4.1.
    fn destination(self, context: &Context, request: &Request) -> Destination {
        let message = &request.message;
        let mac = message.mac.octets();
        let broadcast =
            Destination { station: Frame::BROADCAST, address: Ipv4Addr::BROADCAST, port: CLIENT_PORT };
        if !message.giaddr.is_unspecified() {
            let station = request.ethernet_source;
            return Destination { station, address: message.giaddr, port: SERVER_PORT };
        }
        match self {
            Self::Nak => broadcast,
            Self::Parameters { to } => Destination { station: mac, address: to, port: CLIENT_PORT },
            Self::Offer | Self::Lease if !message.ciaddr.is_unspecified() => {
                Destination { station: mac, address: message.ciaddr, port: CLIENT_PORT }
            }
            Self::Offer | Self::Lease if message.flags & FLAG_BROADCAST != 0 => broadcast,
            Self::Offer | Self::Lease => {
                Destination { station: mac, address: context.session.lease.address(), port: CLIENT_PORT }
            }
        }
    }

    fn message(self, context: &Context, request: &Request) -> Vec<u8> {
        let message = &request.message;
        let relayed = !message.giaddr.is_unspecified();
        // A relay hands a NAK on by broadcast if this bit is set (RFC 2131, section 4.3.2).
        let set = if self == Self::Nak && relayed { FLAG_BROADCAST } else { 0 };
        let ciaddr = match self {
            Self::Lease | Self::Parameters { .. } => message.ciaddr,
            Self::Offer | Self::Nak => Ipv4Addr::UNSPECIFIED,
        };
        let yiaddr = match self {
            Self::Offer | Self::Lease => context.session.lease.address(),
            Self::Parameters { .. } | Self::Nak => Ipv4Addr::UNSPECIFIED,
        };
        let mut bytes = Vec::with_capacity(MESSAGE_LEN_MIN);
        bytes.extend_from_slice(&[BOOT_REPLY, HARDWARE_ETHERNET, 6, 0]);
        bytes.extend_from_slice(&message.xid);
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&(message.flags | set).to_be_bytes());
        for address in [ciaddr, yiaddr, Ipv4Addr::UNSPECIFIED, message.giaddr] {
            bytes.extend_from_slice(&address.octets());
        }
        bytes.extend_from_slice(&message.mac.octets());
        bytes.resize(FIXED_LEN - MAGIC_COOKIE.len(), 0);
        bytes.extend_from_slice(&MAGIC_COOKIE);
        bytes.extend(self.options(context, request));
        bytes.resize(bytes.len().max(MESSAGE_LEN_MIN), 0);
        bytes
    }

    fn options(self, context: &Context, request: &Request) -> Vec<u8> {
        let session = context.session;
        let asked = &request.message.options;
        let size = asked.array(code::MESSAGE_SIZE_MAX).map_or(PACKET_LEN_MIN, u16::from_be_bytes);
        let len_max = options_len_max(size.clamp(PACKET_LEN_MIN, PACKET_LEN_MAX));
        let mut writer = OptionWriter::new();
        let mut put = |code: u8, data: &[u8]| writer.put(code, data, len_max);

        let message_type = match self {
            Self::Offer => MessageType::OFFER,
            Self::Lease | Self::Parameters { .. } => MessageType::ACK,
            Self::Nak => MessageType::NAK,
        };
        put(code::MESSAGE_TYPE, &[message_type]);
        put(code::SERVER_IDENTIFIER, &session.gateway.octets());
        if matches!(self, Self::Offer | Self::Lease) {
            let lease_s = session.lease_seconds;
            put(code::LEASE_TIME, &lease_s.to_be_bytes());
            // The defaults of RFC 2131, section 4.4.5: half and seven eighths.
            put(code::RENEWAL_TIME, &(lease_s / 2).to_be_bytes());
            put(code::REBINDING_TIME, &(lease_s - lease_s / 8).to_be_bytes());
        }
        for part in asked.parts(code::CLIENT_IDENTIFIER) {
            put(code::CLIENT_IDENTIFIER, part);
        }
        if self == Self::Nak {
            put(code::MESSAGE, b"the address is not yours");
        } else {
            for (code, data) in parameters(context, request) {
                put(code, &data);
            }
        }
        // The relay takes this off again, so the client's limit does not count it; only the line's does.
        // It is the last option (RFC 3046, section 2.1), part by part as it came (section 2.2).
        for part in asked.parts(code::RELAY_AGENT_INFORMATION) {
            writer.put(code::RELAY_AGENT_INFORMATION, part, options_len_max(PACKET_LEN_MAX));
        }
        writer.finish()
    }
}

/// Room for options in a message of which the whole packet has `packet_len` bytes.
fn options_len_max(packet_len: u16) -> usize {
    usize::from(packet_len - HEADERS_LEN) - FIXED_LEN
}

/// What the client asked for and the session has, in the client's order; all of it if it did not ask. The mask comes
/// first, for it must precede the router (RFC 2132, section 3.3).
fn parameters(context: &Context, request: &Request) -> Vec<(u8, Vec<u8>)> {
    let session = context.session;
    let prefix_len = u32::from(session.lease.prefix_len());
    let mask = u32::MAX.checked_shl(32 - prefix_len).unwrap_or(0);
    let dns: Vec<u8> = session.dns_servers.iter().flat_map(Ipv4Addr::octets).collect();
    let mut known = vec![
        (code::SUBNET_MASK, mask.to_be_bytes().to_vec()),
        (code::ROUTER, session.gateway.octets().to_vec()),
        (code::DNS_SERVERS, dns),
    ];
    known.retain(|(_, data)| !data.is_empty());
    if let Some(list) = request.message.options.data(code::PARAMETER_REQUEST_LIST) {
        let rank = |code: u8| list.iter().position(|&asked| asked == code);
        known.retain(|&(code, _)| rank(code).is_some());
        known.sort_by_key(|&(code, _)| (code != code::SUBNET_MASK, rank(code)));
    }
    known
}

struct Destination {
    station: [u8; 6],
    address: Ipv4Addr,
    port: u16,
}
