//! The walled garden of the node.

use std::collections::BTreeSet;

use net_types::{PortalUrl, Prefix};
use serde::{Deserialize, Serialize};

/// What sessions that are suspended or unauthenticated reach, beside the resolvers that they are given.
///
/// A node has one at most; without it, they reach nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Garden {
    /// Where their web browsers are sent.
    pub portal: PortalUrl,
    /// Destinations that they may talk to, the portal's among them.
    pub allowed: BTreeSet<Prefix>,
}

impl Garden {
    /// Prefixes in `allowed` at most.
    pub const ALLOWED_MAX: usize = 64;
}
