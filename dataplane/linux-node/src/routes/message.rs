//! Route messages as the kernel sends them, a million at a time: read where they lie, and only what is needed.
//!
//! Layouts and numbers are those of `include/uapi/linux/{rtnetlink,nexthop,neighbour,if_link}.h`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use net_types::{Mac, Prefix4, Prefix6};
use node_plan::forwarding::{
    KernelHop, KernelRoute, KernelTarget, NextHopObject, Placed, RouteEvent, RoutePrefix,
};
use rtnetlink::{packet_core::NlasIterator, packet_route::route::RouteHeader};

use super::RouteNews;
use crate::dump::{Message, family, u16_at, u32_at};

pub(super) const RTM_NEWNEXTHOP: u16 = 104;
pub(super) const RTM_DELNEXTHOP: u16 = 105;
pub(super) const RTM_GETNEXTHOP: u16 = 106;

const RTM_F_CLONED: u32 = 0x200;
const RTA_MULTIPATH: u16 = 9;
const RTA_VIA: u16 = 18;
const RTA_ENCAP: u16 = 22;
const RTA_NH_ID: u16 = 30;
const NHA_ID: u16 = 1;
const NHA_GROUP: u16 = 2;
const NHA_BLACKHOLE: u16 = 4;
const NHA_OIF: u16 = 5;
const NHA_GATEWAY: u16 = 6;
const NHA_ENCAP: u16 = 8;
const NHA_FDB: u16 = 11;

/// What a notification tells, or a message of a dump, if it is of interest.
pub(super) fn news(message: &Message<'_>, is_dump: bool) -> Option<RouteNews> {
    let payload = message.payload;
    let event = match message.kind {
        libc::RTM_NEWLINK => link(payload, true)?,
        libc::RTM_DELLINK => link(payload, false)?,
        libc::RTM_NEWROUTE => {
            RouteEvent::Route { route: route(payload)?, placed: placed(message.flags, is_dump) }
        }
        libc::RTM_DELROUTE => RouteEvent::RouteGone(route(payload)?),
        RTM_NEWNEXTHOP => {
            let (id, object) = next_hop(payload)?;
            RouteEvent::NextHop { id, object }
        }
        RTM_DELNEXTHOP => RouteEvent::NextHopGone { id: next_hop(payload)?.0 },
        libc::RTM_NEWNEIGH => return neighbour(payload, true),
        libc::RTM_DELNEIGH => return neighbour(payload, false),
        _ => return None,
    };
    Some(RouteNews::Route(event))
}

/// Where a new route is: what the request that made it said (`fib_table_insert()`).
fn placed(flags: u16, is_dump: bool) -> Placed {
    let has = |flag: libc::c_int| i32::from(flags) & flag != 0;
    if is_dump {
        Placed::Found
    } else if has(libc::NLM_F_REPLACE) {
        Placed::Instead
    } else if has(libc::NLM_F_APPEND) {
        Placed::Last
    } else {
        Placed::First
    }
}

/// `struct ifinfomsg`.
fn link(payload: &[u8], is_there: bool) -> Option<RouteEvent> {
    let flags = u32_at(payload, 8)?;
    let is_up = [libc::IFF_UP, libc::IFF_LOWER_UP].iter().all(|flag| flags & flag.cast_unsigned() != 0);
    // Bridges tell of their ports in messages of a family of their own, when the port itself stays.
    (payload[0] == family(libc::AF_UNSPEC))
        .then_some(RouteEvent::Link { ifindex: u32_at(payload, 4)?, is_up: is_there && is_up })
}

