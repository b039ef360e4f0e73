//! A virtual network: what it looks like, who controls it, and how much it carries.

use std::{collections::BTreeMap, ops::RangeInclusive};

use net_types::{BitRate, Name, Prefix4, Vni};
use serde::{Deserialize, Serialize};

use super::{NetworkTemplateSpec, Topology, network_template::check_bandwidth};
use crate::{
    Attributes, BackendHandle, Condition, Fault, HttpUrl, Kind, KindName, Object, Reference, document::check,
    values::is_unicast,
};

pub type Network = Object<NetworkSpec>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkSpec {
    /// Whose it is.
    pub slice: Name,
    /// What holds where this network says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topology: Option<Topology>,
    /// The slice's own controller of the network; else the office's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_os: Option<NetworkOs>,
    /// What each attachment can count on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guaranteed_bandwidth: Option<BitRate>,
    /// What no attachment gets more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_bandwidth: Option<BitRate>,
    /// The addresses of what is attached; chosen by the office where it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Prefix4>,
    /// Slices that may attach their instances, beside the owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permitted_slices: Vec<Name>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub permit_all_slices: bool,
}

/// A controller of networks, such as ONOS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkOs {
    pub url: HttpUrl,
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub parameters: Attributes,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkStatus {
    #[serde(default)]
    pub observed_generation: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vni: Option<Vni>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Prefix4>,
    /// By Controller: what it is there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub backends: BTreeMap<Name, BackendHandle>,
}

impl NetworkSpec {
    pub const PERMITTED_SLICES_MAX: usize = 1024;
    /// Two hosts and a gateway need a /29.
    pub const SUBNET_LENGTHS: RangeInclusive<u8> = 8..=29;

    /// Whether instances of `slice` may be attached.
    pub fn permits(&self, slice: &Name) -> bool {
        self.permit_all_slices || self.slice == *slice || self.permitted_slices.contains(slice)
    }

    /// What holds of this network, made from `template`. A maximum below what the template guarantees, or the other way
    /// round, is a fault.
    pub fn with_template(
        &self,
        template: Option<&NetworkTemplateSpec>,
    ) -> Result<NetworkTemplateSpec, Vec<Fault>> {
        let template = template.copied().unwrap_or_default();
        let effective = NetworkTemplateSpec {
            topology: self.topology.unwrap_or(template.topology),
            guaranteed_bandwidth: self.guaranteed_bandwidth.or(template.guaranteed_bandwidth),
            maximum_bandwidth: self.maximum_bandwidth.or(template.maximum_bandwidth),
            ..template
        };
        let faults = effective.validate();
        if faults.is_empty() { Ok(effective) } else { Err(faults) }
    }
}

impl Kind for NetworkSpec {
    const KIND: KindName = KindName::Network;
    type Status = NetworkStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_bandwidth(self.guaranteed_bandwidth, self.maximum_bandwidth, &mut faults);
        if let Some(subnet) = self.subnet {
            if !Self::SUBNET_LENGTHS.contains(&subnet.len()) {
                let (from, to) = (Self::SUBNET_LENGTHS.start(), Self::SUBNET_LENGTHS.end());
                faults.push(Fault::new("/spec/subnet", format!("a network's subnet is /{from} to /{to}")));
            } else if !is_unicast(subnet.network()) {
                faults.push(Fault::new("/spec/subnet", "not a prefix of unicast addresses"));
            }
        }
        if let Some(os) = &self.network_os {
            os.parameters.validate(&"/spec/networkOs/parameters".into(), &mut faults);
        }
        let permitted = &self.permitted_slices;
        check::set(&mut faults, &"/spec/permittedSlices".into(), permitted, Self::PERMITTED_SLICES_MAX);
        if self.permit_all_slices && !permitted.is_empty() {
            faults.push(Fault::new("/spec/permittedSlices", "all slices are permitted already"));
        }
        faults
    }

    fn references(&self) -> Vec<Reference> {
        let template = self.template.iter();
        std::iter::once(Reference::new("/spec/slice", KindName::Slice, &self.slice))
            .chain(template.map(|name| Reference::new("/spec/template", KindName::NetworkTemplate, name)))
            .chain(Reference::list("/spec/permittedSlices", KindName::Slice, &self.permitted_slices))
            .collect()
    }
}
