//! Against the real kernel, each test in a network namespace of its own. Needs root.

mod converge;
mod follower;
mod frr;
mod networks;
mod packets;
mod route_changes;
mod routes;
mod support;
mod watch;
