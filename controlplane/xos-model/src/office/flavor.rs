//! A size of machines that goes by a name.

use serde::{Deserialize, Serialize};

use crate::{EnactedStatus, Fault, Kind, KindName, Object, Resources};

pub type Flavor = Object<FlavorSpec>;
pub type FlavorStatus = EnactedStatus;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct FlavorSpec(pub Resources);

impl Kind for FlavorSpec {
    const KIND: KindName = KindName::Flavor;
    type Status = FlavorStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        self.0.validate(&"/spec".into(), &mut faults);
        faults
    }
}
