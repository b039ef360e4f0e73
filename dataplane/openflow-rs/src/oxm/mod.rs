//! Extensible matches (OpenFlow 1.3.5, section 7.2.3): fields, their values and masks, and sets of them.
//!
//! [`fields`] has every field that is known by name, with its type: `fields::IPV4_DST` is a `Field<Ipv4Addr>`.
//! A [`Match`] holds fields as they are on the wire, so that unknown ones are kept as they came.

mod check;
mod counters;
mod field;
pub mod fields;
mod id;
mod matching;
mod table;
mod tlv;
mod value;

pub use check::MatchError;
pub use counters::{Duration, FlowCounters};
pub(crate) use counters::{get_or_none, put_or_none};
pub use field::{Field, FieldInfo, Prerequisite, TunMetadata};
pub use id::OxmId;
pub use matching::{Iter, Match};
pub use tlv::{BadOxm, Oxm, OxmRef};
pub use value::{CtState, Ipv6ExtHdr, TcpFlags, Value};
