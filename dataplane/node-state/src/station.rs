//! Stations of virtual networks that are behind other nodes.

use std::{collections::BTreeSet, net::IpAddr};

use net_types::{IfName, Mac};
use serde::{Deserialize, Serialize};

/// A station of a virtual network, a virtual machine for instance, that is behind another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Station {
    /// The VXLAN that leads there.
    pub link: IfName,
    pub mac: Mac,
    /// The node's address in the underlay.
    pub remote: IpAddr,
    /// The station's own addresses, for which the bridge answers in its place (ARP, neighbour discovery), so that nobody
    /// need be asked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub addresses: BTreeSet<IpAddr>,
}
