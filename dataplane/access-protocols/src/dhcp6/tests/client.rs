//! A DHCPv6 client's messages, in whatever layout a test wants them.

use std::net::Ipv6Addr;

use crate::{
    ETHERTYPE_IPV6, Frame, Ipv6Header, PROTOCOL_UDP, Tags, Udp,
    tests::line::{HOST, mac, port_mac, tags},
};

use super::super::{ALL_RELAYS_AND_SERVERS, Duid};

pub(super) const SOLICIT: u8 = 1;
pub(super) const REQUEST: u8 = 3;
pub(super) const CONFIRM: u8 = 4;
pub(super) const RENEW: u8 = 5;
pub(super) const REBIND: u8 = 6;
pub(super) const RELEASE: u8 = 8;
pub(super) const DECLINE: u8 = 9;
pub(super) const INFORM: u8 = 11;

pub(super) const TRANSACTION: [u8; 3] = [0xde, 0xad, 0xbe];

/// A DUID-LLT as dhclient makes them.
pub(super) fn duid(last: u8) -> Duid {
    Duid::new(&[0, 1, 0, 1, 0x2a, 0xbc, 0xde, 0xf0, 2, 0, 0, 0, 0, last]).expect("a DUID")
}

/// A message and how it is sent.
#[derive(Clone, Debug)]
pub(super) struct Client {
    pub(super) kind: u8,
    pub(super) options: Vec<u8>,
    pub(super) from: Ipv6Addr,
    pub(super) to: Ipv6Addr,
    pub(super) port: u16,
    pub(super) station: u8,
    pub(super) c_vid: u16,
}

impl Client {
    /// A message without any option.
    pub(super) fn bare(kind: u8) -> Self {
        Self {
            kind,
            options: vec![],
            from: HOST,
            to: ALL_RELAYS_AND_SERVERS,
            port: 547,
            station: 0xaa,
            c_vid: 7,
        }
    }

    /// A message of the client of that name, with the server's where it must have that.
    pub(super) fn new(kind: u8, last: u8) -> Self {
        let client = Self::bare(kind).option(1, duid(last).as_bytes());
        match kind {
            REQUEST | RENEW | RELEASE | DECLINE => client.server(),
            _ => client,
        }
    }

    pub(super) fn server(self) -> Self {
        self.option(2, Duid::link_layer(port_mac()).as_bytes())
    }

    pub(super) fn option(mut self, code: u16, data: &[u8]) -> Self {
        self.options.extend(option(code, data));
        self
    }

    pub(super) fn address(self, iaid: u32, named: &[Ipv6Addr]) -> Self {
        self.association(3, iaid, &[0; 8], &addresses(named))
    }

    pub(super) fn temporary(self, iaid: u32, named: &[Ipv6Addr]) -> Self {
        self.association(4, iaid, &[], &addresses(named))
    }

    pub(super) fn prefix(self, iaid: u32, named: &[(Ipv6Addr, u8)]) -> Self {
        let one =
            |(network, len): &(Ipv6Addr, u8)| option(26, &[&[0; 8], &[*len][..], &network.octets()].concat());
        self.association(25, iaid, &[0; 8], &named.iter().flat_map(one).collect::<Vec<u8>>())
    }

    fn association(self, code: u16, iaid: u32, times: &[u8], options: &[u8]) -> Self {
        self.option(code, &[&iaid.to_be_bytes(), times, options].concat())
    }

    pub(super) fn message(&self) -> Vec<u8> {
        [&[self.kind], &TRANSACTION[..], &self.options].concat()
    }

    pub(super) fn frame(&self) -> Vec<u8> {
        self.frame_of(&self.message())
    }

    pub(super) fn frame_of(&self, message: &[u8]) -> Vec<u8> {
        let ip = Ipv6Header {
            traffic_class: 0,
            protocol: PROTOCOL_UDP,
            hop_limit: 1,
            source: self.from,
            destination: self.to,
        };
        let udp = Udp { source_port: 546, destination_port: self.port, payload: message };
        let mut tags = tags().as_slice().to_vec();
        tags[1].tci = self.c_vid;
        Frame {
            destination: [0x33, 0x33, 0, 1, 0, 2],
            source: mac(self.station).octets(),
            tags: Tags::two(tags[0], tags[1]),
            ethertype: ETHERTYPE_IPV6,
            payload: &ip.packet(&udp.to_bytes6(&ip)),
        }
        .to_bytes()
    }
}

pub(super) fn option(code: u16, data: &[u8]) -> Vec<u8> {
    let len = u16::try_from(data.len()).expect("an option");
    [&code.to_be_bytes(), &len.to_be_bytes(), data].concat()
}

fn addresses(named: &[Ipv6Addr]) -> Vec<u8> {
    named.iter().flat_map(|address| option(5, &[&address.octets()[..], &[0; 8]].concat())).collect()
}
