//! Services, the machines and networks that they live on, and who uses whom.

mod connect;
mod fitting;
mod instance;
mod network;
mod network_template;
mod service;
mod slice;
mod tenant;

pub use connect::{Connect, GatewayDirection, TenantKind};
pub use fitting::{Machine, Misfit};
pub use instance::{Instance, InstancePhase, InstanceSpec, InstanceStatus, Placement};
pub use network::{Network, NetworkOs, NetworkSpec, NetworkStatus};
pub use network_template::{
    NetworkTemplate, NetworkTemplateSpec, NetworkTemplateStatus, Topology, Translation, Visibility,
};
pub use service::{Accepts, InterfaceDirection, Service, ServiceInterface, ServiceSpec, ServiceStatus};
pub use slice::{ExposedPort, Isolation, Slice, SliceSpec, SliceStatus, Transport};
pub use tenant::{Tenant, TenantOf, TenantSpec, TenantStatus};
