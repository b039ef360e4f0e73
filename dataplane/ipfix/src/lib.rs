//! The office's NAT log: what a NAT did, as IPFIX (RFC 7011) with the events of RFC 8158, over UDP.
//!
//! ```text
//! Event ─► Exporter::push ─► Message (records of many events, up to the MTU)
//!                               └─► Exporter::poll(now) ─► Datagram ─► Sender ─► a collector, such as nfcapd
//! ```
//!
//! Everything but [`Sender`] is a function of its arguments: no socket, no clock. Whoever drives an [`Exporter`] tells
//! it the time, as the time since the Unix epoch, which is also what records carry.

mod element;
pub mod encode;
mod event;
mod exporter;
mod record;
mod sender;

pub use event::{
    AddressBinding, BadPortRange, BibEntry, Event, NatEvent, PortBlock, PortRange, Quota, Realm, Session,
};
pub use exporter::{Config, Datagram, Exporter, Statistics};
pub use sender::{Progress, SendError, Sender};
