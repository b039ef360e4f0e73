//! The fast path on the real kernel, in network namespaces of its own. Needs root, bpffs, `ip` and `ethtool`.

mod debian12;
mod dhcp;
mod fixtures;
mod frames;
mod limits;
mod live;
mod reconcile;
mod routes;
mod runner;
mod shared;
mod six;
mod snapshot;
mod world;
