//! What networks have in common.

use net_types::BitRate;
use serde::{Deserialize, Serialize};

use crate::{EnactedStatus, Fault, Kind, KindName, Object};

pub type NetworkTemplate = Object<NetworkTemplateSpec>;
pub type NetworkTemplateStatus = EnactedStatus;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkTemplateSpec {
    #[serde(default)]
    pub topology: Topology,
    #[serde(default)]
    pub visibility: Visibility,
    #[serde(default)]
    pub translation: Translation,
    /// What each attachment can count on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guaranteed_bandwidth: Option<BitRate>,
    /// What no attachment gets more than.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_bandwidth: Option<BitRate>,
}

/// What a network looks like to whoever controls it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Topology {
    /// One switch to which everything is attached.
    #[default]
    BigSwitch,
    /// The switches that there are.
    Physical,
    /// What the network's own controller makes of it.
    Custom,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Visibility {
    #[default]
    Private,
    /// Reached from the public network.
    Public,
}

/// How what is inside looks from outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Translation {
    #[default]
    None,
    Nat,
}

/// A maximum is not less than what is guaranteed.
pub(super) fn check_bandwidth(
    guaranteed: Option<BitRate>,
    maximum: Option<BitRate>,
    faults: &mut Vec<Fault>,
) {
    if let (Some(guaranteed), Some(maximum)) = (guaranteed, maximum)
        && maximum < guaranteed
    {
        let detail = format!("less than the {guaranteed} that are guaranteed");
        faults.push(Fault::new("/spec/maximumBandwidth", detail));
    }
}

impl Kind for NetworkTemplateSpec {
    const KIND: KindName = KindName::NetworkTemplate;
    type Status = NetworkTemplateStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_bandwidth(self.guaranteed_bandwidth, self.maximum_bandwidth, &mut faults);
        faults
    }
}
