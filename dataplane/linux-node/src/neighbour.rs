//! Ethernet addresses of neighbours, of either family.

use std::net::IpAddr;

use net_types::Mac;
use rtnetlink::{
    packet_core::NLM_F_CREATE,
    packet_route::{
        AddressFamily, RouteNetlinkMessage,
        neighbour::{
            NeighbourAddress, NeighbourAttribute, NeighbourExtFlags, NeighbourMessage, NeighbourState,
        },
    },
};

use crate::{Error, Netlink};

impl Netlink {
    /// The Ethernet address of a neighbour, if the kernel knows it.
    pub async fn neighbour(&self, ifindex: u32, address: impl Into<IpAddr>) -> Result<Option<Mac>, Error> {
        Ok(self.neighbour_entry(ifindex, address.into()).await?.as_ref().and_then(resolved))
    }

    /// Has the kernel resolve a neighbour now and keep it resolved (`NTF_EXT_MANAGED`, Linux 5.16).
    ///
    /// Calling it again is harmless, and needed after the interface was down. [`crate::Changes`] tells the answer.
    pub async fn keep_resolved(&self, ifindex: u32, address: impl Into<IpAddr>) -> Result<(), Error> {
        let address = address.into();
        let entry = self.neighbour_entry(ifindex, address).await?;
        // Making it managed would undo what somebody set by hand.
        if entry.is_some_and(|found| found.header.state == NeighbourState::Permanent) {
            return Ok(());
        }
        let mut message = neighbour(ifindex, address);
        message.attributes.push(NeighbourAttribute::ExtFlags(NeighbourExtFlags::Managed));
        let doing = format!("have {address} resolved");
        self.change(&doing, RouteNetlinkMessage::NewNeighbour(message), NLM_F_CREATE).await
    }

    async fn neighbour_entry(
        &self,
        ifindex: u32,
        address: IpAddr,
    ) -> Result<Option<NeighbourMessage>, Error> {
        let message = RouteNetlinkMessage::GetNeighbour(neighbour(ifindex, address));
        match self.get(&format!("look up neighbour {address}"), message).await {
            Ok(Some(RouteNetlinkMessage::NewNeighbour(found))) => Ok(Some(found)),
            Ok(_) => Ok(None),
            Err(e) if e.is(libc::ENOENT) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

fn neighbour(ifindex: u32, address: IpAddr) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = match address {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    message.header.ifindex = ifindex;
    let destination = match address {
        IpAddr::V4(address) => NeighbourAddress::Inet(address),
        IpAddr::V6(address) => NeighbourAddress::Inet6(address),
    };
    message.attributes.push(NeighbourAttribute::Destination(destination));
    message
}

/// The address that packets to the neighbour may be sent to; none while it is being looked for, or has not answered.
pub(crate) fn resolved(message: &NeighbourMessage) -> Option<Mac> {
    let usable = matches!(
        message.header.state,
        NeighbourState::Reachable
            | NeighbourState::Stale
            | NeighbourState::Delay
            | NeighbourState::Probe
            | NeighbourState::Permanent
    );
    message.attributes.iter().filter(|_| usable).find_map(|attribute| match attribute {
        NeighbourAttribute::LinkLayerAddress(octets) => {
            <[u8; 6]>::try_from(octets.as_slice()).ok().and_then(|octets| Mac::new(octets).ok())
        }
        _ => None,
    })
}
