//! How intent reaches anything: the framework that the XOS paper calls the Observer (section 4.2).
//!
//! ```text
//!   store ──changes──►  runner  ──►  Scheduler (pure)            who is next: graph, queues, back-off, history
//!     ▲                   │ ▲            │ Batch
//!     │ records, status   │ │ Completion ▼
//!     └───────────────────┘ └──────  actions: one task a call ──►  Plugin ──► back end (nodes, OpenStack, …)
//!                                                     acknowledgements, drift ◄──┘
//! ```
//!
//! A [`Plugin`] declares the kinds it acts on and the [`Relation`]s that order them. For each object and back end the
//! [`Scheduler`] keeps one unit of work: it waits for the units it depends on (in deletion: for those that depend on
//! it), then stands in its back end's own queue, runs, and is settled or tried again later. The scheduler has no
//! clock, no I/O and no chance but a seed; [`Runner`] gives it all three, and is woken by events only.
//!
//! What is promised:
//! - An object is applied after all it depends on is, and removed after all that depends on it is gone, edge by edge.
//!   A dependency at another back end counts only if this back end does not act on it.
//! - At most one action at a time for an object at a back end. Every action carries its [`Operation`]; what the back
//!   end answered is durable before a dependant starts. Nothing is deleted that was found and not made.
//! - A back end that is slow, or fails, delays what depends on its objects and nothing else.
//! - There is no pass: no step waits for all others, and nothing is polled.
//! - Back ends come and go at any time ([`Control::replace`], [`Control::remove`]) and delay nobody else. What one had of
//!   objects that goes stays recorded, and they wait for it; objects that nobody acts on are done when their turn comes.

mod bench;
mod declare;
mod key;
mod object;
mod outcome;
mod plugin;
mod report;
mod runner;
mod scheduler;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use bench::{Figures, bench, office};
pub use declare::{BackOff, Declaration, Journal, Limits, Needs, Relation, TenancyShape};
pub use key::{BackEnd, Handle, Key, Kind, Operation};
pub use object::{Aspect, Edge, EffectRecord, ErrorEntry, Object, Origin, Phase, Record};
pub use outcome::{Failure, Made, Observed, Outcome, Retry};
pub use plugin::{Item, Plugin, TenantInstances};
pub use report::{DEPENDENCY_NOT_READY, Report, SYNCED};
pub use runner::{AnyPlugin, Config, Control, Runner, Stopped};
pub use scheduler::{
    Action, BackEndId, Batch, Completion, Ended, HISTORY_MAX, Latency, Metrics, Placement, Scheduler,
    Telling, Ticket, Work,
};
pub use store::{Change, Feed, Snapshot, Store, StoreError, Write};
