//! Which kinds a rule is about.

use std::{fmt, str::FromStr};

/// All kinds, or one by its plural, or a part of one that can be had by itself (`subscribers/features`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KindPattern {
    All,
    One(Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a kind is \"*\" or a plural of 1 to {} letters a-z, with a part after '/' or none",
    KindPattern::LEN_MAX
)]
pub struct KindPatternError;

impl KindPattern {
    pub const LEN_MAX: usize = 63;

    /// Whether all that `kind` names is meant. A kind's parts are meant with it.
    pub fn covers(&self, kind: &str) -> bool {
        match self {
            Self::All => true,
            Self::One(own) => {
                kind.strip_prefix(&**own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
        }
    }

    /// Whether all that `other` means is meant here too.
    pub fn includes(&self, other: &Self) -> bool {
        match other {
            Self::All => *self == Self::All,
            Self::One(kind) => self.covers(kind),
        }
    }
}

impl FromStr for KindPattern {
    type Err = KindPatternError;

    fn from_str(text: &str) -> Result<Self, KindPatternError> {
        if text == "*" {
            return Ok(Self::All);
        }
        let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        let (kind, part) = text.split_once('/').unwrap_or((text, "all"));
        if text.len() > Self::LEN_MAX || !word(kind) || !word(part) {
            return Err(KindPatternError);
        }
        Ok(Self::One(text.into()))
    }
}

impl fmt::Display for KindPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "*",
            Self::One(kind) => kind,
        })
    }
}
