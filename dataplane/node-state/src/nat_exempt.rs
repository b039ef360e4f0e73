//! Destinations exempt from NAT.

use std::collections::BTreeSet;

use net_types::Prefix4;
use serde::{Deserialize, Serialize};

/// To these, and from them, the packets of sessions with `nat_exempt` are not translated.
///
/// A node has one such list at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NatExempt {
    pub destinations: BTreeSet<Prefix4>,
}

impl NatExempt {
    /// Prefixes in `destinations` at most.
    pub const DESTINATIONS_MAX: usize = 64;
}
