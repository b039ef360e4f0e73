//! The node's ports: interfaces that exist.

use std::collections::BTreeSet;

use net_types::{BroadcastLimit, IfName, InterfaceAddress4, ReversePath, Tpid};
use serde::{Deserialize, Serialize};

/// A port of the node: an interface that is there already and that packets come in or go out by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Port {
    pub name: IfName,
    pub role: PortRole,
    /// Largest IP packet on the port; on an access port without its tags.
    pub mtu: u16,
    /// Addresses of the node on this port, with their prefix length.
    pub addresses: BTreeSet<InterfaceAddress4>,
    /// What is asked of packets to subscribers that come in by it; of a core port only.
    #[serde(default, skip_serializing_if = "ReversePath::is_off")]
    pub reverse_path: ReversePath,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum PortRole {
    /// Subscribers are behind it, told apart by [`AccessTags`](crate::AccessTags).
    /// `outer_tpid` is that of the outer of two tags; a tag alone has 0x8100.
    Access {
        outer_tpid: Tpid,
        /// Whether the priority of a frame to a line (PCP: IEEE 802.1Q) is the class selector of its packet (RFC 2474,
        /// section 4.2.2), which whoever sent it has chosen; else it is 0, but for voice.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        priority_from_dscp: bool,
        /// Whether what comes in is marked with the priority of its outer tag, as a class selector, whatever its mark; else
        /// the mark is whatever the sender has chosen, but for voice's.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        dscp_from_priority: bool,
        /// Of each subscriber.
        #[serde(default, skip_serializing_if = "BroadcastLimit::is_default")]
        broadcast_limit: BroadcastLimit,
    },
    /// The way to the upstream router.
    Core,
}
