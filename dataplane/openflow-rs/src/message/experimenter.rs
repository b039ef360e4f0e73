use alloc::vec::Vec;

use crate::{ExperimenterId, wire::layout};

/// A message of an experimenter (OpenFlow 1.3.5, section 7.5.5), whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Experimenter {
    pub experimenter: ExperimenterId,
    pub kind: u32,
    pub data: Vec<u8>,
}

layout!(Experimenter { experimenter, kind, data });
