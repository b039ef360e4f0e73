//! Who asks.

use std::fmt;

/// Who asks: by now, the user at the other end of the local socket, as the kernel tells (unix(7), `SO_PEERCRED`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Principal {
    LocalUser(u32),
}

impl Principal {
    pub(super) fn of(stream: &tokio::net::UnixStream) -> std::io::Result<Self> {
        Ok(Self::LocalUser(stream.peer_cred()?.uid()))
    }

    /// Root could do as it likes without asking.
    pub(super) fn is_unlimited(self) -> bool {
        self == Self::LocalUser(0)
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalUser(uid) => write!(f, "uid:{uid}"),
        }
    }
}
