//! The subscriber's fast path, seen from user space.
//!
//! [`Fastpath`] loads the XDP programs (ebpf/programs, compiled by this crate's build script), attaches them natively,
//! pins programs' links and maps, and keeps the maps as a node's desired state says. Nothing on the path of a packet
//! waits for it: when the process ends, the kernel goes on with what is pinned, and the next one takes over.
//!
//! ```text
//! NodeState ─ reconcile/apply ─► ports ─ attach, swap ─► XDP links (pinned)
//!                                sessions, routes ─ node_plan::forwarding ─► maps (pinned, written in place)
//! ring buffers ─► Punts, Events ─► the agent      maps ─► Inspector ─► wcnode
//! ```
//!
//! This is the only crate that names aya. Maps that user space fills are mapped into memory and written by aligned
//! atomic stores, each only if it changes something; homes, which the kernel keeps where no process can map them, by a
//! program, the clerk, in the same way. Counters and NAT mappings are the kernel's, and never written while their
//! session is in place.

mod change;
mod clerk;
mod dhcp;
mod dns;
mod error;
mod events;
mod fastpath;
mod forwarding;
mod forwarding6;
mod garden;
mod harness;
mod homes;
mod inspect;
mod load;
mod log;
mod losses;
mod mapped;
mod migrate;
mod nat_exempt;
mod networks;
mod next_hops;
mod object;
mod options;
mod overflow;
mod paged;
mod places;
mod ports;
mod programs;
mod punts;
mod reach;
mod reconcile;
mod routes;
mod rules;
mod run_once;
mod sessions;
mod shared;
mod six;
mod survey;
mod sys;
mod tables;
mod voice;
mod wire;

pub use dhcp::Lease;
pub use error::{ApplyError, OpenError};
pub use events::{Events, KernelEvent, MappingEvent};
pub use fastpath::{Change, Fastpath};
pub use harness::{Harness, Subject, subscribers};
pub use inspect::{Admission, DnsView, Inspector, PortView, SessionNat, SessionView, Summary, TrafficView};
pub use log::NatBlock;
pub use losses::Losses;
pub use map_abi::{DropReason, PuntReason, Sighting, StageFlow, Tally, Watch};
pub use migrate::{Migration, Reading};
pub use node_plan::forwarding::HeldRule;
pub use object::change_over;
pub use options::{Options, Sizes};
pub use overflow::Extension;
pub use punts::{Punt, Punts};
pub use run_once::ProgramOf;
pub use wire::{Arrived, Wire, WireOptions};
