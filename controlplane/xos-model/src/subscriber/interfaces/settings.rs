//! What can be said for all subscribers of a service at once.

use std::net::{Ipv4Addr, Ipv6Addr};

use net_types::BitRate;
use serde::de::DeserializeOwned;

use super::{HOME_NETWORK, provided};
use crate::{
    Attributes, Bundle, Fault, Pointer, ServiceSpec,
    values::{is_unicast, is_unicast6},
};

/// Where it is said, in Services and in Tenants.
pub(super) const PLACE: &str = "/spec/attributes";

/// Of homes: what their bundles leave open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct HomeSettings {
    pub(super) rate_up: Option<BitRate>,
    pub(super) rate_down: Option<BitRate>,
    pub(super) committed_up: Option<BitRate>,
    pub(super) committed_down: Option<BitRate>,
    pub(super) burst_ms: Option<u32>,
    pub(super) dns: Option<Vec<Ipv4Addr>>,
    pub(super) dns6: Option<Vec<Ipv6Addr>>,
}

impl HomeSettings {
    pub(super) fn of(attributes: &Attributes, at: &Pointer, faults: &mut Vec<Fault>) -> Self {
        if attributes.is_empty() {
            return Self::default();
        }
        let settings = Self {
            rate_up: setting(attributes, "rateUp", at, faults),
            rate_down: setting(attributes, "rateDown", at, faults),
            committed_up: setting(attributes, "committedUp", at, faults),
            committed_down: setting(attributes, "committedDown", at, faults),
            burst_ms: setting(attributes, "burstMs", at, faults),
            dns: setting(attributes, "dns", at, faults),
            dns6: setting(attributes, "dns6", at, faults),
        };
        settings.validate(at, faults);
        settings
    }

    fn validate(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        Bundle::validate_committed(self.committed_up, self.rate_up, &at.at("committedUp"), faults);
        Bundle::validate_committed(self.committed_down, self.rate_down, &at.at("committedDown"), faults);
        Bundle::validate_burst(self.burst_ms, &at.at("burstMs"), faults);
        Bundle::validate_dns(self.dns.as_deref().unwrap_or_default(), is_unicast, &at.at("dns"), faults);
        Bundle::validate_dns(self.dns6.as_deref().unwrap_or_default(), is_unicast6, &at.at("dns6"), faults);
    }
}

fn setting<T: DeserializeOwned>(
    attributes: &Attributes,
    key: &str,
    at: &Pointer,
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let value = attributes.0.get(key)?;
    match T::deserialize(value) {
        Ok(setting) => Some(setting),
        Err(error) => {
            faults.push(Fault::new(at.at(key), error.to_string()));
            None
        }
    }
}

/// What is wrong with attributes of a service that provides such interfaces, or of a tenancy that leads to it.
pub(crate) fn check_settings(provider: &ServiceSpec, attributes: &Attributes) -> Vec<Fault> {
    let mut faults = Vec::new();
    if provided(provider).any(|kind| kind.as_str() == HOME_NETWORK) {
        HomeSettings::of(attributes, &PLACE.into(), &mut faults);
    }
    faults
}
