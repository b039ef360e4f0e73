//! An object of whatever kind, as it is stored.

use super::{Kind as _, KindName, Metadata, Object, Reference};
use crate::for_each_kind;

macro_rules! any_object {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        /// An object of whatever kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum AnyObject {
            $($kind(Object<crate::$spec>),)*
        }

        impl AnyObject {
            /// Reads the stored form.
            pub fn parse(kind: KindName, json: &[u8]) -> serde_json::Result<Self> {
                Ok(match kind {
                    $(KindName::$kind => Self::$kind(serde_json::from_slice(json)?),)*
                })
            }

            pub fn kind(&self) -> KindName {
                match self {
                    $(Self::$kind(_) => KindName::$kind,)*
                }
            }

            pub fn metadata(&self) -> &Metadata {
                match self {
                    $(Self::$kind(object) => &object.metadata,)*
                }
            }

            /// The other objects that the spec names.
            pub fn references(&self) -> Vec<Reference> {
                match self {
                    $(Self::$kind(object) => object.spec.references(),)*
                }
            }
        }
    };
}

for_each_kind!(any_object);
