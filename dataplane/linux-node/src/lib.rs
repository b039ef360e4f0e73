//! A Linux node's kernel as the agent sees it: the only crate that speaks rtnetlink.
//!
//! [`Netlink::observe`] reads links, addresses and routes, and on links of ours the stations and neighbours that somebody
//! wrote down; `node_plan::kernel::plan` compares them with what is wanted;
//! [`Netlink::execute`] carries the plan out and says per resource what came of it. [`Netlink::changes`] tells when to
//! look again. [`Netlink::routes`] tells of a router's whole table, a million routes and every change of them, for
//! `node_plan::forwarding`. Beside them stand what else an agent needs of the kernel: neighbours ([`Netlink::neighbour`],
//! [`Netlink::keep_resolved`]), whole frames with their tags ([`PacketSocket`]), and device features
//! ([`set_features`]).
//!
//! A socket belongs for good to the network namespace of the thread that opened it; [`NetNs`] opens them elsewhere.

mod addresses6;
mod changes;
mod dump;
mod execute;
mod features;
mod links;
mod namespace;
mod neighbour;
mod netlink;
mod observe;
mod packet_socket;
mod routes;
mod routes6;
mod stations;
mod xdp_pass;

pub use changes::{Change, Changes};
pub use execute::Outcomes;
pub use features::{Feature, FeatureError, set_features};
pub use namespace::NetNs;
pub use netlink::{Error, Interface, Netlink};
pub use packet_socket::PacketSocket;
pub use routes::{RouteFeed, RouteNews};
