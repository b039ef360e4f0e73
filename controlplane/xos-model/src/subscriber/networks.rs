//! The networks that are routed to a subscriber.

use net_types::Prefix;

use super::SubscriberSpec;
use crate::{AddressPoolSpec, Fault, Pointer, document::check};

impl SubscriberSpec {
    pub(super) fn validate_networks(&self, faults: &mut Vec<Fault>) {
        let translated = "a subscriber behind NAT has no routed subnet; set /spec/bundle/nat to false";
        match self.subnet {
            Some(_) if self.bundle.nat => faults.push(Fault::new("/spec/subnet", translated)),
            Some(subnet) if !Self::SUBNET_LENGTHS.contains(&subnet.len()) => {
                faults.push(Fault::new("/spec/subnet", "a routed subnet is /8 to /30"));
            }
            _ => {}
        }
        match (self.subnet_length, self.subnet) {
            (Some(_), _) if self.bundle.nat => faults.push(Fault::new("/spec/subnetLength", translated)),
            (Some(length), _) if !Self::SUBNET_LENGTHS.contains(&length) => {
                faults.push(Fault::new("/spec/subnetLength", "a routed subnet is /8 to /30"));
            }
            (Some(length), Some(subnet)) if length != subnet.len() => {
                let detail = format!("the subnet asked for is {subnet}: leave one of the two out");
                faults.push(Fault::new("/spec/subnetLength", detail));
            }
            _ => {}
        }
        if self.address.is_some() && !self.bundle.nat {
            let rule = "without NAT the address is the second of the subnet; give /spec/subnet";
            faults.push(Fault::new("/spec/address", rule));
        }
        if self.public_address.is_some() && !(self.bundle.nat && self.bundle.nat_one_to_one) {
            let rule = "only one to one NAT has a public address; set /spec/bundle/natOneToOne to true";
            faults.push(Fault::new("/spec/publicAddress", rule));
        }
        self.validate_more_subnets(translated, faults);
    }

    fn validate_more_subnets(&self, translated: &'static str, faults: &mut Vec<Fault>) {
        let at = Pointer::from("/spec/moreSubnets");
        check::at_most(faults, &at, self.more_subnets.len(), Self::MORE_SUBNETS_MAX, "subnets");
        if self.bundle.nat && self.more_subnets.iter().any(|subnet| matches!(subnet, Prefix::V4(_))) {
            faults.push(Fault::new(at, translated));
            return;
        }
        for (i, subnet) in self.more_subnets.iter().enumerate() {
            let own = self.subnet.map(Prefix::V4);
            let mut others = own.iter().chain(&self.more_subnets[..i]);
            if let Some(rule) = self.wrong_further(*subnet) {
                faults.push(Fault::new(at.at(i), rule));
            } else if let Some(other) = others.find(|other| other.overlaps(*subnet)) {
                faults.push(Fault::new(at.at(i), format!("overlaps {other}")));
            }
        }
    }

    /// What a further subnet breaks, taken alone.
    fn wrong_further(&self, subnet: Prefix) -> Option<&'static str> {
        match subnet {
            Prefix::V4(subnet) => {
                let is_right = (*Self::SUBNET_LENGTHS.start()..=32).contains(&subnet.len());
                (!is_right).then_some("a further subnet is /8 to /32")
            }
            Prefix::V6(_) if !self.bundle.ipv6 => Some("only with IPv6; set /spec/bundle/ipv6 to true"),
            Prefix::V6(subnet) => {
                let is_right = AddressPoolSpec::DELEGATED_LENGTHS.contains(&subnet.len());
                (!is_right).then_some("a further subnet of IPv6 is /48 to /64")
            }
        }
    }
}
