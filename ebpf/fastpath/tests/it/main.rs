//! The fast path on the real kernel, in network namespaces of its own. Needs root, bpffs, `ip` and `ethtool`.

mod debian12;
mod firewall;
mod fixtures;
mod forwards;
mod frames;
mod limits;
mod live;
mod reconcile;
mod routes;
mod rules;
mod runner;
mod six;
mod snapshot;
mod world;