/// `struct rtmsg`; `None`: a route that is not of the main table, or not for unicast, and of IPv6 not an address of the
/// node's own either.
pub(crate) fn route(payload: &[u8]) -> Option<KernelRoute> {
    let (header, attributes) = payload.split_first_chunk::<12>()?;
    let [family, prefix_len, source_len, tos, table, protocol, _scope, kind, ..] = *header;
    if source_len != 0 || u32_at(header, 8)? & RTM_F_CLONED != 0 {
        return None;
    }
    let mut table = u32::from(table);
    let (mut destination, mut metric, mut object) = (None, 0, None);
    let mut hop = KernelHop { gateway: None, ifindex: 0, weight: 1 };
    let (mut hops, mut is_encapsulated) = (None, false);
    for attribute in NlasIterator::new(attributes) {
        let attribute = attribute.ok()?;
        let value = attribute.value();
        match attribute.kind() {
            libc::RTA_DST => destination = Some(address(value)?),
            libc::RTA_OIF => hop.ifindex = u32_at(value, 0)?,
            libc::RTA_GATEWAY => hop.gateway = Some(address(value)?),
            libc::RTA_PRIORITY => metric = u32_at(value, 0)?,
            libc::RTA_TABLE => table = u32_at(value, 0)?,
            RTA_MULTIPATH => hops = Some(multipath(value)?),
            RTA_VIA => hop.gateway = Some(address(value.get(2..)?)?),
            RTA_ENCAP => is_encapsulated = true,
            RTA_NH_ID => object = Some(u32_at(value, 0)?),
            _ => {}
        }
    }
    if family == crate::dump::family(libc::AF_INET6) && is_local(table, kind) {
        let (prefix, target) = (prefix(family, destination, prefix_len)?, KernelTarget::Local);
        return Some(KernelRoute { prefix, tos: 0, metric, protocol, target });
    }
    if table != u32::from(RouteHeader::RT_TABLE_MAIN) {
        return None;
    }
    if is_encapsulated {
        hop.gateway = None;
    }
    let target = match (kind, object) {
        (libc::RTN_UNICAST | libc::RTN_BLACKHOLE, Some(id)) => KernelTarget::Object(id),
        (libc::RTN_UNICAST, None) => KernelTarget::Hops(hops.unwrap_or_else(|| vec![hop])),
        (libc::RTN_BLACKHOLE, None) => KernelTarget::Blackhole,
        (libc::RTN_UNREACHABLE, _) => KernelTarget::Unreachable,
        (libc::RTN_PROHIBIT, _) => KernelTarget::Prohibit,
        (libc::RTN_BROADCAST | libc::RTN_ANYCAST | libc::RTN_MULTICAST, _) => return None,
        _ => KernelTarget::Other,
    };
    Some(KernelRoute { prefix: prefix(family, destination, prefix_len)?, tos, metric, protocol, target })
}

/// The table that the kernel asks first, of what it does not forward.
fn is_local(table: u32, kind: u8) -> bool {
    table == u32::from(libc::RT_TABLE_LOCAL) && matches!(kind, libc::RTN_LOCAL | libc::RTN_ANYCAST)
}

fn prefix(family_number: u8, destination: Option<IpAddr>, len: u8) -> Option<RoutePrefix> {
    let is_v4 = family_number == family(libc::AF_INET);
    match destination {
        Some(IpAddr::V4(address)) if is_v4 => Prefix4::new(address, len).ok().map(RoutePrefix::V4),
        None if is_v4 => Prefix4::new(Ipv4Addr::UNSPECIFIED, len).ok().map(RoutePrefix::V4),
        Some(IpAddr::V6(address)) => Prefix6::new(address, len).ok().map(RoutePrefix::V6),
        None if family_number == family(libc::AF_INET6) => {
            Prefix6::new(Ipv6Addr::UNSPECIFIED, len).ok().map(RoutePrefix::V6)
        }
        _ => None,
    }
}

