//! Who has a role, over what, and until when.

use std::fmt;

use jiff::Timestamp;
use net_types::Name;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleBinding {
    pub user: Name,
    pub role: Name,
    pub scope: Scope,
    /// Whether the user may give the role's rights on, within the scope.
    pub grant_option: bool,
    pub expires_at: Expiry,
}

/// What a role is held over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Office,
    Site(Name),
    Slice(Name),
    Service(Name),
    Deployment(Name),
    Tenant(Name),
    Subscriber(Name),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Office => f.write_str("the office"),
            Self::Site(name) => write!(f, "site {name}"),
            Self::Slice(name) => write!(f, "slice {name}"),
            Self::Service(name) => write!(f, "service {name}"),
            Self::Deployment(name) => write!(f, "deployment {name}"),
            Self::Tenant(name) => write!(f, "tenant {name}"),
            Self::Subscriber(name) => write!(f, "subscriber {name}"),
        }
    }
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
