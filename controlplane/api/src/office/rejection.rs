//! Why something was not done.

use xos_model::{Fault, KindName, Pointer};

/// Why something was not done: a kind for the protocol, words for people, and where in the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Rejection {
    pub kind: RejectionKind,
    pub detail: String,
    pub faults: Vec<Fault>,
}

/// Who has to do what about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionKind {
    /// The request is wrong whatever the state.
    Invalid,
    NotFound,
    /// Who asks may not.
    Forbidden,
    /// The state is in the way.
    Conflict,
    /// The object is not the one that the client has seen.
    Precondition,
    /// What is stored is not what this program wrote.
    Damaged,
}

impl Rejection {
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        Self { kind: RejectionKind::Invalid, detail: summary(&faults), faults }
    }

    pub(crate) fn fault(pointer: impl Into<Pointer>, detail: impl std::fmt::Display) -> Self {
        Self::invalid(vec![Fault::new(pointer, detail)])
    }

    /// A stored secret to which this controller has no key, or which is damaged.
    pub(crate) fn unopened(name: &net_types::Name, error: &super::SecretError) -> Self {
        let detail = format!("Secret {name} does not open: {error}");
        Self { kind: RejectionKind::Damaged, detail, faults: Vec::new() }
    }

    pub(crate) fn conflict(pointer: impl Into<Pointer>, detail: impl std::fmt::Display) -> Self {
        let faults = vec![Fault::new(pointer, detail)];
        Self { kind: RejectionKind::Conflict, detail: summary(&faults), faults }
    }

    pub(crate) fn not_found(kind: KindName, name: &str) -> Self {
        let detail = format!("there is no {kind} {name}");
        Self { kind: RejectionKind::NotFound, faults: vec![Fault::new("/metadata/name", &detail)], detail }
    }

    pub(crate) fn precondition(detail: String) -> Self {
        Self { kind: RejectionKind::Precondition, detail, faults: Vec::new() }
    }

    /// Too much has changed since what was read was begun to be read.
    pub(crate) fn overtaken(detail: String) -> Self {
        Self { kind: RejectionKind::Conflict, detail, faults: Vec::new() }
    }

    pub(crate) fn damaged(key: &str, error: &serde_json::Error) -> Self {
        let detail = format!("the stored object {key} cannot be read: {error}");
        Self { kind: RejectionKind::Damaged, detail, faults: Vec::new() }
    }

    /// The same rejection of an object that lies at `outer` in the request.
    #[must_use]
    pub(crate) fn under(mut self, outer: &Pointer) -> Self {
        self.faults = self.faults.into_iter().map(|fault| fault.under(outer)).collect();
        if self.faults.is_empty() {
            self.faults.push(Fault::new(outer.clone(), &self.detail));
        }
        self
    }
}

fn summary(faults: &[Fault]) -> String {
    match faults {
        [fault] => fault.detail.clone(),
        faults => format!("{} fields are at fault", faults.len()),
    }
}

impl From<office_plan::Refusal> for Rejection {
    fn from(refusal: office_plan::Refusal) -> Self {
        match refusal {
            office_plan::Refusal::Invalid(fault) => Self::invalid(vec![fault]),
            office_plan::Refusal::Conflict(fault) => Self::conflict(fault.pointer, fault.detail),
        }
    }
}
