//! From intent to the desired state of each node, without clock, I/O or chance.
//!
//! - [`node_resources`]: a node and its address pools → ports, links, routes and the walled garden.
//! - [`BlockLists`]: the office's lists of names → what every node has of them.
//! - [`allocate`]: a subscriber's spec → the addresses, port block and prefixes that it gets: what it had, if that still
//!   fits, else the lowest that is free. Who holds what is asked of a [`Ledger`], as claims ([`claims_of`]).
//! - [`check_line`]: a subscriber's line → whose it is already, if it is somebody's.
//! - [`session`]: a subscriber with its allocation, and the services of its chain → its session on the node, or why it has
//!   none. Nothing is left for the node to choose.
//! - [`place`]: a machine's placement and the nodes there are → the node that it gets, or that its back end is to choose.

mod allocate;
mod block_lists;
mod claim;
mod hints;
mod line;
mod node;
mod placement;
mod pools;
mod session;

pub use allocate::{Allocation, Ledger, Refusal, allocate};
pub use block_lists::BlockLists;
pub use claim::{Claim, claims_of};
pub use hints::Hints;
pub use line::check_line;
pub use node::{LOOPBACK_LINK, clashes, node_resources};
pub use placement::{Candidate, place};
pub use pools::{NodePool, NodePools, OfficePools};
pub use session::{NoSession, session};

#[cfg(test)]
mod tests;
