//! What a machine is given.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::{Fault, Pointer, document::check};

/// Processors, memory and disk of a virtual machine or a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resources {
    pub cores: u16,
    pub memory_mib: u32,
    pub disk_gib: u32,
}

impl Resources {
    pub const CORES: RangeInclusive<u16> = 1..=256;
    /// From what a container can live on to 16 TiB.
    pub const MEMORY_MIB: RangeInclusive<u32> = 16..=16_777_216;
    /// To 1 PiB; 0 where the image alone is enough.
    pub const DISK_GIB: RangeInclusive<u32> = 0..=1_048_576;

    pub(crate) fn validate(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        check::within(faults, at.at("cores"), &self.cores, &Self::CORES);
        check::within(faults, at.at("memoryMib"), &self.memory_mib, &Self::MEMORY_MIB);
        check::within(faults, at.at("diskGib"), &self.disk_gib, &Self::DISK_GIB);
    }
}
