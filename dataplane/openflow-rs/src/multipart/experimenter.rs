use alloc::vec::Vec;

use crate::{ExperimenterId, wire::layout};

/// A request or a reply of an experimenter (OpenFlow 1.3.5, section 7.3.5.16), whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExperimenterBody {
    pub experimenter: ExperimenterId,
    pub kind: u32,
    pub data: Vec<u8>,
}

layout!(ExperimenterBody { experimenter, kind, data });
