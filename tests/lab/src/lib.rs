//! A whole central office on one Linux machine, in network namespaces.
//!
//! ```text
//!  home1 ─┐                                                    office (wirecenterd)
//!  home2 ─┤ olt ── trunk ── access0 ┌───────┐ core0     mgmt0 ─┘
//!  home3 ─┘  adds two tags  ────────┤ node1 ├──────── upstream ── inet (web server)
//!                                   └───────┘  192.0.2.0/30   198.18.0.0/24
//! ```
//!
//! [`Lab::up`] builds it, [`Lab::load`] finds it again from its state directory, [`Lab::down`] removes it. Whatever the
//! lab makes is written to a journal before it is made, so that `down` works after a crash at any point, and removes
//! only that. All names begin with the lab's prefix: labs with different prefixes do not meet.
//!
//! The homes run the distribution's own DHCP clients with their own scripts. The OLT is a process ([`olt`]) that reads and
//! writes whole frames; it needs no VLAN devices.

mod command;
mod config;
mod dhcp_client;
mod home;
mod http;
mod journal;
mod lab;
mod network;
pub mod olt;
mod option82;
mod plan;
mod process;
mod programs;
mod teardown;
pub mod web;

pub use command::LabError;
pub use config::{DhcpClient, HomeConfig, LabConfig, Option82, Programs};
pub use home::{Fetched, Lease};
pub use lab::{HostStatus, Lab, LabStatus, ProcessStatus};
pub use plan::{
    ACCESS_PORT, CORE_PORT, INTERNET_ADDRESS, INTERNET_URL, NODE, NODE_CORE_ADDRESS, NODE_LOOPBACK,
    OFFICE_ADDRESS, POOL_BUSINESS, POOL_INSIDE, POOL_PUBLIC, UPSTREAM_CORE_ADDRESS,
};
