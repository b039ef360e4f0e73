//! The node's own addresses of IPv6.

use std::net::{IpAddr, Ipv6Addr};

use rtnetlink::packet_route::{
    AddressFamily, RouteNetlinkMessage,
    address::{AddressAttribute, AddressHeaderFlags, AddressMessage, AddressScope},
};

use crate::{Error, Netlink};

/// Of addresses that packets should not be sent from: it is not known yet, or known not to be the case, that nobody else
/// has them, or they are on their way out (RFC 4862, section 5.5.4).
const UNUSABLE: AddressHeaderFlags =
    AddressHeaderFlags::Tentative.union(AddressHeaderFlags::Dadfailed).union(AddressHeaderFlags::Deprecated);

impl Netlink {
    /// The addresses that packets into the Internet may be sent from, in the kernel's order, each with its interface; none
    /// on a kernel without IPv6.
    pub async fn global_addresses6(&self) -> Result<Vec<(u32, Ipv6Addr)>, Error> {
        let mut request = AddressMessage::default();
        request.header.family = AddressFamily::Inet6;
        let dump = self.dump("read addresses of IPv6", RouteNetlinkMessage::GetAddress(request)).await;
        let all = match dump {
            Err(error) if error.is(libc::EOPNOTSUPP) => return Ok(Vec::new()),
            all => all?,
        };
        let addresses = all.iter().filter_map(|message| match message {
            RouteNetlinkMessage::NewAddress(message) => global(message),
            _ => None,
        });
        Ok(addresses.collect())
    }
}

fn global(message: &AddressMessage) -> Option<(u32, Ipv6Addr)> {
    if message.header.scope != AddressScope::Universe || message.header.flags.intersects(UNUSABLE) {
        return None;
    }
    let (mut local, mut other) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(IpAddr::V6(address)) => local = Some(*address),
            AddressAttribute::Address(IpAddr::V6(address)) => other = Some(*address),
            _ => {}
        }
    }
    Some((message.header.index, local.or(other)?))
}
