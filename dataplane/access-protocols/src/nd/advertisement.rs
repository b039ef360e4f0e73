//! What a router advertisement says (RFC 4861, section 4.2; RFC 8106).

use std::net::Ipv6Addr;

use node_state::Ipv6Line;

use super::{Context, SOURCE_LINK_LAYER, link_layer};
use crate::Ipv6Header;

const PREFIX_INFORMATION: u8 = 3;
const MTU: u8 = 5;
const RECURSIVE_DNS_SERVER: u8 = 25;

/// Flags of the message: addresses, and other things, are to be had by DHCPv6.
const MANAGED: u8 = 0x80;
const OTHER: u8 = 0x40;
/// Flags of the prefix (RFC 4861, section 4.6.2).
const ON_LINK: u8 = 0x80;
const AUTONOMOUS: u8 = 0x40;

/// How long the office is a default router, and its resolvers are good, from each advertisement on: three times the
/// longest interval between two of them (RFC 4861, section 6.2.1; RFC 8106, section 5.1).
const LIFETIME_S: u16 = 1800;

/// What fits into a packet that every link takes, beside the rest.
const DNS_SERVERS_MAX: usize = 64;

/// What follows the checksum.
pub(super) fn body(context: &Context, line: &Ipv6Line) -> Vec<u8> {
    let is_router = context.session.is_active() || context.session.is_in_garden();
    let lifetime_s = if is_router { LIFETIME_S } else { 0 };
    let mut body = vec![Ipv6Header::HOP_LIMIT, flags(line)];
    body.extend_from_slice(&lifetime_s.to_be_bytes());
    // Reachable time and retransmission timer: hosts keep their own.
    body.extend_from_slice(&[0; 8]);
    body.extend(link_layer(SOURCE_LINK_LAYER, context.port_mac));
    body.extend_from_slice(&[MTU, 1, 0, 0, 0, 0]);
    body.extend_from_slice(&context.mtu.to_be_bytes());
    body.extend(prefix_information(line));
    body.extend(dns_servers(line, lifetime_s));
    body
}

/// DHCPv6 is worth a host's while for an address, and a router's for a prefix; for the resolvers, too, since not
/// every host takes them from here.
fn flags(line: &Ipv6Line) -> u8 {
    let managed = line.address.is_some();
    let other = managed || line.delegated.is_some() || !line.dns_servers.is_empty();
    (if managed { MANAGED } else { 0 }) | (if other { OTHER } else { 0 })
}

fn prefix_information(line: &Ipv6Line) -> Vec<u8> {
    let flags = ON_LINK | if line.autonomous { AUTONOMOUS } else { 0 };
    let mut option = vec![PREFIX_INFORMATION, 4, line.link.len(), flags];
    option.extend_from_slice(&line.valid_seconds.to_be_bytes());
    option.extend_from_slice(&line.preferred_seconds.min(line.valid_seconds).to_be_bytes());
    option.extend_from_slice(&[0; 4]);
    option.extend_from_slice(&line.link.network().octets());
    option
}

fn dns_servers(line: &Ipv6Line, lifetime_s: u16) -> Vec<u8> {
    let servers = &line.dns_servers[..line.dns_servers.len().min(DNS_SERVERS_MAX)];
    if servers.is_empty() {
        return Vec::new();
    }
    let units = u8::try_from(1 + 2 * servers.len()).expect("a bounded number of servers");
    let mut option = vec![RECURSIVE_DNS_SERVER, units, 0, 0];
    option.extend_from_slice(&u32::from(lifetime_s).to_be_bytes());
    option.extend(servers.iter().flat_map(Ipv6Addr::octets));
    option
}
