//! Routes of the node.

use std::net::{Ipv4Addr, Ipv6Addr};

use net_types::{IfName, Prefix4, Prefix6};
use serde::{Deserialize, Serialize};

/// Where packets for a prefix go; in the kernel's routing table and in the fast path's alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route {
    pub prefix: Prefix4,
    pub target: RouteTarget,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum RouteTarget {
    /// To a neighbour on a core port.
    Via { gateway: Ipv4Addr, port: IfName },
    /// A pool of this node's subscribers: an address that no session holds leads nowhere.
    /// In the kernel a blackhole route, so that nothing loops between the node and its upstream router.
    Pool,
    /// A pool of public addresses whose ports are shared out among subscribers. In the kernel a blackhole too.
    NatPool,
}

/// Where packets of IPv6 for a prefix go; as [`Route`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Route6 {
    pub prefix: Prefix6,
    pub target: Route6Target,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Route6Target {
    /// To a neighbour on a core port, by its link-local address or one of the port's link.
    Via { gateway: Ipv6Addr, port: IfName },
    /// A pool of this node's subscribers, as [`RouteTarget::Pool`]: of links, or of what is delegated.
    Pool,
}
