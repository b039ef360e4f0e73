//! A tenancy: one service, or a subscriber, uses another service (the XOS paper, section 3.3).

use std::net::Ipv4Addr;

use net_types::{BitRate, IfName, Mac, Name, Prefix4, Vid};
use serde::{Deserialize, Serialize};

use crate::{Fault, Kind, KindName, NatBlock, Object};

pub type Tenant = Object<TenantSpec>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantSpec {
    /// Who uses.
    pub tenant: TenantOf,
    /// What is used.
    pub provider: Provider,
    pub connect: Connect,
    pub attributes: TenantAttributes,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantOf {
    pub kind: KindName,
    pub name: Name,
}

/// The services of a subscriber's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// The optical line terminal, virtualized: the access line.
    Volt,
    /// The customer premises equipment, virtualized: leases, NAT, rates.
    Vcpe,
    /// The broadband network gateway, virtualized: routing to the core.
    Vbng,
}

impl Provider {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Volt => "volt",
            Self::Vcpe => "vcpe",
            Self::Vbng => "vbng",
        }
    }
}

/// How tenant and provider reach each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Connect {
    /// Over the public network.
    Public,
    /// By a virtual network that joins both.
    Shared,
}

/// What the provider needs to know of this tenancy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantAttributes {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<IfName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub s_vid: Option<Vid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub c_vid: Option<Vid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subnet: Option<Prefix4>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nat: Option<NatBlock>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_up: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_down: Option<BitRate>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dns: Vec<Ipv4Addr>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantStatus {
    pub observed_generation: u64,
}

impl Kind for TenantSpec {
    const KIND: KindName = KindName::Tenant;
    type Status = TenantStatus;

    fn validate(&self) -> Vec<Fault> {
        Vec::new()
    }
}
