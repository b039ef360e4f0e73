//! From bytes to values, and what is wrong with them.

pub(crate) mod check;
mod fault;
mod json;
mod strict;

pub use fault::{Fault, Pointer};
pub use json::{ParseError, merge_patch, parse, parse_value};
