//! Who has a role, over what, and until when.

use jiff::Timestamp;
use net_types::Name;
use serde::{Deserialize, Serialize};

use crate::{BasicStatus, Fault, Kind, KindName, Object, Reference};

pub type RoleBinding = Object<RoleBindingSpec>;
pub type RoleBindingStatus = BasicStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RoleBindingSpec {
    pub user: Name,
    pub role: Name,
    pub scope: Scope,
    /// Whether the user may give the role on, within the scope.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grant_option: bool,
    /// From then on the binding is as if it were not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What a role is held over: `{"kind": "Office"}`, or an object as in `{"kind": "Slice", "name": "cdn"}`.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(tag = "kind", content = "name", deny_unknown_fields)]
pub enum Scope {
    Office,
    Site(Name),
    Slice(Name),
    Service(Name),
    Deployment(Name),
    Tenant(Name),
    Subscriber(Name),
}

impl Scope {
    /// The object; the office is none.
    pub fn object(&self) -> Option<(KindName, &Name)> {
        match self {
            Self::Office => None,
            Self::Site(name) => Some((KindName::Site, name)),
            Self::Slice(name) => Some((KindName::Slice, name)),
            Self::Service(name) => Some((KindName::Service, name)),
            Self::Deployment(name) => Some((KindName::Deployment, name)),
            Self::Tenant(name) => Some((KindName::Tenant, name)),
            Self::Subscriber(name) => Some((KindName::Subscriber, name)),
        }
    }
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.object() {
            None => f.write_str("the office"),
            Some((kind, name)) => write!(f, "{} {name}", kind.as_str().to_ascii_lowercase()),
        }
    }
}

impl RoleBindingSpec {
    /// Whether the binding holds at the time `now`.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl Kind for RoleBindingSpec {
    const KIND: KindName = KindName::RoleBinding;
    type Status = RoleBindingStatus;

    fn validate(&self) -> Vec<Fault> {
        Vec::new()
    }

    fn references(&self) -> Vec<Reference> {
        let scope = self.scope.object().map(|(kind, name)| Reference::new("/spec/scope/name", kind, name));
        [
            Reference::new("/spec/user", KindName::User, &self.user),
            Reference::new("/spec/role", KindName::Role, &self.role),
        ]
        .into_iter()
        .chain(scope)
        .collect()
    }
}
