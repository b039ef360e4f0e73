//! What must change in the kernel so that it is as a node's desired state says.
//!
//! [`plan`] compares what was [`Observed`] with the desired state and returns a [`NodePlan`]: steps in the order in
//! which they can be done, and the problems that no step may solve. It has no clock and does no I/O. Planning again
//! from what the steps lead to gives no steps.
//!
//! # What is ours
//!
//! | object  | mark | where the number comes from |
//! |---------|------|------|
//! | link    | name begins with [`Link::OWN_PREFIX`], and `IFLA_GROUP` is [`OWN_GROUP`] | ASCII "WC"; given at creation, so that no link of ours is ever without its mark |
//! | address | `IFA_PROTO` (Linux 5.18) is [`OWN_PROTOCOL`] | ASCII "W"; `include/uapi/linux/if_addr.h` takes 1 to 3 |
//! | route   | of IPv4 or IPv6 in the main table, `rtm_protocol` is [`OWN_PROTOCOL`] | not in iproute2's `rt_protos`, nor among the numbers of FRR, BIRD, keepalived or systemd |
//! | station, neighbour | on a link of ours, and written down by somebody (`NUD_PERMANENT`) | |
//!
//! Nothing else is changed or removed, even where it is in the way: then the resource gets an error in words. What
//! another put there and is just what is wanted satisfies the resource, and is still not ours to remove.
//! A link of ours is removed with all that stands on it.

mod addresses;
mod links;
mod observed;
mod routes;
mod routes6;
mod stations;
mod step;

use std::collections::BTreeSet;

use node_state::{Link, NodeState, PortRole, ResourceKey};

pub use observed::{
    Observed, ObservedAddress, ObservedKind, ObservedLink, ObservedNeighbour, ObservedRoute, ObservedRoute6,
    ObservedStation, ObservedTarget, ObservedTarget6, ObservedVxlan, PortFlags,
};
pub use step::{NodePlan, Op, OwnLinkName, Problem, Step, UnicastOrBlackhole, Why};

/// `IFLA_GROUP` of our links: ASCII "WC".
pub const OWN_GROUP: u32 = 0x5743;

/// `IFA_PROTO` of our addresses and `rtm_protocol` of our routes: ASCII "W".
pub const OWN_PROTOCOL: u8 = b'W';

/// Metric of our routes. 0 is what a route has that names none, and comes before every other.
pub const OWN_METRIC: u32 = 0;

/// Metric of our routes of IPv6: what the kernel gives to one that names none (`IP6_RT_PRIO_USER`, `include/net/ip6_fib.h`).
pub const OWN_METRIC6: u32 = 1024;

/// Least MTU of a port: with less, Linux takes IPv4 off the device (`inetdev_valid_mtu()`; RFC 791 section 3.2).
pub const MTU_MIN: u16 = 68;

/// What a device's MTU must hold over the port's on an access port: two tags of 4 bytes.
///
/// XDP redirect would be content with 4 bytes over (`xdp_ok_fwd_dev()` allows one tag); a frame written through a packet
/// socket is not, when its outer tag is 0x88a8 (`packet_extra_vlan_len_allowed()` knows only 0x8100).
pub const TAGS_LEN: u16 = 8;

/// The MTU that the device of a port needs.
pub fn device_mtu(port: &node_state::Port) -> u32 {
    match port.role {
        PortRole::Access { .. } => u32::from(port.mtu) + u32::from(TAGS_LEN),
        PortRole::Core => u32::from(port.mtu),
    }
}

/// The steps from `observed` to `desired`.
pub fn plan(observed: &Observed, desired: &NodeState) -> NodePlan {
    let mut plan = NodePlan {
        resources: desired
            .resources_but_sessions()
            .map(|resource| resource.key())
            .collect::<BTreeSet<ResourceKey>>(),
        ..NodePlan::default()
    };
    let links = links::plan(observed, desired, &mut plan);
    stations::plan(observed, desired, &links, &mut plan);
    let addresses = addresses::plan(observed, &links, &mut plan);
    routes::plan(observed, desired, &links, &addresses, &mut plan);
    routes6::plan(observed, desired, &links, &mut plan);
    plan.sort();
    plan
}

/// Whether a link with that name and group is ours.
fn is_own_link(link: &ObservedLink) -> bool {
    link.group == OWN_GROUP && link.name.as_str().starts_with(Link::OWN_PREFIX)
}

#[cfg(test)]
mod tests;
