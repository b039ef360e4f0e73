//! The fast path on the real kernel, in network namespaces of its own. Needs root, bpffs, `ip` and `ethtool`.

mod debian12;
mod dhcp;
mod dns;
mod events;
mod firewall;
mod fixtures;
mod forwards;
mod frames;
mod garden;
mod limits;
mod live;
mod random;
mod rates;
mod reconcile;
mod routes;
mod routes6;
mod rules;
mod runner;
mod shared;
mod six;
mod snapshot;
mod upgrade;
mod voice;
mod world;
