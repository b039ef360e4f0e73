//! What stands between the Internet and a home.

use std::collections::BTreeSet;

use net_types::{Name, Prefix};
use serde::{Deserialize, Serialize};

use crate::{Fault, Pointer, document::check};

mod rule_values;

pub use rule_values::{PortRange, PortRangeError, RuleProtocol, RuleProtocolError};

/// A stateful firewall: what comes in must belong to a flow that began inside, or that a rule allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Firewall {
    /// Whether there is one, for both families: for the routed subnet, and for IPv6. (With NAT, nothing of IPv4 comes in
    /// that has no mapping; with rules besides, a mapping lets in only whom it was made for.)
    #[serde(default = "yes")]
    pub enabled: bool,
    /// By which flows begin: the first that is about a flow decides. Without one, what begins inside may be, and of what
    /// begins outside only what comes by a port forward.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<FirewallRule>,
}

fn yes() -> bool {
    true
}

/// About which flows, and whether they may be. What is left out is any; addresses and ports are those of the home, whatever
/// NAT makes of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FirewallRule {
    /// What its counter is kept by.
    pub name: Name,
    pub direction: FlowDirection,
    pub action: RuleAction,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<RuleProtocol>,
    /// Where the flow begins. With a prefix, the rule is about flows of its family.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Prefix>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<Prefix>,
    /// Only with the protocol `tcp` or `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ports: Option<PortRange>,
    /// Only with the protocol `tcp` or `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination_ports: Option<PortRange>,
}

/// Where a flow begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FlowDirection {
    /// Outside.
    In,
    /// In the home.
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RuleAction {
    Allow,
    Deny,
}

impl Firewall {
    pub const RULES_MAX: usize = 31;

    pub(super) fn validate(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        let at = at.at("rules");
        check::at_most(faults, &at, self.rules.len(), Self::RULES_MAX, "rules");
        let mut names = BTreeSet::new();
        for (i, rule) in self.rules.iter().enumerate().take(Self::RULES_MAX) {
            let at = at.at(i);
            if !names.insert(&rule.name) {
                faults.push(Fault::new(at.at("name"), format!("{} is there twice", rule.name)));
            }
            rule.validate(&at, faults);
        }
    }
}

impl FirewallRule {
    fn validate(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        if let (Some(source), Some(destination)) = (self.source, self.destination)
            && matches!(source, Prefix::V4(_)) != matches!(destination, Prefix::V4(_))
        {
            faults
                .push(Fault::new(at.at("destination"), format!("not of the family of the source, {source}")));
        }
        let has_ports = self.protocol.is_some_and(RuleProtocol::has_ports);
        for (field, ports) in
            [("sourcePorts", self.source_ports), ("destinationPorts", self.destination_ports)]
        {
            if ports.is_some() && !has_ports {
                faults.push(Fault::new(at.at(field), "only the protocols tcp and udp have ports"));
            }
        }
    }
}
