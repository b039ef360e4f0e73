//! Why a command could not show what was asked for.

use std::{io, path::PathBuf};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("there is no session {0}")]
    NoSession(String),
    #[error(
        "no fast path is loaded: nothing is pinned at {0}\nThe agent loads it when it starts; \
         --pin-dir names another place."
    )]
    NotLoaded(PathBuf),
    #[error("the fast path at {path} cannot be read: {source}")]
    Unreadable { path: PathBuf, source: Box<fastpath::OpenError> },
    #[error(
        "the desired state in {0} cannot be read: {1}\nThe agent writes it when it starts; --run-dir names another place."
    )]
    NoDesiredState(PathBuf, String),
    #[error("the kernel cannot be asked: {0}")]
    Kernel(String),
    #[error("the output cannot be written: {0}")]
    Output(String),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NoSession(_) => 1,
            Self::NotLoaded(_) => 3,
            Self::Unreadable { .. } => 4,
            Self::Output(_) => 5,
            Self::NoDesiredState(..) | Self::Kernel(_) => 6,
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error.to_string())
    }
}
