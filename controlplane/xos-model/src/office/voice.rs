//! The voice platforms of a node.

use std::collections::BTreeSet;

use net_types::Prefix;
use serde::{Deserialize, Serialize};

use crate::{Fault, Pointer, document::check};

/// What subscribers with `bundle.voice` say to these, and they to them, is voice: it has a rate of its own, which nothing
/// else can use up, a mark that the network behind the office goes by, and a priority on the line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeVoice {
    /// Session border controllers, proxies, media relays: all that the homes' phones talk to, IPv4 and IPv6.
    pub platforms: BTreeSet<Prefix>,
    /// What voice is marked with, 0 to 63; 46, expedited forwarding (RFC 3246), unless said.
    #[serde(default = "expedited")]
    pub dscp: u8,
    /// The priority on the line, 0 to 7 (PCP); 5, voice (IEEE 802.1Q, table I-2), unless said.
    #[serde(default = "voice")]
    pub priority: u8,
}

fn expedited() -> u8 {
    46
}

fn voice() -> u8 {
    5
}

impl NodeVoice {
    pub const PLATFORMS_MAX: usize = 64;

    pub(super) fn validate(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        let platforms = at.at("platforms");
        check::at_most(faults, &platforms, self.platforms.len(), Self::PLATFORMS_MAX, "prefixes");
        for (i, _) in self.platforms.iter().enumerate().filter(|(_, prefix)| prefix.len() == 0) {
            faults.push(Fault::new(platforms.at(i), "not everything is voice"));
        }
        check::within(faults, at.at("dscp"), &self.dscp, &(0..=63));
        check::within(faults, at.at("priority"), &self.priority, &(0..=7));
    }
}
