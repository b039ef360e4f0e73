//! What clients ask for, parsed and judged by itself, before any transaction.

use net_types::Name;
use serde::Deserialize;
use xos_model::{KindName, ParseError, parse};

use super::Draft;

/// What is to be done with an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verb {
    Create,
    Update,
    /// An update whose object was made from the one that is there.
    Patch,
    /// Create or update.
    Apply,
}

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Put { verb: Verb, draft: Box<Draft>, preconditions: Preconditions },
    Delete { target: Target, preconditions: Preconditions },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

impl Operation {
    /// Which object it is about.
    pub(crate) fn target(&self) -> Target {
        match self {
            Self::Put { draft, .. } => Target { kind: draft.kind(), name: draft.metadata().name.clone() },
            Self::Delete { target, .. } => target.clone(),
        }
    }

    pub(crate) fn put(verb: Verb, draft: Draft) -> Self {
        let preconditions = draft.preconditions();
        Self::Put { verb, draft: Box::new(draft), preconditions }
    }

    /// A deletion, from an object of which only the name counts.
    pub(crate) fn delete(bytes: &[u8]) -> Result<Self, ParseError> {
        let DeleteTarget { kind, metadata } = parse(bytes)?;
        let preconditions = Preconditions {
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            ..Preconditions::default()
        };
        Ok(Self::Delete { target: Target { kind, name: metadata.name }, preconditions })
    }
}
