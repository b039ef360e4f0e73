//! Why a command did not do what was asked, and the exit status that says so.

use std::{fmt::Write as _, io, path::PathBuf};

use serde::Deserialize;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The files differ from what is live; the differences have been printed.
    #[error("")]
    Different,
    #[error("{0}")]
    NotMet(String),
    #[error("{0}")]
    Usage(String),
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Refused(Problem),
    #[error(
        "no controller answers at {at}: {reason}\nIs wirecenterd running? --socket or WIRECENTER_SOCKET names another socket, --context or WIRECENTER_CONTEXT another controller."
    )]
    Unreachable { at: String, reason: String },
    #[error("the controller failed: {0}")]
    Server(Problem),
    #[error("the controller's answer is not understood: {0}")]
    Answer(String),
    #[error("writing the output: {0}")]
    Output(io::Error),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Different | Self::NotMet(_) => 1,
            Self::Usage(_) | Self::File { .. } => 2,
            Self::Refused(_) => 3,
            Self::Unreachable { .. } => 4,
            Self::Server(_) | Self::Answer(_) | Self::Output(_) => 5,
        }
    }
}

/// Problem details (RFC 9457).
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Problem {
    #[serde(default)]
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) title: String,
    #[serde(default)]
    pub(crate) detail: String,
    #[serde(default)]
    pub(crate) errors: Vec<Fault>,
}

/// One fault of what was sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Fault {
    /// A JSON pointer into the request's body.
    #[serde(default)]
    pub(crate) pointer: String,
    /// The parameter at fault, where it is not the body.
    #[serde(default)]
    pub(crate) parameter: Option<String>,
    #[serde(default)]
    pub(crate) detail: String,
}

impl Fault {
    pub(crate) fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), parameter: None, detail: detail.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What is said of a single field is said there.
        let is_repeated = self.errors.iter().any(|fault| fault.detail == self.detail);
        let detail = if is_repeated { "" } else { self.detail.as_str() };
        let mut text = match (self.title.as_str(), detail) {
            ("", "") => format!("HTTP status {}", self.status),
            (title, "") => title.into(),
            ("", detail) => detail.into(),
            (title, detail) => format!("{title}: {detail}"),
        };
        for Fault { pointer, parameter, detail } in &self.errors {
            let at = match (parameter, pointer.as_str()) {
                (Some(parameter), _) => parameter,
                (None, "") => "/",
                (None, pointer) => pointer,
            };
            write!(text, "\n  {at}: {detail}")?;
        }
        f.write_str(&text)
    }
}
