//! What kinds of objects are called on the command line.

use std::str::FromStr;

use serde_json::Value;
use xos_model::KindName;

/// A kind, by its singular, plural or short name, in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind(pub(crate) KindName);

impl Kind {
    pub(crate) fn singular(self) -> String {
        self.0.as_str().to_ascii_lowercase()
    }

    pub(crate) fn plural(self) -> &'static str {
        self.0.plural()
    }

    /// The kind of an object, if it is one of ours.
    pub(crate) fn of(object: &Value) -> Option<Self> {
        KindName::ALL.iter().copied().map(Self).find(|kind| object["kind"] == kind.0.as_str())
    }

    fn names(self) -> [String; 4] {
        [self.singular(), self.plural().into(), self.0.short().into(), format!("{}s", self.0.short())]
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        KindName::ALL.iter().copied().map(Self).find(|kind| kind.names().contains(&text)).ok_or_else(|| {
            let known: Vec<String> =
                KindName::ALL.iter().map(|&kind| format!("{} ({})", kind.plural(), kind.short())).collect();
            format!("no kind is called \"{text}\"; there are {}", known.join(", "))
        })
    }
}

/// An object by its kind and name, written `subscriber/alice`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) kind: Kind,
    pub(crate) name: String,
}

impl Reference {
    pub(crate) fn path(&self) -> String {
        format!("/api/v1/{}/{}", self.kind.plural(), self.name)
    }

    pub(crate) fn of(object: &Value) -> Option<Self> {
        let name = object["metadata"]["name"].as_str()?.into();
        Some(Self { kind: Kind::of(object)?, name })
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.kind.singular(), self.name)
    }
}

/// What a command is about: `KIND[,KIND]`, `KIND NAME…` or `KIND/NAME…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Targets {
    /// All objects of these kinds, or those that a selector picks.
    Kinds(Vec<Kind>),
    Objects(Vec<Reference>),
}

impl Targets {
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let Some((first, rest)) = words.split_first() else {
            return Err("say which kind of objects, such as \"subscribers\", or which object, such as \"subscriber/alice\"".into());
        };
        if words.iter().any(|word| word.contains('/')) {
            return words
                .iter()
                .map(|word| parse_reference(word))
                .collect::<Result<_, _>>()
                .map(Self::Objects);
        }
        if rest.is_empty() {
            let kinds = first.split(',').map(Kind::from_str).collect::<Result<_, _>>()?;
            return Ok(Self::Kinds(kinds));
        }
        let kind: Kind = first.parse()?;
        Ok(Self::Objects(rest.iter().map(|name| reference(kind, name)).collect::<Result<_, _>>()?))
    }
}

fn parse_reference(word: &str) -> Result<Reference, String> {
    let (kind, name) = word
        .split_once('/')
        .ok_or_else(|| format!("\"{word}\" is not of the form KIND/NAME, like the others"))?;
    reference(kind.parse()?, name)
}

/// Names are checked here because they become part of a path.
pub(crate) fn reference(kind: Kind, name: &str) -> Result<Reference, String> {
    let legal = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if name.is_empty() || !name.bytes().all(legal) {
        return Err(format!("\"{name}\" is not a name: it has only a-z, 0-9 and '-'"));
    }
    Ok(Reference { kind, name: name.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(Into::into).collect()
    }

    #[test]
    fn kinds_have_several_names() {
        for (text, kind) in [
            ("subscriber", KindName::Subscriber),
            ("subs", KindName::Subscriber),
            ("Sub", KindName::Subscriber),
            ("no", KindName::Node),
            ("nodes", KindName::Node),
            ("pool", KindName::AddressPool),
            ("pools", KindName::AddressPool),
            ("AddressPool", KindName::AddressPool),
            ("tenants", KindName::Tenant),
        ] {
            assert_eq!(text.parse(), Ok(Kind(kind)), "{text}");
        }
        let unknown = "vm".parse::<Kind>().expect_err("no such kind");
        assert!(unknown.contains("subscribers (sub)"), "{unknown}");
    }

    #[test]
    fn targets_are_kinds_or_objects() {
        let sub = |name: &str| Reference { kind: Kind(KindName::Subscriber), name: name.into() };
        let parse = |text: &str| Targets::parse(&words(text));
        let both = vec![Kind(KindName::Node), Kind(KindName::AddressPool)];
        assert_eq!(parse("nodes,pools"), Ok(Targets::Kinds(both)));
        assert_eq!(parse("sub alice bob"), Ok(Targets::Objects(vec![sub("alice"), sub("bob")])));
        let node = Reference { kind: Kind(KindName::Node), name: "node1".into() };
        assert_eq!(parse("sub/alice no/node1"), Ok(Targets::Objects(vec![sub("alice"), node])));
        for wrong in ["", "sub alice/x", "sub/", "sub/../nodes", "sub A", "sub/alice bob"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
