//! A subscriber's line, and frames on it, for the tests of what is said there.

use std::net::{Ipv4Addr, Ipv6Addr};

use net_types::Mac;
use node_state::{AccessTags, Ipv6Line, Session, SessionState};

use crate::{ETHERTYPE_IPV6, Frame, Ipv6Header, Tag, Tags};

pub(crate) const HOST: Ipv6Addr = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0xff, 0xfe00, 0xaa);
pub(crate) const FAR: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 9);

pub(crate) fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last]).expect("a station")
}

pub(crate) fn port_mac() -> Mac {
    mac(1)
}

/// The office's address on the line.
pub(crate) fn gateway() -> Ipv6Addr {
    port_mac().link_local()
}

pub(crate) fn line() -> Ipv6Line {
    Ipv6Line {
        link: "2001:db8:0:7::/64".parse().expect("a prefix"),
        address: Some("2001:db8:0:7::2".parse().expect("an address")),
        delegated: Some("2001:db8:700::/56".parse().expect("a prefix")),
        more_networks: Vec::new(),
        autonomous: true,
        dns_servers: vec!["2001:db8::53".parse().expect("an address")],
        preferred_seconds: 1800,
        valid_seconds: 3600,
    }
}

pub(crate) fn session() -> Session {
    Session {
        subscriber: "alice".parse().expect("a name"),
        port: "access0".parse().expect("a name"),
        tags: AccessTags { s_vid: 100.try_into().ok(), c_vid: 7.try_into().ok() },
        state: SessionState::Active,
        mac: None,
        lease: "100.64.0.2/16".parse().expect("an address"),
        gateway: Ipv4Addr::new(100, 64, 0, 1),
        network: "100.64.0.2/32".parse().expect("a prefix"),
        dns_servers: vec![],
        lease_seconds: 3600,
        nat: None,
        nat_overflow: None,
        nat_address: None,
        nat_exempt: false,
        more_networks: Vec::new(),
        nat_filtering: node_state::NatFiltering::default(),
        rate_up: None,
        rate_down: None,
        committed_up: None,
        committed_down: None,
        firewall: None,
        firewall_rules: Vec::new(),
        port_forwards: Vec::new(),
        voice: None,
        parental_control: None,
        ipv6: Some(line()),
    }
}

pub(crate) fn tags() -> Tags {
    Tags::two(Tag { tpid: 0x88a8, tci: 0x6064 }, Tag { tpid: 0x8100, tci: 7 })
}

/// A frame with tags 100 and 7 from the station 02:00:00:00:00:aa to the gateway's port.
pub(crate) fn tagged(packet: &[u8]) -> Vec<u8> {
    let (destination, source) = (port_mac().octets(), mac(0xaa).octets());
    Frame { destination, source, tags: tags(), ethertype: ETHERTYPE_IPV6, payload: packet }.to_bytes()
}

pub(crate) fn header(protocol: u8, source: Ipv6Addr, destination: Ipv6Addr) -> Ipv6Header {
    Ipv6Header { traffic_class: 0x2d, protocol, hop_limit: 9, source, destination }
}
