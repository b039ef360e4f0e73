//! How sources are checked.

use serde::{Deserialize, Serialize};

/// Whether what comes in by a port must come from where the way back leads (unicast reverse path forwarding, RFC 3704).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ReversePath {
    /// Not asked.
    #[default]
    Off,
    /// From anywhere that there is a route to (section 2.4), the default route among them, but not from the office's
    /// own subscribers.
    Loose,
    /// From where a route by this port leads to (section 2.2), or one of several ways of equal cost (section 2.3).
    Strict,
}

impl ReversePath {
    pub fn is_off(&self) -> bool {
        *self == Self::Off
    }
}
