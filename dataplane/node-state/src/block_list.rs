//! Names that parental control can block, by category.

use std::collections::BTreeSet;

use net_types::{DomainName, Name, Prefix};
use serde::{Deserialize, Serialize};

/// One category. The node has it once, however many sessions block it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockList {
    pub name: Name,
    /// With all that is below them.
    pub domains: BTreeSet<DomainName>,
    /// Where encrypted resolvers are (DNS over HTTPS: RFC 8484), which nobody reaches for whom anything is blocked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub resolvers: BTreeSet<Prefix>,
}

impl BlockList {
    /// Lists that a node takes.
    pub const LISTS_MAX: usize = 64;
    /// Names that a node takes, on all lists together.
    pub const DOMAINS_MAX: usize = 1 << 18;
}
