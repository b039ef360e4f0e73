//! The subscriber's fast path, seen from user space.

mod api;

pub use api::{
    ApplyError, Change, Fastpath, Inspector, OpenError, Options, PortView, Punt, Punts, SessionNat,
    SessionView, Sizes, Summary, TrafficView,
};
pub use map_abi::{DropReason, PuntReason};
mod object;
pub use object::BENCH_OBJECT;
