//! Who asks, and for what.

use net_types::Name;

use crate::{Scope, Verb};

/// A request that names more scopes is refused: no object lies in so many.
pub const SCOPES_MAX: usize = 64;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Whoever can open the controller's socket, which is root's.
    RootSocket,
    User(Name),
    /// A node's agent, known by its certificate.
    Node(Name),
}

#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub verb: Verb,
    /// A plural, or a part as in `subscribers/features`.
    pub kind: &'a str,
    /// `None` for all objects of the kind that lie in the scopes.
    pub name: Option<&'a str>,
    /// All scopes that the object lies in, the office included; in any order.
    pub scopes: &'a [Scope],
}
