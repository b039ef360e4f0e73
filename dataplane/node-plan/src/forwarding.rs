//! Where the fast path's tables put things: pure bookkeeping that yields what to write, and writes nothing.
//!
//! [`Runs`] hands out indices and homes, [`Fib`] and [`Fib6`] expand prefixes into the levels of the forwarding tables,
//! [`session_image`] is what a session looks like in the maps, [`dhcp_profile`] what its clients are told.

mod devices;
mod dhcp;
mod fib;
mod fib6;
mod forwards;
mod group_slots;
mod networks;
mod overflow;
mod routes;
mod rules;
mod runs;
mod session;

pub use devices::{DevicesError, check_devices};
pub use dhcp::dhcp_profile;
pub use fib::{Fib, FibError, FibOp, FibPaint};
pub use fib6::{Fib6, Fib6Full, Fib6Op, PageKey};
pub use forwards::{FORWARDS_MAX, Forward, ForwardError, forward_words, forwards};
pub use group_slots::{GroupMember, GroupSlots, group_slots};
pub use networks::{MORE_NETWORKS_MAX, NetworkError, networks};
pub use overflow::{is_idle, overflow_block, overflow_share};
pub use routes::{
    Held, KernelHop, KernelRoute, KernelTarget, Neighbour, NextHopObject, Placed, RouteEvent, RouteOp,
    RoutePrefix, RouteProblem, RouteTable,
};
pub use rules::{HeldRule, RuleError, RuleRecord, held_rules, rule_record};
pub use runs::Runs;
pub use session::{
    FirewallError, Image, ImageContext, Ipv6Error, NatError, flows_order, home_order, prefixes6,
    session_image,
};

#[cfg(test)]
mod tests;
