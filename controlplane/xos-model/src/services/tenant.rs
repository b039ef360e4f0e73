//! A tenancy: one service, or a subscriber, uses another service (the XOS paper, section 3.3).

use net_types::Name;
use serde::{Deserialize, Serialize};

use super::{Connect, GatewayDirection, TenantKind};
use crate::{Attributes, BasicStatus, Fault, Kind, KindName, Object, Reference};

pub type Tenant = Object<TenantSpec>;
pub type TenantStatus = BasicStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantSpec {
    /// Who uses.
    pub tenant: TenantOf,
    /// The Service that is used.
    pub provider: Name,
    pub connect: Connect,
    /// The interface of the provider, where it has several that fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_interface: Option<Name>,
    /// The interface of the service that is the tenant, or that provides the tenancy that is the tenant, where it has
    /// several that fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_interface: Option<Name>,
    /// Between two services: each tenancy with the tenant begets one with the provider.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub per_tenant: bool,
    /// Only with `gateway`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<GatewayDirection>,
    /// What the provider needs to know of this tenancy.
    #[serde(default)]
    pub attributes: Attributes,
}

#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct TenantOf {
    pub kind: TenantKind,
    pub name: Name,
}

impl TenantSpec {
    /// Who may begin to talk through the gateway.
    pub fn direction(&self) -> GatewayDirection {
        self.direction.unwrap_or_default()
    }
}

impl Kind for TenantSpec {
    const KIND: KindName = KindName::Tenant;
    type Status = TenantStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let service = self.tenant.kind == TenantKind::Service;
        if self.per_tenant && !service {
            faults.push(Fault::new("/spec/perTenant", "only between two services"));
        }
        if self.tenant_interface.is_some() && !service && self.tenant.kind != TenantKind::Tenant {
            faults.push(Fault::new("/spec/tenantInterface", "only a service has interfaces"));
        }
        if self.direction.is_some() && self.connect != Connect::Gateway {
            faults.push(Fault::new("/spec/direction", "only with the connect \"gateway\""));
        }
        if service && self.tenant.name == self.provider {
            faults.push(Fault::new("/spec/provider", "a service is no tenant of itself"));
        }
        self.attributes.validate(&"/spec/attributes".into(), &mut faults);
        faults
    }

    fn references(&self) -> Vec<Reference> {
        let tenant = self.tenant.kind.object();
        let tenant = tenant.map(|kind| Reference::new("/spec/tenant/name", kind, &self.tenant.name));
        let provider = Reference::new("/spec/provider", KindName::Service, &self.provider);
        tenant.into_iter().chain([provider]).collect()
    }
}
