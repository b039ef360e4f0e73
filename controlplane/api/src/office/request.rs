//! What clients ask for, parsed and judged by itself, before any transaction.

use net_types::Name;
use serde::Deserialize;
use xos_model::{AddressPoolSpec, Fault, KindName, NodeSpec, ParseError, SubscriberSpec, parse, parse_value};

/// What is to be done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verb {
    Create,
    Update,
    /// Create or update.
    Apply,
}

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Put { verb: Verb, draft: Box<Draft>, preconditions: Preconditions },
    Delete { target: Target, preconditions: Preconditions },
}

/// An object as a client sent it, of a kind that clients may write.
#[derive(Clone, Debug)]
pub(crate) enum Draft {
    Node(xos_model::Draft<NodeSpec>),
    AddressPool(xos_model::Draft<AddressPoolSpec>),
    Subscriber(xos_model::Draft<SubscriberSpec>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) kind: KindName,
    pub(crate) name: Name,
}

/// What must hold of the object as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Preconditions {
    /// `If-Match`: one of these revisions, or any (`*`).
    pub(crate) if_match: Option<Match>,
    /// `If-None-Match`.
    pub(crate) if_none_match: Option<Match>,
    /// From the object that was sent.
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Any,
    Revisions(Vec<u64>),
}

impl Match {
    pub(crate) fn holds(&self, revision: u64) -> bool {
        match self {
            Self::Any => true,
            Self::Revisions(revisions) => revisions.contains(&revision),
        }
    }
}

/// Only the kind: what else is there is judged once it is known.
#[derive(Deserialize)]
struct Peek {
    kind: KindName,
}

/// What names an object that is to be deleted; the rest of it is not read.
#[derive(Deserialize)]
struct DeleteTarget {
    kind: KindName,
    metadata: DeleteMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeleteMetadata {
    name: Name,
    uid: Option<String>,
    resource_version: Option<u64>,
}

const READ_ONLY: &str = "tenants follow from their Subscriber: change that";

impl Draft {
    /// An object of any kind that clients may write.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        match parse::<Peek>(bytes)?.kind {
            KindName::Tenant => Err(ParseError::Faults(vec![Fault::new("/kind", READ_ONLY)])),
            kind => Self::parse_as(kind, bytes),
        }
    }

    /// An object of this kind.
    pub(crate) fn parse_as(kind: KindName, bytes: &[u8]) -> Result<Self, ParseError> {
        Self::judged(match kind {
            KindName::Node => Self::Node(parse(bytes)?),
            KindName::AddressPool => Self::AddressPool(parse(bytes)?),
            KindName::Subscriber => Self::Subscriber(parse(bytes)?),
            KindName::Tenant => return Err(ParseError::Faults(vec![Fault::new("/kind", READ_ONLY)])),
        })
        .map_err(ParseError::Faults)
    }

    /// The same from a document that was parsed and changed.
    pub(crate) fn from_value(kind: KindName, value: serde_json::Value) -> Result<Self, Vec<Fault>> {
        Self::judged(match kind {
            KindName::Node => Self::Node(parse_value(value)?),
            KindName::AddressPool => Self::AddressPool(parse_value(value)?),
            KindName::Subscriber => Self::Subscriber(parse_value(value)?),
            KindName::Tenant => return Err(vec![Fault::new("/kind", READ_ONLY)]),
        })
    }

    fn judged(draft: Self) -> Result<Self, Vec<Fault>> {
        let faults = match &draft {
            Self::Node(draft) => draft.validate(),
            Self::AddressPool(draft) => draft.validate(),
            Self::Subscriber(draft) => draft.validate(),
        };
        if faults.is_empty() { Ok(draft) } else { Err(faults) }
    }

    pub(crate) fn metadata(&self) -> &xos_model::Metadata {
        match self {
            Self::Node(draft) => &draft.metadata,
            Self::AddressPool(draft) => &draft.metadata,
            Self::Subscriber(draft) => &draft.metadata,
        }
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

impl Operation {
    pub(crate) fn put(verb: Verb, draft: Draft) -> Self {
        let preconditions = draft.preconditions();
        Self::Put { verb, draft: Box::new(draft), preconditions }
    }

    /// A deletion, from an object of which only the name counts.
    pub(crate) fn delete(bytes: &[u8]) -> Result<Self, ParseError> {
        let DeleteTarget { kind, metadata } = parse(bytes)?;
        if kind == KindName::Tenant {
            return Err(ParseError::Faults(vec![Fault::new("/kind", READ_ONLY)]));
        }
        let preconditions = Preconditions {
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            ..Preconditions::default()
        };
        Ok(Self::Delete { target: Target { kind, name: metadata.name }, preconditions })
    }
}
