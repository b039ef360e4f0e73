//! Network values as newtypes that cannot hold an illegal value.
//!
//! Every type here is parsed once, at the edge, and trusted from then on: `Deserialize` goes through the same
//! check as `FromStr` or `TryFrom`, so that neither a request nor a file on disk can smuggle in VLAN 0.
//! The crate is a leaf and `no_std`; nothing in it knows what Wirecenter does.
#![no_std]

extern crate alloc;

mod bit_rate;
mod broadcast_limit;
mod collector;
mod domain_name;
mod if_name;
mod interface_address;
mod mac;
mod name;
mod portal_url;
mod prefix;
mod reverse_path;
#[cfg(feature = "schema")]
mod schema;
mod vlan;
mod vni;
mod week;

pub use bit_rate::{BitRate, BitRateError};
pub use broadcast_limit::{BroadcastLimit, BroadcastLimitError};
pub use collector::{Collector, CollectorError};
pub use domain_name::{DomainName, DomainNameError};
pub use if_name::{IfName, IfNameError};
pub use interface_address::{InterfaceAddress4, InterfaceAddressError};
pub use mac::{Mac, MacError};
pub use name::{Name, NameError};
pub use portal_url::{PortalUrl, PortalUrlError};
pub use prefix::{AnyPrefixError, Prefix, Prefix4, Prefix6, Prefix6Error, PrefixError};
pub use reverse_path::ReversePath;
pub use vlan::{Tpid, TpidError, Vid, VidError};
pub use vni::{Vni, VniError};
pub use week::{TimeOfDay, TimeOfDayError, UtcOffset, UtcOffsetError, Weekday};

/// What [`schema!`] names a type by.
#[cfg(feature = "schema")]
#[doc(hidden)]
pub type SchemaName = alloc::borrow::Cow<'static, str>;

/// A revision of the office's intent; a node only ever moves to a higher one.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl core::fmt::Display for Generation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// Serde through text: `FromStr` in, `Display` out.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <alloc::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use serde_as_text;

#[cfg(test)]
mod tests;