/// A row of `struct rtnexthop`, each with attributes of its own.
fn multipath(mut rest: &[u8]) -> Option<Vec<KernelHop>> {
    const HEADER_LEN: usize = 8;
    let mut hops = Vec::new();
    while !rest.is_empty() {
        let len = usize::from(u16_at(rest, 0)?);
        let one = rest.get(..len)?;
        // `rtnh_hops` is the weight less one.
        let weight = u32::from(*one.get(3)?) + 1;
        let mut hop = KernelHop { gateway: None, ifindex: u32_at(one, 4)?, weight };
        let mut is_encapsulated = false;
        for attribute in NlasIterator::new(one.get(HEADER_LEN..)?) {
            let attribute = attribute.ok()?;
            let value = attribute.value();
            match attribute.kind() {
                libc::RTA_GATEWAY => hop.gateway = Some(address(value)?),
                RTA_VIA => hop.gateway = Some(address(value.get(2..)?)?),
                RTA_ENCAP => is_encapsulated = true,
                _ => {}
            }
        }
        if is_encapsulated {
            hop.gateway = None;
        }
        hops.push(hop);
        rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    (!hops.is_empty()).then_some(hops)
}

/// `struct nhmsg`; `None`: one of a bridge's.
fn next_hop(payload: &[u8]) -> Option<(u32, NextHopObject)> {
    const HEADER_LEN: usize = 8;
    let mut id = None;
    let mut hop = KernelHop { gateway: None, ifindex: 0, weight: 1 };
    let (mut group, mut is_blackhole, mut is_encapsulated) = (None, false, false);
    for attribute in NlasIterator::new(payload.get(HEADER_LEN..)?) {
        let attribute = attribute.ok()?;
        let value = attribute.value();
        match attribute.kind() {
            NHA_ID => id = Some(u32_at(value, 0)?),
            NHA_GROUP => group = Some(value.chunks_exact(8).map(group_member).collect::<Option<_>>()?),
            NHA_BLACKHOLE => is_blackhole = true,
            NHA_OIF => hop.ifindex = u32_at(value, 0)?,
            NHA_GATEWAY => hop.gateway = Some(address(value)?),
            NHA_ENCAP => is_encapsulated = true,
            NHA_FDB => return None,
            _ => {}
        }
    }
    if is_encapsulated {
        hop.gateway = None;
    }
    let object = match group {
        Some(members) => NextHopObject::Group(members),
        None if is_blackhole => NextHopObject::Blackhole,
        None => NextHopObject::Hop(hop),
    };
    Some((id?, object))
}

/// `struct nexthop_grp`: the weight less one is in two parts, the upper of them (Linux 6.12) 0 before.
fn group_member(member: &[u8]) -> Option<(u32, u32)> {
    let (low, high) = (*member.get(4)?, *member.get(5)?);
    Some((u32_at(member, 0)?, u32::from(u16::from_le_bytes([low, high])) + 1))
}

/// `struct ndmsg`.
fn neighbour(payload: &[u8], is_there: bool) -> Option<RouteNews> {
    const HEADER_LEN: usize = 12;
    let (header, attributes) = payload.split_at_checked(HEADER_LEN)?;
    let is_ip = [libc::AF_INET, libc::AF_INET6].iter().any(|number| header[0] == family(*number));
    if !is_ip || header[10] & libc::NTF_PROXY != 0 {
        return None;
    }
    let usable =
        libc::NUD_REACHABLE | libc::NUD_STALE | libc::NUD_DELAY | libc::NUD_PROBE | libc::NUD_PERMANENT;
    let is_usable = is_there && u16_at(header, 8)? & usable != 0;
    let (mut destination, mut mac) = (None, None);
    for attribute in NlasIterator::new(attributes) {
        let attribute = attribute.ok()?;
        let value = attribute.value();
        match attribute.kind() {
            libc::NDA_DST => destination = Some(address(value)?),
            libc::NDA_LLADDR if is_usable => {
                mac = <[u8; 6]>::try_from(value).ok().and_then(|octets| Mac::new(octets).ok());
            }
            _ => {}
        }
    }
    Some(RouteNews::Neighbour { ifindex: u32_at(header, 4)?, address: destination?, mac })
}

fn address(value: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(value).ok().map(IpAddr::from);
    v4.or_else(|| <[u8; 16]>::try_from(value).ok().map(IpAddr::from))
}

#[cfg(test)]
mod tests;
