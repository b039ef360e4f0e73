//! What stands for a subscriber's address outside.

use serde::{Deserialize, Serialize};

use super::Bundle;
use crate::{Fault, Pointer};

/// From whom a port that NAT has given a flow lets packets in (RFC 4787, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NatFiltering {
    /// From anybody.
    EndpointIndependent,
    /// From hosts that something was sent to.
    AddressDependent,
    /// From ports of hosts that something was sent to.
    AddressAndPortDependent,
}

impl Bundle {
    /// `at`: where the bundle is.
    pub(super) fn validate_nat(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        let blocks = at.at("overflowBlocks");
        match self.overflow_blocks {
            Some(_) if !self.nat || self.nat_one_to_one => {
                faults.push(Fault::new(blocks, "only with a share of an address has a subscriber ports"));
            }
            Some(wanted) if wanted > Self::OVERFLOW_BLOCKS_MAX => {
                faults.push(Fault::new(blocks, format!("at most {}", Self::OVERFLOW_BLOCKS_MAX)));
            }
            _ => {}
        }
        for (name, is_on) in [("natOneToOne", self.nat_one_to_one), ("natExempt", self.nat_exempt)] {
            if is_on && !self.nat {
                faults.push(Fault::new(at.at(name), "only with NAT: /spec/bundle/nat is false"));
            }
        }
        self.validate_filtering(&at.at("natFiltering"), faults);
    }

    fn validate_filtering(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        let Some(filtering) = self.nat_filtering else { return };
        let fault = |rule: &str| Fault::new(at.clone(), rule);
        let is_by_port = filtering == NatFiltering::AddressAndPortDependent;
        if !self.nat || self.nat_one_to_one {
            faults.push(fault("only a share of an address is filtered so; a routed one has a firewall"));
        } else if let Some(firewall) = &self.firewall {
            if !firewall.enabled && filtering != NatFiltering::EndpointIndependent {
                faults.push(fault("a filter is a firewall, which is not enabled"));
            } else if !firewall.rules.is_empty() && !is_by_port {
                faults.push(fault("a firewall with rules is addressAndPortDependent"));
            }
        }
    }
}
