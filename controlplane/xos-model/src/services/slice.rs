//! A slice: the machines and networks that belong together, of one service or of people.

use std::{num::NonZeroU16, ops::RangeInclusive};

use net_types::Name;
use serde::{Deserialize, Serialize};

use crate::{
    EnactedStatus, Fault, ImageKind, Kind, KindName, Object, Reference, Text, document::check, enabled,
    is_enabled,
};

pub type Slice = Object<SliceSpec>;
pub type SliceStatus = EnactedStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SliceSpec {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Name>,
    /// Who answers for it.
    pub site: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<1024>>,
    #[serde(default = "enabled", skip_serializing_if = "is_enabled")]
    pub enabled: bool,
    /// Of its instances, where they do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Name>,
    /// Of its instances, where they do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor: Option<Name>,
    /// Of its instances, where they do not say.
    #[serde(default)]
    pub isolation: Isolation,
    /// Networks of other slices to which its instances are attached, too: each has to permit it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub networks: Vec<Name>,
    /// What is reached from outside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exposed_ports: Vec<ExposedPort>,
    #[serde(default = "default_max_instances")]
    pub max_instances: u32,
}

/// What keeps an instance from its neighbours.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Isolation {
    #[default]
    Vm,
    Container,
}

impl Isolation {
    /// The kind of image that it starts from.
    pub const fn image(self) -> ImageKind {
        match self {
            Self::Vm => ImageKind::Vm,
            Self::Container => ImageKind::Container,
        }
    }
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExposedPort {
    pub protocol: Transport,
    pub port: NonZeroU16,
}

impl std::fmt::Display for ExposedPort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let protocol = match self.protocol {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
        };
        write!(f, "{protocol}/{}", self.port)
    }
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Transport {
    Tcp,
    Udp,
}

fn default_max_instances() -> u32 {
    SliceSpec::MAX_INSTANCES
}

impl SliceSpec {
    pub const NETWORKS_MAX: usize = 64;
    pub const EXPOSED_PORTS_MAX: usize = 256;
    /// Unless said.
    pub const MAX_INSTANCES: u32 = 10;
    pub const MAX_INSTANCES_RANGE: RangeInclusive<u32> = 0..=100_000;
}

impl Kind for SliceSpec {
    const KIND: KindName = KindName::Slice;
    type Status = SliceStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check::set(&mut faults, &"/spec/networks".into(), &self.networks, Self::NETWORKS_MAX);
        check::set(&mut faults, &"/spec/exposedPorts".into(), &self.exposed_ports, Self::EXPOSED_PORTS_MAX);
        check::within(&mut faults, "/spec/maxInstances", &self.max_instances, &Self::MAX_INSTANCES_RANGE);
        faults
    }

    fn references(&self) -> Vec<Reference> {
        let named = [
            ("/spec/service", KindName::Service, self.service.as_ref()),
            ("/spec/site", KindName::Site, Some(&self.site)),
            ("/spec/image", KindName::Image, self.image.as_ref()),
            ("/spec/flavor", KindName::Flavor, self.flavor.as_ref()),
        ];
        let networks = Reference::list("/spec/networks", KindName::Network, &self.networks);
        let named = named.into_iter().filter_map(|(at, kind, name)| Some(Reference::new(at, kind, name?)));
        named.chain(networks).collect()
    }
}
