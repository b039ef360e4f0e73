//! Which addresses of IPv6 are the node's own, to answer from.

use std::{collections::HashMap, net::Ipv6Addr};

use linux_node::Netlink;
use net_types::IfName;

/// The first interface of every network namespace (`LOOPBACK_IFINDEX`): where addresses are that belong to no link.
const LOOPBACK: u32 = 1;

/// What was found for ports, until addresses or links change.
#[derive(Default)]
pub(super) struct OwnAddresses {
    known: HashMap<Vec<IfName>, Option<Ipv6Addr>>,
}

impl OwnAddresses {
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// An address that all the Internet may know, of the first of the ports that has one, or of the loopback.
    pub(super) async fn of(&mut self, netlink: &Netlink, ports: &[IfName]) -> Option<Ipv6Addr> {
        if let Some(known) = self.known.get(ports) {
            return *known;
        }
        match look(netlink, ports).await {
            Ok(found) => *self.known.entry(ports.to_vec()).or_insert(found),
            Err(error) => {
                tracing::warn!(%error, "the node's own addresses are not known");
                None
            }
        }
    }
}

async fn look(netlink: &Netlink, ports: &[IfName]) -> Result<Option<Ipv6Addr>, linux_node::Error> {
    let all = netlink.global_addresses6().await?;
    let mut indices = Vec::new();
    for port in ports {
        indices.extend(netlink.interface(port).await?.map(|interface| interface.index));
    }
    let mut indices = indices.into_iter().chain([LOOPBACK]);
    Ok(indices.find_map(|index| all.iter().find(|(of, _)| *of == index).map(|(_, address)| *address)))
}
