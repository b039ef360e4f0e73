//! Which verbs a rule is about, and what they can be done to.

use std::fmt;

use xos_model::Verb;

/// What can be done at all to a kind: roles and role bindings are written with `bind`, and nothing else is.
pub fn applies(verb: Verb, kind: &str) -> bool {
    let gives_rights = matches!(kind, "roles" | "rolebindings");
    match verb {
        Verb::Get | Verb::List | Verb::Watch | Verb::Delete => true,
        Verb::Create | Verb::Update | Verb::Patch => !gives_rights,
        Verb::Bind => gives_rights,
    }
}

const fn bit(verb: Verb) -> u8 {
    1 << verb as u8
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
            set |= bit(verbs[i]);
            i += 1;
        }
        Self(set)
    }

    pub const fn contains(self, verb: Verb) -> bool {
        self.0 & bit(verb) != 0
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
        Self(verbs.into_iter().fold(0, |set, verb| set | bit(verb)))
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
