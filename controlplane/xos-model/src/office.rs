//! What the office has: places, machines, addresses, and the back ends that it drives.

mod address_pool;
mod block_list;
mod controller;
mod deployment;
mod flavor;
mod garden;
mod image;
mod node;
mod site;
mod voice;

pub use address_pool::{AddressPool, AddressPoolSpec, AddressPoolStatus, Purpose};
pub use block_list::{BlockList, BlockListSpec, BlockListStatus};
pub use controller::{Controller, ControllerSpec, ControllerStatus};
pub use deployment::{
    AccessRule, Deployment, DeploymentSpec, DeploymentStatus, Effect, Seeker, Subject, Verdict,
};
pub use flavor::{Flavor, FlavorSpec, FlavorStatus};
pub use garden::NodeGarden;
pub use image::{ContainerFormat, DiskFormat, Image, ImageKind, ImageSpec, ImageStatus};
pub use node::{Node, NodeNatLog, NodePort, NodeRoute, NodeRoute6, NodeSpec, NodeStatus, PortRole};
pub use site::{Location, Site, SiteSpec, SiteStatus};
pub use voice::NodeVoice;
