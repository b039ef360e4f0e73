//! A whole central office on one Linux machine, in network namespaces.
//!
//! ```text
//!  home1 ─┐                                                   office: wirecenterd
//!  home2 ─┤ olt ── trunk ── access0 ┌───────┐ mgmt0 ─────────── mgmt0
//!  home3 ─┘  adds two tags          │ node1 │ core0 ── upstream ── inet: web server
//!                                   └───────┘ 192.0.2.0/30   192.0.2.64/30
//! ```
//!
//! [`Lab::up`] builds it, [`Lab::load`] finds it again from its state directory, [`Lab::down`] removes it. Whatever the
//! lab makes is written to a journal before it is made, so that `down` works after a crash at any point, and removes
//! only that. All names begin with the lab's prefix: labs with different prefixes do not meet.
//!
//! The homes run the distribution's own DHCP clients with their own scripts. The OLT is a process ([`olt`]) that reads and
//! writes whole frames; it needs no VLAN devices.

mod addresses;
mod command;
mod config;
mod home;
mod http;
mod journal;
mod lab;
mod network;
pub mod olt;
mod option82;
mod process;
mod programs;
mod teardown;
pub mod web;

pub use addresses::{
    ACCESS_PORT, CORE_PORT, INTERNET_ADDRESS, NODE, NODE_CORE_ADDRESS, OFFICE_ADDRESS, UPSTREAM_CORE_ADDRESS,
};
pub use command::{Finished, LabError};
pub use config::{DhcpClient, HomeConfig, LabConfig};
pub use home::{Fetched, Lease};
pub use lab::{BoxStatus, Lab};
pub use process::ProcessId;
