//! Who has a role, over what, and until when.

use std::fmt;

use jiff::Timestamp;
use net_types::Name;
use xos_model::{RoleBindingSpec, Scope};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleBinding {
    pub user: Name,
    pub role: Name,
    pub scope: Scope,
    /// Whether the user may give the role's rights on, within the scope.
    pub grant_option: bool,
    pub expires_at: Expiry,
}

/// When a binding ends; `Never` is later than every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expiry {
    /// From this very instant on the binding is as if it were not there.
    At(Timestamp),
    Never,
}

impl Expiry {
    pub fn is_after(self, now: Timestamp) -> bool {
        match self {
            Self::At(end) => now < end,
            Self::Never => true,
        }
    }
}

impl From<Option<Timestamp>> for Expiry {
    fn from(end: Option<Timestamp>) -> Self {
        end.map_or(Self::Never, Self::At)
    }
}

impl fmt::Display for Expiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(end) => write!(f, "until {end}"),
            Self::Never => f.write_str("for good"),
        }
    }
}

impl From<RoleBindingSpec> for RoleBinding {
    fn from(RoleBindingSpec { user, role, scope, grant_option, expires_at }: RoleBindingSpec) -> Self {
        Self { user, role, scope, grant_option, expires_at: expires_at.into() }
    }
}
