//! What is seen of kinds of which little is to be seen.

use std::collections::BTreeMap;

use net_types::Name;
use serde::{Deserialize, Serialize};

use super::Condition;
use crate::{ControllerStatus, InstanceStatus, NetworkStatus, NodeStatus, SubscriberStatus, Text};

/// What a back end calls something.
pub type BackendHandle = Text<255>;

/// Of what only the office itself knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BasicStatus {
    /// The generation of the spec that all of this is about.
    #[serde(default)]
    pub observed_generation: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// Of what back ends have, too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EnactedStatus {
    /// The generation of the spec that all of this is about.
    #[serde(default)]
    pub observed_generation: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// By Controller: what it is there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub backends: BTreeMap<Name, BackendHandle>,
}

/// What every status has.
pub trait Observed {
    fn conditions(&self) -> &[Condition];

    fn conditions_mut(&mut self) -> &mut Vec<Condition>;

    /// The generation of the spec that all of this is about.
    fn observed_generation_mut(&mut self) -> &mut u64;
}

macro_rules! observed {
    ($($status:ty)*) => {
        $(impl Observed for $status {
            fn conditions(&self) -> &[Condition] {
                &self.conditions
            }

            fn conditions_mut(&mut self) -> &mut Vec<Condition> {
                &mut self.conditions
            }

            fn observed_generation_mut(&mut self) -> &mut u64 {
                &mut self.observed_generation
            }
        })*
    };
}

observed! {
    BasicStatus EnactedStatus ControllerStatus InstanceStatus NetworkStatus NodeStatus SubscriberStatus
}
