//! Whole frames out of ports.

use std::collections::HashMap;

use linux_node::{Netlink, PacketSocket};
use net_types::{IfName, Mac};

/// A socket for each port that frames were sent from, until links change.
#[derive(Default)]
pub(super) struct Frames {
    ports: HashMap<IfName, OpenPort>,
}

struct OpenPort {
    mac: Mac,
    socket: PacketSocket,
}

impl Frames {
    /// Interfaces may have other addresses or be others now: look again.
    pub(super) fn forget(&mut self) {
        self.ports.clear();
    }

    pub(super) async fn mac(&mut self, netlink: &Netlink, port: &IfName) -> Option<Mac> {
        self.open(netlink, port).await.map(|open| open.mac)
    }

    pub(super) async fn send(&mut self, netlink: &Netlink, port: &IfName, frame: &[u8]) {
        let Some(open) = self.open(netlink, port).await else { return };
        if let Err(error) = open.socket.send(frame).await {
            tracing::warn!(%port, %error, "a frame cannot be sent");
            self.ports.remove(port);
        }
    }

    async fn open(&mut self, netlink: &Netlink, port: &IfName) -> Option<&OpenPort> {
        if !self.ports.contains_key(port) {
            let open = open(netlink, port).await;
            let open = open.inspect_err(|error| tracing::warn!(%port, %error, "no frames can be sent"));
            self.ports.insert(port.clone(), open.ok()?);
        }
        self.ports.get(port)
    }
}

async fn open(netlink: &Netlink, port: &IfName) -> anyhow::Result<OpenPort> {
    let interface =
        netlink.interface(port).await?.ok_or_else(|| anyhow::anyhow!("there is no such interface"))?;
    let mac = interface.mac.ok_or_else(|| anyhow::anyhow!("the interface has no Ethernet address"))?;
    Ok(OpenPort { mac, socket: PacketSocket::open(interface.index)? })
}
