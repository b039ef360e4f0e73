//! What can be done to an object.

use std::{fmt, str::FromStr};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    /// To give rights away: to write a role binding, or a role.
    Bind,
}

impl Verb {
    pub const ALL: [Self; 8] = [
        Self::Get,
        Self::List,
        Self::Watch,
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::Delete,
        Self::Bind,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Bind => "bind",
        }
    }

    /// What can be done at all to a kind: roles and role bindings are written with `bind`, and nothing else is.
    pub fn applies_to(self, kind: &str) -> bool {
        let gives_rights = matches!(kind, "roles" | "rolebindings");
        match self {
            Self::Get | Self::List | Self::Watch | Self::Delete => true,
            Self::Create | Self::Update | Self::Patch => !gives_rights,
            Self::Bind => gives_rights,
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a verb is one of get, list, watch, create, update, patch, delete and bind")]
pub struct VerbError;

impl FromStr for Verb {
    type Err = VerbError;

    fn from_str(text: &str) -> Result<Self, VerbError> {
        Self::ALL.into_iter().find(|verb| verb.as_str() == text).ok_or(VerbError)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct VerbSet(u8);

impl VerbSet {
    /// What a rule means by `*`.
    pub const ALL: Self = Self::of(&Verb::ALL);

    pub const fn of(verbs: &[Verb]) -> Self {
        let mut set = 0;
        let mut i = 0;
        while i < verbs.len() {
            set |= verbs[i].bit();
            i += 1;
        }
        Self(set)
    }

    pub const fn contains(self, verb: Verb) -> bool {
        self.0 & verb.bit() != 0
    }

    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn iter(self) -> impl Iterator<Item = Verb> {
        Verb::ALL.into_iter().filter(move |verb| self.contains(*verb))
    }
}

impl FromIterator<Verb> for VerbSet {
    fn from_iter<I: IntoIterator<Item = Verb>>(verbs: I) -> Self {
        Self(verbs.into_iter().fold(0, |set, verb| set | verb.bit()))
    }
}

impl fmt::Display for VerbSet {
    /// `*`, or the verbs with commas between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("*");
        }
        let words: Vec<_> = self.iter().map(Verb::as_str).collect();
        f.write_str(&words.join(","))
    }
}
