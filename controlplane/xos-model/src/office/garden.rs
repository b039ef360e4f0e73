//! The walled garden of a node.

use std::{collections::BTreeSet, net::IpAddr};

use net_types::{PortalUrl, Prefix};
use serde::{Deserialize, Serialize};

use crate::{Fault, Pointer, document::check};

/// What subscribers that are suspended or unauthenticated reach, beside the resolvers of their bundle. It is the node's, as
/// its routes are: what of it can be reached, and by which way, is a matter of where the node stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeGarden {
    /// Where their web browsers are sent; its host is one of those in `allowed`.
    pub portal: PortalUrl,
    /// Destinations that they may talk to, IPv4 and IPv6.
    pub allowed: BTreeSet<Prefix>,
}

impl NodeGarden {
    pub const ALLOWED_MAX: usize = 64;

    pub(super) fn validate(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        let allowed = at.at("allowed");
        check::at_most(faults, &allowed, self.allowed.len(), Self::ALLOWED_MAX, "prefixes");
        for (i, _) in self.allowed.iter().enumerate().filter(|(_, prefix)| prefix.len() == 0) {
            faults.push(Fault::new(allowed.at(i), "everything is no garden"));
        }
        if let Some(address) = self.portal.address()
            && !self.allowed.iter().any(|prefix| contains(*prefix, address))
        {
            faults.push(Fault::new(at.at("portal"), format!("{address} lies in no prefix of allowed")));
        }
    }
}

fn contains(prefix: Prefix, address: IpAddr) -> bool {
    match (prefix, address) {
        (Prefix::V4(prefix), IpAddr::V4(address)) => prefix.contains(address),
        (Prefix::V6(prefix), IpAddr::V6(address)) => prefix.contains(address),
        _ => false,
    }
}
