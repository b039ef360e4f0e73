//! What a node should look like, in one normal form.
//!
//! A node's desired state is a set of [`Resource`]s, each with a key that is unique on the node. They travel and are
//! stored one by one ([`Resource::encode`]), and their [`Version`] is a hash of their content: two sides that know a
//! resource's version know whether they mean the same thing, without a history.
//! [`NodeState`] is the whole, sorted, for planners. Nothing here does I/O.

mod block_list;
mod garden;
mod link;
mod nat_exempt;
mod nat_log;
mod parental_control;
mod port;
mod resource;
mod route;
mod rule;
mod session;
mod state;
mod station;
mod voice;

pub use block_list::BlockList;
pub use garden::Garden;
pub use link::{BridgePort, Link, LinkKind, PortVlan, VXLAN_PORT};
pub use nat_exempt::NatExempt;
pub use nat_log::NatLog;
pub use parental_control::{BlockRule, Blocked, ParentalControl, WeeklyTime};
pub use port::{Port, PortRole};
pub use resource::{DecodeError, Resource, ResourceKey, Version};
pub use route::{Route, Route6, Route6Target, RouteTarget};
pub use rule::{FirewallRule, FlowDirection, PortRange, RuleAction};
pub use session::{
    AccessTags, Firewall, Ipv6Line, Nat, NatFiltering, NatOverflow, PortForward, PortProtocol, RateLimit,
    Session, SessionState,
};
pub use state::NodeState;
pub use station::Station;
pub use voice::Voice;

/// The file in the agent's directory in which the kernel's part of the desired state is: a list of [`Resource`]s.
pub const DESIRED_FILE: &str = "desired.json";

#[cfg(test)]
mod tests;
