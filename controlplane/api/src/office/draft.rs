//! An object as a client sent it, of whatever kind.

use serde::Deserialize;
use serde_json::Value;
use xos_model::{
    Fault, Kind as _, KindName, Metadata, ParseError, Reference, for_each_kind, parse, parse_value,
};

use super::Preconditions;

/// Only the kind: what else is there is judged once it is known.
#[derive(Deserialize)]
struct Peek {
    kind: KindName,
}

macro_rules! draft {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        /// An object as a client sent it.
        #[derive(Clone, Debug)]
        pub(crate) enum Draft {
            $($kind(xos_model::Draft<xos_model::$spec>),)*
        }

        impl Draft {
            fn parse_shape(kind: KindName, bytes: &[u8]) -> Result<Self, ParseError> {
                Ok(match kind {
                    $(KindName::$kind => Self::$kind(parse(bytes)?),)*
                })
            }

            fn value_shape(kind: KindName, value: Value) -> Result<Self, Vec<Fault>> {
                Ok(match kind {
                    $(KindName::$kind => Self::$kind(parse_value(value)?),)*
                })
            }

            fn validate(&self) -> Vec<Fault> {
                match self {
                    $(Self::$kind(draft) => draft.validate(),)*
                }
            }

            /// Whom it names.
            pub(crate) fn references(&self) -> Vec<Reference> {
                match self {
                    $(Self::$kind(draft) => draft.spec.references(),)*
                }
            }

            pub(crate) fn kind(&self) -> KindName {
                match self {
                    $(Self::$kind(_) => KindName::$kind,)*
                }
            }

            pub(crate) fn metadata(&self) -> &Metadata {
                match self {
                    $(Self::$kind(draft) => &draft.metadata,)*
                }
            }
        }
    };
}

for_each_kind!(draft);

impl Draft {
    /// An object of any kind.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        Self::parse_as(parse::<Peek>(bytes)?.kind, bytes)
    }

    /// An object of this kind.
    pub(crate) fn parse_as(kind: KindName, bytes: &[u8]) -> Result<Self, ParseError> {
        Self::judged(Self::parse_shape(kind, bytes)?).map_err(ParseError::Faults)
    }

    /// The same from a document that was parsed and changed.
    pub(crate) fn from_value(kind: KindName, value: Value) -> Result<Self, Vec<Fault>> {
        Self::judged(Self::value_shape(kind, value)?)
    }

    fn judged(self) -> Result<Self, Vec<Fault>> {
        let faults = self.validate();
        if faults.is_empty() { Ok(self) } else { Err(faults) }
    }

    /// What the object itself says about the one that it is to replace.
    pub(crate) fn preconditions(&self) -> Preconditions {
        let metadata = self.metadata();
        Preconditions {
            uid: metadata.uid.clone(),
            resource_version: metadata.resource_version,
            ..Preconditions::default()
        }
    }
}
