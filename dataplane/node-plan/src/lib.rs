//! What must change on a node so that it is as its desired state says: pure planning, without clock or I/O.
//!
//! [`forwarding`] keeps the books of the fast path's tables; `fastpath` writes them.
//! [`kernel`] plans links, addresses and routes in the Linux kernel; `linux-node` carries such a plan out.

pub mod forwarding;
pub mod kernel;
