//! Who asks, and what is told of it.

use std::{fmt, net::IpAddr};

use access_policy::Principal;
use jiff::Timestamp;
use net_types::Name;

/// Where a request comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Origin {
    /// The user at the other end of the local socket, as the kernel tells (unix(7), `SO_PEERCRED`).
    Local(u32),
    Remote(IpAddr),
}

/// Somebody who has proved who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
    pub(crate) origin: Origin,
    /// Of this request.
    pub(crate) request: String,
    /// When what proved it ends.
    pub(crate) until: Option<Timestamp>,
    /// The claim of the token that proved it.
    pub(crate) token: Option<String>,
}

impl Origin {
    /// All addresses that one who has one of them most likely has: of IPv6, the subnet (RFC 4291, section 2.5.4).
    pub(crate) fn neighbourhood(self) -> Self {
        match self {
            Self::Remote(IpAddr::V6(address)) => {
                let subnet = u128::from(address) >> 64 << 64;
                Self::Remote(IpAddr::V6(subnet.into()))
            }
            other => other,
        }
    }
}

impl Caller {
    /// Root, on the local socket: it could do as it likes without asking.
    pub(crate) fn is_root(&self) -> bool {
        self.principal == Principal::RootSocket
    }

    pub(crate) fn user(&self) -> Option<&Name> {
        match &self.principal {
            Principal::User(name) => Some(name),
            Principal::RootSocket | Principal::Node(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(uid) => write!(f, "socket uid:{uid}"),
            Self::Remote(address) => address.fmt(f),
        }
    }
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.principal {
            Principal::RootSocket => f.write_str("uid:0"),
            Principal::User(name) => name.fmt(f),
            Principal::Node(name) => write!(f, "node:{name}"),
        }
    }
}
