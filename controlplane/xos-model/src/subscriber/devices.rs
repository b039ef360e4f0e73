//! Homes whose devices the office sees one by one.

use super::{Bundle, SubscriberSpec};
use crate::{Fault, Pointer};

impl Bundle {
    /// What the node's kernel has room for.
    pub const DEVICES: std::ops::RangeInclusive<u8> = 1..=32;

    /// How many devices may use the line at a time.
    pub fn device_count(&self) -> u8 {
        self.devices.unwrap_or(1)
    }

    /// The prefix length of the addresses that the devices have behind NAT: for each one, rounded up to a power of two.
    pub fn device_block_length(&self) -> u8 {
        let log2 = u32::from(self.device_count()).next_power_of_two().ilog2();
        u8::try_from(32 - log2).unwrap_or(32)
    }
}

impl SubscriberSpec {
    pub(super) fn validate_devices(&self, faults: &mut Vec<Fault>) {
        let at = Pointer::from("/spec/bundle/devices");
        let bundle = &self.bundle;
        let devices = bundle.device_count();
        if !Bundle::DEVICES.contains(&devices) {
            let (from, to) = (Bundle::DEVICES.start(), Bundle::DEVICES.end());
            faults.push(Fault::new(at, format!("between {from} and {to}")));
            return;
        }
        if devices == 1 {
            return;
        }
        let others = [
            (self.mac.is_some(), "/spec/mac is the only device of its line"),
            (bundle.nat && bundle.nat_one_to_one, "/spec/bundle/natOneToOne is for one address"),
            (bundle.ipv6, "/spec/bundle/ipv6 is for a home with a router of its own"),
            (!self.more_subnets.is_empty(), "/spec/moreSubnets are routed to a router of the home's own"),
        ];
        for (_, rule) in others.into_iter().filter(|(is_there, _)| *is_there) {
            let detail = format!("{devices} devices: {rule}; leave one of the two out");
            faults.push(Fault::new(at.clone(), detail));
        }
        if bundle.nat {
            return;
        }
        let length = self.subnet_length();
        // The network's, the gateway's and the broadcast address are nobody's.
        let hosts = 1_u64.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0).saturating_sub(3);
        if hosts < u64::from(devices) {
            let detail = format!(
                "a /{length} has {hosts} addresses for devices: give /spec/subnetLength, or /spec/subnet, a shorter prefix"
            );
            faults.push(Fault::new(at, detail));
        }
    }
}
