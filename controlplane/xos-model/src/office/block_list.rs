//! Names that parental control can block.

use std::collections::BTreeSet;

use net_types::{DomainName, Prefix};
use serde::{Deserialize, Serialize};

use crate::{BasicStatus, Fault, Kind, KindName, Object, document::check};

pub type BlockList = Object<BlockListSpec>;
pub type BlockListStatus = BasicStatus;

/// A category of names, which the rules of subscribers' parental controls name. Every node of the office has it once, however
/// many subscribers block it. A category that is too large for one list is several, which a rule names together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BlockListSpec {
    /// What it is about, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<crate::Text<1024>>,
    /// The names, each with all that is below it. (Firefox does without DNS over HTTPS where `use-application-dns.net` is
    /// blocked, and Apple's devices without their relay where `mask.icloud.com` is.)
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub domains: BTreeSet<DomainName>,
    /// Where resolvers are known to be asked over HTTPS (RFC 8484): nobody reaches their port 443 for whom anything is blocked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub resolvers: BTreeSet<Prefix>,
}

impl BlockListSpec {
    /// Lists of an office at most: each is a bit of a word in the nodes' kernels.
    pub const LISTS_MAX: usize = 64;
    pub const DOMAINS_MAX: usize = 4096;
    pub const RESOLVERS_MAX: usize = 64;
    /// The shortest prefix of `resolvers`, IPv4 and IPv6: what is shorter is more than a few resolvers.
    const PREFIX_MIN: [u8; 2] = [16, 32];
}

impl Kind for BlockListSpec {
    const KIND: KindName = KindName::BlockList;
    type Status = BlockListStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check::at_most(&mut faults, &"/spec/domains".into(), self.domains.len(), Self::DOMAINS_MAX, "names");
        let at = "/spec/resolvers".into();
        check::at_most(&mut faults, &at, self.resolvers.len(), Self::RESOLVERS_MAX, "prefixes");
        for (i, prefix) in self.resolvers.iter().enumerate().take(Self::RESOLVERS_MAX) {
            let [v4, v6] = Self::PREFIX_MIN;
            let shortest = if matches!(prefix, Prefix::V4(_)) { v4 } else { v6 };
            if prefix.len() < shortest {
                let detail =
                    format!("{prefix} is more than a few resolvers: a prefix here is /{shortest} or longer");
                faults.push(Fault::new(at.at(i), detail));
            }
        }
        faults
    }
}
