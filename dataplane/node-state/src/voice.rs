//! Voice: a class of its own among a subscriber's packets.

use std::collections::BTreeSet;

use net_types::Prefix;
use serde::{Deserialize, Serialize};

/// Where the operator's voice platforms are: what they and a subscriber whose session has
/// `voice` say to each other is voice.
///
/// A node has one such list at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Voice {
    pub platforms: BTreeSet<Prefix>,
    /// What voice is marked with, both ways (RFC 2474), of 0 to 63.
    pub dscp: u8,
    /// Its priority on the line, of 0 to 7 (PCP: IEEE 802.1Q).
    pub priority: u8,
}

impl Voice {
    /// Prefixes in `platforms` at most.
    pub const PLATFORMS_MAX: usize = 64;
}
