//! Against the real kernel, each test in a network namespace of its own. Needs root.

mod converge;
mod packets;
mod support;
mod watch;
