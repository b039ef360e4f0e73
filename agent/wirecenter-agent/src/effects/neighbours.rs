//! The gateways' Ethernet addresses, from the kernel to the fast path.

use fastpath::Fastpath;
use linux_node::Netlink;
use net_types::Mac;

/// `ask`: also has the kernel look for them and keep looking.
pub(super) async fn update(netlink: &Netlink, fastpath: &mut Fastpath, ask: bool) {
    for (gateway, port, known) in fastpath.next_hops() {
        let found = async {
            let Some(interface) = netlink.interface(&port).await? else { return Ok(None) };
            if ask {
                netlink.keep_resolved(interface.index, gateway).await?;
            }
            netlink.neighbour(interface.index, gateway).await
        };
        let found: Result<Option<Mac>, linux_node::Error> = found.await;
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%gateway, %port, %error, "the gateway cannot be looked for");
                continue;
            }
        };
        if found == known {
            continue;
        }
        match fastpath.set_next_hop(gateway, &port, found) {
            Ok(()) => tracing::info!(%gateway, %port, mac = ?found.map(|mac| mac.to_string()), "next hop"),
            Err(error) => tracing::warn!(%gateway, %port, %error, "the fast path does not take the next hop"),
        }
    }
}
