//! The office's objects, after the XOS paper: what an operator asks for (`spec`) and what was seen (`status`).
//!
//! Bytes become a [`Draft`] ([`parse`], with a JSON pointer for every fault), [`Kind::validate`] judges a spec by
//! itself, [`Kind::references`] says which others it names, and the API makes an [`Object`] of it. What needs other
//! objects to be judged (an address in its pool, a free VLAN) is the planner's and the API's work; who uses
//! whom, and what follows from it, is the [`Graph`]'s. Nothing here does
//! I/O, reads a clock or draws lots.

mod document;
mod graph;
mod object;
mod office;
mod people;
mod schema;
mod services;
mod subscriber;
mod values;

pub use document::{
    Change, ChangeOp, Fault, ParseError, Pointer, difference, merge_patch, parse, parse_value,
};
pub use graph::{
    ATTACHED, Attachment, Chain, Connectivity, DerivedTenancy, Gateway, Graph, GraphFault, Link,
    PublicAccess, Side, Thing, ThingError, Vertex, VirtualNetwork, VnId,
};
pub use object::{
    AnyObject, BackendHandle, BasicStatus, Condition, ConditionStatus, Draft, EnactedStatus, Kind, KindName,
    Metadata, Object, Observed, OwnerReference, READY, Reference, set_condition,
};
pub use office::{
    AccessRule, AddressPool, AddressPoolSpec, AddressPoolStatus, BlockList, BlockListSpec, BlockListStatus,
    ContainerFormat, Controller, ControllerSpec, ControllerStatus, Deployment, DeploymentSpec,
    DeploymentStatus, DiskFormat, Effect, Flavor, FlavorSpec, FlavorStatus, Image, ImageKind, ImageSpec,
    ImageStatus, Location, Node, NodeGarden, NodeNatLog, NodePort, NodeRoute, NodeRoute6, NodeSpec,
    NodeStatus, NodeVoice, PortRole, Purpose, Seeker, Site, SiteSpec, SiteStatus, Subject, Verdict,
};
pub use people::{
    KindSet, Role, RoleBinding, RoleBindingSpec, RoleBindingStatus, RoleRule, RoleSpec, RoleStatus, Scope,
    Secret, SecretData, SecretKey, SecretKeyError, SecretSpec, SecretStatus, SecretText, User, UserSpec,
    UserStatus, Verb, VerbError, VerbSet, View, ViewSpec, ViewStatus, ViewType,
};
pub use services::{
    Accepts, Connect, ExposedPort, GatewayDirection, Instance, InstancePhase, InstanceSpec, InstanceStatus,
    InterfaceDirection, Isolation, Machine, Misfit, Network, NetworkOs, NetworkSpec, NetworkStatus,
    NetworkTemplate, NetworkTemplateSpec, NetworkTemplateStatus, Placement, Service, ServiceInterface,
    ServiceSpec, ServiceStatus, Slice, SliceSpec, SliceStatus, Tenant, TenantKind, TenantOf, TenantSpec,
    TenantStatus, Topology, Translation, Transport, Visibility,
};
pub use subscriber::{
    ACCESS_LINE, Access, AccessLine, BlockRule, Bundle, Firewall, FirewallRule, FlowDirection, ForwardedPort,
    HOME_NETWORK, HomeNetwork, INTERNET_ROUTE, InternetRoute, NatBlock, NatFiltering, ParentalControl,
    PortForward, PortProtocol, PortRange, PortRangeError, RuleAction, RuleProtocol, RuleProtocolError,
    SessionVersion, Subscriber, SubscriberIpv6, SubscriberSpec, SubscriberState, SubscriberStatus, Voice,
    WeeklyTime, subscriber_attributes,
};
pub use values::{
    Attributes, Base64, Base64Error, CaBundle, CaBundleError, Email, EmailError, HttpUrl, HttpUrlError,
    Resources, Sha256, Sha256Error, SshKey, SshKeyError, Text, TextError, Version, VersionError,
};

/// What `enabled` is where it is not said.
fn enabled() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_enabled(enabled: &bool) -> bool {
    *enabled
}

#[cfg(test)]
mod tests;
