//! A service: what others can be tenants of. Several versions of one can stand side by side.

use std::collections::{BTreeMap, BTreeSet};

use net_types::Name;
use serde::{Deserialize, Serialize};

use super::{Connect, TenantKind};
use crate::{
    Attributes, BasicStatus, Fault, HttpUrl, Kind, KindName, Object, Pointer, Reference, Text, Version,
    document::check, enabled, is_enabled, subscriber::check_settings,
};

pub type Service = Object<ServiceSpec>;
pub type ServiceStatus = BasicStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceSpec {
    /// What kind of service: the same for all versions of one, and only between those can a tenant move.
    pub service_type: Name,
    pub version: Version,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<1024>>,
    /// Whether it takes new tenants; those that it has stay.
    #[serde(default = "enabled", skip_serializing_if = "is_enabled")]
    pub enabled: bool,
    /// How its back end is reached. A service outside the office has one, and no slice; a service that is nothing but
    /// its machines has slices, and no controller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub controller: Option<Name>,
    #[serde(default)]
    pub accepts: Accepts,
    /// Each subscriber is a tenant of it: where the chains of subscribers begin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub per_subscriber: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interfaces: Vec<ServiceInterface>,
    /// What its plug-in understands. What it provides to subscribers is so for each of them, unless the tenancy that
    /// leads to it, or the subscriber, says otherwise: of a `home-network` `rateUp`, `rateDown`,
    /// `committedUp`, `committedDown`, `burstMs`, `dns` and `dns6`.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icon_url: Option<HttpUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view_url: Option<HttpUrl>,
}

/// Which tenancies a service takes: none, unless said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Accepts {
    #[serde(default)]
    pub tenants: BTreeSet<TenantKind>,
    #[serde(default)]
    pub connect: BTreeSet<Connect>,
}

/// A side of a service to which a tenancy can be tied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ServiceInterface {
    pub name: Name,
    /// What is spoken there: a provided interface fits a required one of the same type.
    #[serde(rename = "type")]
    pub kind: Name,
    pub direction: InterfaceDirection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InterfaceDirection {
    /// For tenants.
    Provides,
    /// For providers.
    Requires,
}

impl ServiceSpec {
    pub const INTERFACES_MAX: usize = 64;

    pub fn interface(&self, name: &Name) -> Option<&ServiceInterface> {
        self.interfaces.iter().find(|interface| interface.name == *name)
    }

    /// The interfaces that are for tenants.
    pub fn provided(&self) -> impl Iterator<Item = &ServiceInterface> {
        self.interfaces.iter().filter(|one| one.direction == InterfaceDirection::Provides)
    }
}

impl Kind for ServiceSpec {
    const KIND: KindName = KindName::Service;
    type Status = ServiceStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let at = Pointer::from("/spec/interfaces");
        check::at_most(&mut faults, &at, self.interfaces.len(), Self::INTERFACES_MAX, "interfaces");
        let mut seen = BTreeMap::new();
        for (i, interface) in self.interfaces.iter().enumerate().take(Self::INTERFACES_MAX) {
            if let Some(first) = seen.insert(&interface.name, i) {
                let detail = format!("interface {first} is {}, too", interface.name);
                faults.push(Fault::new(at.at(i).at("name"), detail));
            }
        }
        self.attributes.validate(&"/spec/attributes".into(), &mut faults);
        faults.extend(check_settings(self, &self.attributes));
        let Accepts { tenants, connect } = &self.accepts;
        if tenants.is_empty() != connect.is_empty() {
            let empty = if tenants.is_empty() { "tenants" } else { "connect" };
            let detail = "both of tenants and connect are empty, or neither";
            faults.push(Fault::new(Pointer::from("/spec/accepts").at(empty), detail));
        }
        if self.per_subscriber && !tenants.contains(&TenantKind::Subscriber) {
            let detail = "only a service that accepts a Subscriber as a tenant";
            faults.push(Fault::new("/spec/perSubscriber", detail));
        }
        faults
    }

    fn references(&self) -> Vec<Reference> {
        let controller = self.controller.iter();
        controller.map(|name| Reference::new("/spec/controller", KindName::Controller, name)).collect()
    }
}
