//! From bytes to values, and what is wrong with them.

pub(crate) mod check;
mod difference;
mod fault;
mod json;
mod strict;

pub use difference::{Change, ChangeOp, difference};
pub use fault::{Fault, Pointer};
pub use json::{ParseError, merge_patch, parse, parse_value};
