//! Values that cannot hold what is illegal: parsed once, at the edge, and trusted from then on.

mod address;
mod attributes;
mod base64;
mod ca_bundle;
mod email;
mod http_url;
mod label;
mod resources;
mod sha256;
mod ssh_key;
mod text;
mod version;

pub(crate) use address::{is_unicast, is_unicast6};
pub use attributes::Attributes;
pub use base64::{Base64, Base64Error};
pub use ca_bundle::{CaBundle, CaBundleError};
pub use email::{Email, EmailError};
pub use http_url::{HttpUrl, HttpUrlError};
pub(crate) use label::{LABEL_RULE, is_label_key, is_label_text};
pub use resources::Resources;
pub use sha256::{Sha256, Sha256Error};
pub use ssh_key::{SshKey, SshKeyError};
pub use text::{Text, TextError};
pub use version::{Version, VersionError};

/// Serde through text: `FromStr` in, `Display` out.
macro_rules! serde_as_text {
    ($type:ident $(<const $max:ident: usize>)?) => {
        impl $(<const $max: usize>)? serde::Serialize for $type $(<$max>)? {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de $(, const $max: usize)?> serde::Deserialize<'de> for $type $(<$max>)? {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use serde_as_text;

#[cfg(test)]
mod tests;
