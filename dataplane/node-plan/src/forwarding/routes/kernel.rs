//! The kernel's routes as they are observed, and how they change.

use std::net::IpAddr;

use net_types::{Prefix4, Prefix6};

use crate::kernel::OWN_PROTOCOL;

/// A route of the kernel's main table, or of IPv6's table of the node's own addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelRoute {
    pub prefix: RoutePrefix,
    /// Type of service that it is for alone (`rtm_tos`); 0: any.
    pub tos: u8,
    /// `RTA_PRIORITY`: of routes to one prefix, the one with the lowest is used.
    pub metric: u32,
    /// Who made it (`rtm_protocol`).
    pub protocol: u8,
    pub target: KernelTarget,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RoutePrefix {
    V4(Prefix4),
    V6(Prefix6),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KernelTarget {
    /// The next hops that the route itself names, one at least.
    Hops(Vec<KernelHop>),
    /// A nexthop object (`RTA_NH_ID`).
    Object(u32),
    Blackhole,
    /// Answered with ICMP "network unreachable".
    Unreachable,
    /// Answered with ICMP "administratively prohibited".
    Prohibit,
    /// An address of the node itself.
    Local,
    /// Of a type that only the kernel can deal with (`throw`, `local`, …).
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KernelHop {
    /// Of either family (RFC 8950); `None`: the destination itself is the neighbour, or there is an encapsulation that
    /// only the kernel can do.
    pub gateway: Option<IpAddr>,
    pub ifindex: u32,
    /// Its part of the flows, relative to the others'; 1 to 65,536.
    pub weight: u32,
}

/// What a nexthop object is (`include/uapi/linux/nexthop.h`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextHopObject {
    Hop(KernelHop),
    /// Other objects by their ids, and their weights.
    Group(Vec<(u32, u32)>),
    Blackhole,
}

/// One thing told of the kernel's routes.
///
/// Events are told in the order in which things happened, but for those of a dump, which tell what there is: what was
/// not told anew between its beginning and its end, as of a dump or of a change, is not there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteEvent {
    DumpBegins,
    DumpEnds,
    Route {
        route: KernelRoute,
        placed: Placed,
    },
    RouteGone(KernelRoute),
    NextHop {
        id: u32,
        object: NextHopObject,
    },
    /// The kernel takes the routes that lead to it away too, and does not say so.
    NextHopGone {
        id: u32,
    },
    /// Routes by a link that is down are not used. The kernel takes some of them away, and does not say so.
    Link {
        ifindex: u32,
        is_up: bool,
    },
}

/// Where among the routes to its prefix, by metric and then by order, a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// Found there, after those told before.
    Found,
    /// Before others with its metric.
    First,
    /// After others with its metric.
    Last,
    /// Instead of the first with its metric.
    Instead,
}

impl KernelRoute {
    /// Whether this is a route that the agent itself put into the kernel.
    pub fn is_own(&self) -> bool {
        self.protocol == OWN_PROTOCOL
    }
}
