//! What a machine starts from.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::{
    EnactedStatus, Fault, HttpUrl, Kind, KindName, Misfit, Object, Resources, Sha256, document::check,
};

pub type Image = Object<ImageSpec>;
pub type ImageStatus = EnactedStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImageSpec {
    pub kind: ImageKind,
    /// Only of a virtual machine's image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_format: Option<DiskFormat>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_format: Option<ContainerFormat>,
    /// Where back ends get it.
    pub source: HttpUrl,
    /// Of what is there.
    pub sha256: Sha256,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_disk_gib: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_memory_mib: Option<u32>,
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ImageKind {
    Vm,
    Container,
}

/// As OpenStack's image service spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DiskFormat {
    Ami,
    Aki,
    Ari,
    Iso,
    Ploop,
    Qcow2,
    Raw,
    Vdi,
    Vhd,
    Vhdx,
    Vmdk,
}

/// As OpenStack's image service spells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContainerFormat {
    Ami,
    Aki,
    Ari,
    Bare,
    Compressed,
    Docker,
    Ova,
    Ovf,
}

impl ImageSpec {
    pub const DISK_GIB: RangeInclusive<u32> = Resources::DISK_GIB;
    pub const MEMORY_MIB: RangeInclusive<u32> = 0..=*Resources::MEMORY_MIB.end();

    /// What a machine with `resources` lacks to start from this.
    pub(crate) fn shortages(&self, resources: Resources) -> impl Iterator<Item = Misfit> {
        let disk = (self.minimum_disk_gib.unwrap_or(0), resources.disk_gib);
        let memory = (self.minimum_memory_mib.unwrap_or(0), resources.memory_mib);
        let disk = (disk.1 < disk.0).then_some(Misfit::DiskGib { needs: disk.0, has: disk.1 });
        let memory = (memory.1 < memory.0).then_some(Misfit::MemoryMib { needs: memory.0, has: memory.1 });
        disk.into_iter().chain(memory)
    }
}

impl Kind for ImageSpec {
    const KIND: KindName = KindName::Image;
    type Status = ImageStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        match (self.kind, self.disk_format) {
            (ImageKind::Vm, None) => {
                faults.push(Fault::new("/spec/diskFormat", "a virtual machine's image has a disk format"));
            }
            (ImageKind::Container, Some(_)) => {
                faults.push(Fault::new("/spec/diskFormat", "a container's image has no disk format"));
            }
            (ImageKind::Vm, Some(_)) | (ImageKind::Container, None) => {}
        }
        let (disk, memory) = (self.minimum_disk_gib.unwrap_or(0), self.minimum_memory_mib.unwrap_or(0));
        check::within(&mut faults, "/spec/minimumDiskGib", &disk, &Self::DISK_GIB);
        check::within(&mut faults, "/spec/minimumMemoryMib", &memory, &Self::MEMORY_MIB);
        faults
    }
}
