//! Where the fast path's tables put things: pure bookkeeping that yields what to write, and writes nothing.
//!
//! [`Runs`] hands out indices and homes, [`Fib`] expands prefixes into the two levels of the forwarding table,
//! [`session_image`] is what a session looks like in the maps.

mod fib;
mod group_slots;
mod routes;
mod runs;
mod session;

pub use fib::{Fib, FibError, FibOp, FibPaint};
pub use group_slots::{GroupMember, GroupSlots, group_slots};
pub use routes::{
    Held, KernelHop, KernelRoute, KernelTarget, Neighbour, NextHopObject, Placed, RouteEvent, RouteOp,
    RoutePrefix, RouteProblem, RouteTable,
};
pub use runs::Runs;
pub use session::{Image, ImageContext, NatError, home_order, session_image};

#[cfg(test)]
mod tests;
