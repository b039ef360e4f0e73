//! The real agent on a real kernel, against the controller's end in this process.

mod namespace;
mod office;
mod takeover;
