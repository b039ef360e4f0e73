//! Whether a machine fits what it starts from.

use std::fmt;

use net_types::Name;

use crate::{ImageSpec, InstanceSpec, Isolation, KindName, Resources, SliceSpec};

/// A machine as it is asked for: where the instance says nothing, its slice's word holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine<'a> {
    pub image: Option<&'a Name>,
    /// None where the resources are said.
    pub flavor: Option<&'a Name>,
    pub resources: Option<Resources>,
    pub isolation: Isolation,
}

/// Why a machine cannot start from its image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    Isolation { isolation: Isolation },
    DiskGib { needs: u32, has: u32 },
    MemoryMib { needs: u32, has: u32 },
}

impl InstanceSpec {
    pub fn machine<'a>(&'a self, slice: &'a SliceSpec) -> Machine<'a> {
        let flavor = self.flavor.as_ref().or(slice.flavor.as_ref());
        Machine {
            image: self.image.as_ref().or(slice.image.as_ref()),
            flavor: flavor.filter(|_| self.resources.is_none()),
            resources: self.resources,
            isolation: self.isolation.unwrap_or(slice.isolation),
        }
    }
}

impl Machine<'_> {
    /// Where it does not fit its image; `resources` are its own or its flavor's.
    pub fn misfits(&self, image: &ImageSpec, resources: Option<Resources>) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        if self.isolation.image() != image.kind {
            misfits.push(Misfit::Isolation { isolation: self.isolation });
        }
        misfits.extend(resources.into_iter().flat_map(|resources| image.shortages(resources)));
        misfits
    }
}

impl Misfit {
    /// What is at fault of an object of this kind: the machine, or what it is made from.
    pub const fn pointer(self, kind: KindName, has_resources: bool) -> &'static str {
        match (kind, self) {
            (KindName::Image, Self::Isolation { .. }) => "/spec/kind",
            (KindName::Image, Self::DiskGib { .. }) => "/spec/minimumDiskGib",
            (KindName::Image, Self::MemoryMib { .. }) => "/spec/minimumMemoryMib",
            (KindName::Flavor, Self::DiskGib { .. }) => "/spec/diskGib",
            (KindName::Flavor, Self::MemoryMib { .. }) => "/spec/memoryMib",
            (KindName::Instance, Self::DiskGib { .. }) if has_resources => "/spec/resources/diskGib",
            (KindName::Instance, Self::MemoryMib { .. }) if has_resources => "/spec/resources/memoryMib",
            (_, Self::Isolation { .. }) => "/spec/isolation",
            (_, Self::DiskGib { .. } | Self::MemoryMib { .. }) => "/spec/flavor",
        }
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Isolation { isolation: Isolation::Vm } => {
                f.write_str("a virtual machine does not start from a container's image")
            }
            Self::Isolation { isolation: Isolation::Container } => {
                f.write_str("a container does not start from a virtual machine's image")
            }
            Self::DiskGib { needs, has } => write!(f, "the image needs a disk of {needs} GiB, not {has}"),
            Self::MemoryMib { needs, has } => write!(f, "the image needs {needs} MiB of memory, not {has}"),
        }
    }
}
