//! What stands between the Internet and a home.

use serde::{Deserialize, Serialize};

/// A stateful firewall: what comes in must belong to a flow that began inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Firewall {
    /// Whether there is one, for both families: for the routed subnet, and for IPv6. (With NAT, nothing of IPv4 comes in
    /// that has no mapping.)
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}
