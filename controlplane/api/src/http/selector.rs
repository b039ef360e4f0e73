//! Label selectors: `tier=gold,region!=north,trial,!test`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::problem::Problem;

/// Requirements that all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Is(String, String),
    IsNot(String, String),
    Has(String),
    HasNot(String),
}

const REQUIREMENTS_MAX: usize = 16;

/// Only the labels of a stored object.
#[derive(Deserialize)]
struct Labelled {
    metadata: LabelledMetadata,
}

#[derive(Deserialize)]
struct LabelledMetadata {
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Selector {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Self::default()) };
        let requirements: Option<Vec<_>> = text.split(',').map(|term| requirement(term.trim())).collect();
        match requirements {
            Some(requirements) if requirements.len() <= REQUIREMENTS_MAX => Ok(Self(requirements)),
            Some(_) => {
                Err(Problem::parameter("labelSelector", format!("at most {REQUIREMENTS_MAX} requirements")))
            }
            None => Err(Problem::parameter(
                "labelSelector",
                "is written like tier=gold,region!=north,trial,!test",
            )),
        }
    }

    pub(super) fn picks(&self, stored: &[u8]) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let Ok(Labelled { metadata: LabelledMetadata { labels } }) = serde_json::from_slice(stored) else {
            return false;
        };
        self.0.iter().all(|requirement| match requirement {
            Requirement::Is(key, value) => labels.get(key) == Some(value),
            Requirement::IsNot(key, value) => labels.get(key) != Some(value),
            Requirement::Has(key) => labels.contains_key(key),
            Requirement::HasNot(key) => !labels.contains_key(key),
        })
    }
}

fn requirement(term: &str) -> Option<Requirement> {
    let key = |text: &str| {
        let text = text.trim();
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_./".contains(&b);
        (!text.is_empty() && text.bytes().all(legal)).then(|| text.to_owned())
    };
    let value = |text: &str| if text.trim().is_empty() { Some(String::new()) } else { key(text) };
    if let Some((left, right)) = term.split_once("!=") {
        return Some(Requirement::IsNot(key(left)?, value(right)?));
    }
    if let Some((left, right)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Some(Requirement::Is(key(left)?, value(right)?));
    }
    match term.strip_prefix('!') {
        Some(absent) => Some(Requirement::HasNot(key(absent)?)),
        None => Some(Requirement::Has(key(term)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_all_hold() {
        let stored =
            br#"{"kind":"Node","metadata":{"name":"a","labels":{"tier":"gold","trial":""}},"spec":{}}"#;
        for (text, picks) in [
            ("", true),
            ("tier=gold", true),
            ("tier==gold, trial", true),
            ("tier=tin", false),
            ("tier!=tin,!test", true),
            ("!trial", false),
            ("trial=", true),
            ("region!=north", true),
        ] {
            assert_eq!(Selector::parse(Some(text)).expect(text).picks(stored), picks, "{text}");
        }
        for text in ["=x", "a=b=c", "a b", ",", "!"] {
            assert!(Selector::parse(Some(text)).is_err(), "{text}");
        }
    }
}
