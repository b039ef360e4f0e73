//! A DHCP client's messages, in whatever layout a test wants them.

use std::net::Ipv4Addr;

use net_types::Mac;
use node_state::Session;

pub(crate) use crate::tests::line::{mac, port_mac};
use crate::{ETHERTYPE_IPV4, Frame, Ipv4Header, PROTOCOL_UDP, Tag, Tags, Udp, tests::line};

pub(crate) const GATEWAY: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 1);
pub(crate) const ADDRESS: Ipv4Addr = Ipv4Addr::new(100, 64, 0, 2);
pub(crate) const OTHER: Ipv4Addr = Ipv4Addr::new(10, 9, 8, 7);
pub(crate) const XID: [u8; 4] = [0xde, 0xad, 0xbe, 0xef];

pub(crate) const DISCOVER: u8 = 1;
pub(crate) const REQUEST: u8 = 3;
pub(crate) const DECLINE: u8 = 4;
pub(crate) const RELEASE: u8 = 7;
pub(crate) const INFORM: u8 = 8;

pub(crate) fn session() -> Session {
    let dns_servers = vec![Ipv4Addr::new(9, 9, 9, 9), Ipv4Addr::new(149, 112, 112, 112)];
    Session { dns_servers, ..line::session() }
}

/// A message and how it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) mac: Mac,
    pub(crate) flags: u16,
    pub(crate) ciaddr: Ipv4Addr,
    pub(crate) giaddr: Ipv4Addr,
    pub(crate) sname: [u8; 64],
    pub(crate) file: [u8; 128],
    pub(crate) options: Vec<u8>,
    pub(crate) from: Ipv4Addr,
    pub(crate) to: Ipv4Addr,
    pub(crate) c_vid: u16,
}

impl Client {
    pub(crate) fn new(message_type: u8) -> Self {
        Self {
            mac: mac(0xaa),
            flags: 0,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            sname: [0; 64],
            file: [0; 128],
            options: vec![53, 1, message_type],
            from: Ipv4Addr::UNSPECIFIED,
            to: Ipv4Addr::BROADCAST,
            c_vid: 7,
        }
    }

    pub(crate) fn mac(mut self, last: u8) -> Self {
        self.mac = mac(last);
        self
    }

    pub(crate) fn flags(mut self, flags: u16) -> Self {
        self.flags = flags;
        self
    }

    pub(crate) fn giaddr(mut self, giaddr: Ipv4Addr) -> Self {
        self.giaddr = giaddr;
        self
    }

    pub(crate) fn to(mut self, to: Ipv4Addr) -> Self {
        self.to = to;
        self
    }

    pub(crate) fn ciaddr(mut self, ciaddr: Ipv4Addr) -> Self {
        self.ciaddr = ciaddr;
        self.from = ciaddr;
        self
    }

    pub(crate) fn option(mut self, code: u8, data: &[u8]) -> Self {
        self.options.extend(option(code, data));
        self
    }

    pub(crate) fn requested(self, address: Ipv4Addr) -> Self {
        self.option(50, &address.octets())
    }

    pub(crate) fn server(self, address: Ipv4Addr) -> Self {
        self.option(54, &address.octets())
    }

    pub(crate) fn message(&self) -> Vec<u8> {
        let mut message = vec![1, 1, 6, 0];
        message.extend(XID);
        message.extend([0, 3]);
        message.extend(self.flags.to_be_bytes());
        message.extend(self.ciaddr.octets());
        message.extend([0; 8]);
        message.extend(self.giaddr.octets());
        message.extend(self.mac.octets());
        message.extend([0; 10]);
        message.extend(self.sname);
        message.extend(self.file);
        message.extend([99, 130, 83, 99]);
        message.extend(&self.options);
        message.push(255);
        message
    }

    pub(crate) fn frame(&self) -> Vec<u8> {
        self.frame_of(&self.message())
    }

    pub(crate) fn frame_of(&self, message: &[u8]) -> Vec<u8> {
        let ip = Ipv4Header { tos: 0, protocol: PROTOCOL_UDP, source: self.from, destination: self.to };
        let udp = Udp { source_port: 68, destination_port: 67, payload: message };
        let broadcast = self.to == Ipv4Addr::BROADCAST;
        Frame {
            destination: if broadcast { Frame::BROADCAST } else { port_mac().octets() },
            source: self.mac.octets(),
            tags: Tags::two(Tag { tpid: 0x88a8, tci: 100 }, Tag { tpid: 0x8100, tci: self.c_vid }),
            ethertype: ETHERTYPE_IPV4,
            payload: &ip.packet(&udp.to_bytes(&ip)),
        }
        .to_bytes()
    }
}

/// An option as RFC 3396 writes it, in parts of at most 255 bytes.
pub(crate) fn option(code: u8, data: &[u8]) -> Vec<u8> {
    if data.is_empty() {
        return vec![code, 0];
    }
    let part = |part: &[u8]| [&[code, u8::try_from(part.len()).expect("a part")], part].concat();
    data.chunks(255).flat_map(part).collect()
}
