//! Who can use a service, and how the two reach each other.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::KindName;

/// What can be a tenant.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum TenantKind {
    Service,
    Subscriber,
    User,
    /// Another tenancy: its provider uses a further service on its account.
    Tenant,
    /// Somebody outside of whom the office knows a name only.
    Root,
}

impl TenantKind {
    /// The kind of object that such a tenant is; an outsider is none.
    pub const fn object(self) -> Option<KindName> {
        match self {
            Self::Service => Some(KindName::Service),
            Self::Subscriber => Some(KindName::Subscriber),
            Self::User => Some(KindName::User),
            Self::Tenant => Some(KindName::Tenant),
            Self::Root => None,
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Subscriber => "Subscriber",
            Self::User => "User",
            Self::Tenant => "Tenant",
            Self::Root => "Root",
        }
    }
}

impl fmt::Display for TenantKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How tenant and provider reach each other.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Connect {
    /// Over the public network.
    Public,
    /// By one virtual network that joins both.
    Shared,
    /// By rules between two virtual networks that stay apart.
    Gateway,
}

impl Connect {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Shared => "shared",
            Self::Gateway => "gateway",
        }
    }
}

impl fmt::Display for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who may begin to talk through a gateway.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum GatewayDirection {
    #[default]
    Both,
    ToProvider,
    ToTenant,
}

impl GatewayDirection {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::ToProvider => "toProvider",
            Self::ToTenant => "toTenant",
        }
    }
}
