//! Names that parental control can block, by category.

use std::collections::BTreeSet;

use net_types::{DomainName, Name, Prefix};
use serde::{Deserialize, Serialize};

/// One category, or a part of a large one. The node has it once, however many sessions block it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockList {
    pub name: Name,
    /// Which part it is, from 0 on: a resource does not travel if it is too large.
    #[serde(default, skip_serializing_if = "is_first")]
    pub part: u16,
    /// With all that is below them.
    pub domains: BTreeSet<DomainName>,
    /// Where encrypted resolvers are (DNS over HTTPS: RFC 8484), which nobody reaches for whom anything is blocked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub resolvers: BTreeSet<Prefix>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_first(part: &u16) -> bool {
    *part == 0
}

impl BlockList {
    /// Bytes of names and prefixes of one part: far below what an agent takes of a resource.
    pub const PART_BYTES: usize = 32 << 10;
    /// Lists that a node takes.
    pub const LISTS_MAX: usize = 64;
    /// Names that a node takes, on all lists together.
    pub const DOMAINS_MAX: usize = 1 << 18;
}
