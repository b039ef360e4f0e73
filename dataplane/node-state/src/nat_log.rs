//! Who is told what the node's NAT does.

use net_types::Collector;
use serde::{Deserialize, Serialize};

/// The NAT log of a node: IPFIX (RFC 7011) with the events of RFC 8158, over UDP. A node has one at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NatLog {
    pub collector: Collector,
    /// Tells the nodes of an office apart (RFC 7011, section 3.1).
    pub observation_domain: u32,
    /// Whether each mapping is told of, beside the blocks of ports.
    pub per_flow: bool,
}
