//! A machine: where it runs, what it starts from, and what it is given.

use std::{collections::BTreeMap, net::Ipv4Addr};

use net_types::Name;
use serde::{Deserialize, Serialize};

use super::Isolation;
use crate::{
    BackendHandle, Condition, Fault, Kind, KindName, Object, Pointer, Reference, Resources, Text,
    document::check,
    values::{LABEL_RULE, is_label_key, is_label_text},
};

pub type Instance = Object<InstanceSpec>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceSpec {
    pub slice: Name,
    /// The slice's, unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Name>,
    /// The slice's, unless this or `resources` is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flavor: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The slice's, unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    #[serde(default)]
    pub placement: Placement,
    /// What the machine finds when it first starts (cloud-init).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_data: Option<Text<{ InstanceSpec::USER_DATA_BYTES_MAX }>>,
}

/// Where a machine may run; what is not said is left to the office, and the node to the deployment's back end where
/// neither node nor labels nor `spread` are said. The node has to stand at a site of the deployment that is named, if that
/// names any. It is chosen when the machine is made or its placement changes: a later change of a node's labels or site,
/// or of a deployment's sites, moves no machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Placement {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Name>,
    /// Labels that the node has, all of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub node_labels: BTreeMap<String, String>,
    /// Apart from the other instances of the slice, as far as there are nodes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spread: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstanceStatus {
    #[serde(default)]
    pub observed_generation: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    #[serde(default)]
    pub phase: InstancePhase,
    /// Where it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Name>,
    /// As its placement asks for it, from the moment that the machine is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Name>,
    /// What the back end calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<BackendHandle>,
    /// By network.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub addresses: BTreeMap<Name, Ipv4Addr>,
}

/// How far a machine has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum InstancePhase {
    #[default]
    Pending,
    Building,
    Running,
    Stopped,
    Failed,
}

impl Placement {
    pub const NODE_LABELS_MAX: usize = 16;

    fn validate(&self, faults: &mut Vec<Fault>) {
        if self.node.is_some() && self.spread {
            faults.push(Fault::new("/spec/placement/spread", "of no use to a machine that names its node"));
        }
        let labels = Pointer::from("/spec/placement/nodeLabels");
        check::at_most(faults, &labels, self.node_labels.len(), Self::NODE_LABELS_MAX, "labels");
        for (key, value) in self.node_labels.iter().take(Self::NODE_LABELS_MAX) {
            if !is_label_key(key) {
                faults
                    .push(Fault::new(labels.at(key), format!("a label's key is not empty and {LABEL_RULE}")));
            } else if !is_label_text(value) {
                faults.push(Fault::new(labels.at(key), format!("a label's value {LABEL_RULE}")));
            }
        }
    }
}

impl InstanceSpec {
    pub const USER_DATA_BYTES_MAX: usize = 64 << 10;
}

impl Kind for InstanceSpec {
    const KIND: KindName = KindName::Instance;
    type Status = InstanceStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(resources) = &self.resources {
            resources.validate(&"/spec/resources".into(), &mut faults);
            if self.flavor.is_some() {
                faults.push(Fault::new(
                    "/spec/resources",
                    "a flavor says that already: leave one of the two out",
                ));
            }
        }
        self.placement.validate(&mut faults);
        faults
    }

    fn references(&self) -> Vec<Reference> {
        let named = [
            ("/spec/slice", KindName::Slice, Some(&self.slice)),
            ("/spec/image", KindName::Image, self.image.as_ref()),
            ("/spec/flavor", KindName::Flavor, self.flavor.as_ref()),
            ("/spec/placement/deployment", KindName::Deployment, self.placement.deployment.as_ref()),
            ("/spec/placement/node", KindName::Node, self.placement.node.as_ref()),
        ];
        named.into_iter().filter_map(|(at, kind, name)| Some(Reference::new(at, kind, name?))).collect()
    }
}
