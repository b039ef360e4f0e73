//! The office's objects, after the XOS paper: what an operator asks for (`spec`) and what was seen (`status`).
//!
//! Bytes become a [`Draft`] ([`parse`], with a JSON pointer for every fault), [`Kind::validate`] judges a spec by
//! itself, and the API makes an [`Object`] of it. What needs other objects to be judged (an address in its pool, a
//! free VLAN) is the planner's and the API's work. Nothing here does I/O, reads a clock or draws lots.

mod address_pool;
mod chain;
mod condition;
mod fault;
mod json;
mod node;
mod object;
mod strict;
mod subscriber;
mod tenant;

pub use address_pool::{AddressPool, AddressPoolSpec, AddressPoolStatus, Purpose};
pub use chain::{TENANT_SUFFIXES, chain};
pub use condition::{Condition, ConditionStatus, READY, set_condition};
pub use fault::{Fault, Pointer};
pub use json::{ParseError, merge_patch, parse, parse_value};
pub use node::{Node, NodePort, NodeRoute, NodeSpec, NodeStatus, PortRole};
pub use object::{Draft, Kind, KindName, Metadata, Object, OwnerReference, Reference};
pub use subscriber::{Access, Bundle, NatBlock, Subscriber, SubscriberSpec, SubscriberStatus};
pub use tenant::{Connect, Provider, Tenant, TenantAttributes, TenantOf, TenantSpec, TenantStatus};

#[cfg(test)]
mod tests;
