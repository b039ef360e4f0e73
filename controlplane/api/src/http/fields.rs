//! Field selectors: `spec.access.node=node1,metadata.name!=x`.

use serde_json::Value;

use super::{
    limits::{FIELD_SELECTOR_BYTES_MAX, FIELD_TERMS_MAX},
    problem::Problem,
};

/// Terms that all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FieldSelector(Vec<Term>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    /// The members' names from the top of the object to the field.
    path: Vec<String>,
    value: String,
    /// For `!=`.
    is_negated: bool,
}

const PARAMETER: &str = "fieldSelector";
/// What an object has at its top.
const TOPS: [&str; 4] = ["kind", "metadata", "spec", "status"];

impl FieldSelector {
    pub(super) fn parse(text: Option<&str>) -> Result<Self, Problem> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Self::default()) };
        if text.len() > FIELD_SELECTOR_BYTES_MAX {
            return Err(Problem::parameter(PARAMETER, format!("at most {FIELD_SELECTOR_BYTES_MAX} bytes")));
        }
        if text.split(',').count() > FIELD_TERMS_MAX {
            return Err(Problem::parameter(PARAMETER, format!("at most {FIELD_TERMS_MAX} terms")));
        }
        let terms: Option<Vec<_>> = text.split(',').map(|text| Term::parse(text.trim())).collect();
        terms.map(Self).ok_or_else(|| {
            Problem::parameter(
                PARAMETER,
                "is written like spec.access.node=node1,metadata.name!=x, each path from kind, metadata, spec or \
                 status",
            )
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object, as it is served, is one of those.
    pub(super) fn picks(&self, served: &[u8]) -> bool {
        serde_json::from_slice::<Value>(served)
            .is_ok_and(|object| self.0.iter().all(|term| term.holds(&object)))
    }
}

impl Term {
    fn parse(text: &str) -> Option<Self> {
        let (path, value, is_negated) = if let Some((path, value)) = text.split_once("!=") {
            (path, value, true)
        } else {
            let (path, value) = text.split_once("==").or_else(|| text.split_once('='))?;
            (path, value, false)
        };
        let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_/".contains(&b);
        let is_path = path.iter().all(|name| !name.is_empty() && name.bytes().all(legal));
        let value = value.trim();
        let is_value = !value.contains(['=', '!']) && !value.contains(char::is_control);
        (is_path && is_value && TOPS.contains(&path[0].as_str())).then(|| Self {
            path,
            value: value.to_owned(),
            is_negated,
        })
    }

    fn holds(&self, object: &Value) -> bool {
        let field = self.path.iter().try_fold(object, |at, name| at.as_object()?.get(name));
        let is_equal = match field {
            // An object leaves out what is empty and what is false.
            None | Some(Value::Null) => self.value.is_empty() || self.value == "false",
            Some(Value::Bool(value)) => self.value == if *value { "true" } else { "false" },
            Some(Value::Number(number)) => self.value == number.to_string(),
            Some(Value::String(text)) => self.value == *text,
            // Not a scalar: it is equal to nothing, and unequal to everything.
            Some(Value::Array(_) | Value::Object(_)) => false,
        };
        is_equal != self.is_negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_all_hold() {
        let served = br#"{"kind":"Subscriber","metadata":{"resourceVersion":7,"name":"a"},
            "spec":{"access":{"node":"node1","sVid":100},"nat":true,"subnet":"203.0.113.8/29","mac":null,"dns":[]}}"#;
        for (text, picks) in [
            ("", true),
            (" ", true),
            ("spec.access.node=node1", true),
            ("spec.access.node==node1, metadata.name!=x", true),
            ("spec.access.node=node1,metadata.name!=a", false),
            ("spec.access.node=node", false),
            ("spec.access.sVid=100,spec.nat=true,kind=Subscriber", true),
            ("spec.access.sVid=0100", false),
            ("metadata.resourceVersion=7", true),
            ("spec.subnet=203.0.113.8/29", true),
            ("spec.nat!=true", false),
            ("metadata.adopted=false,spec.mac=,status.address!=100.64.0.1", true),
            ("metadata.adopted=true", false),
            ("metadata.adopted!=true", true),
            ("spec.access=", false),
            ("spec.dns!=x", true),
            ("spec.access.node.x=y", false),
        ] {
            assert_eq!(FieldSelector::parse(Some(text)).expect(text).picks(served), picks, "{text}");
        }
    }

    #[test]
    fn bad_ones_are_refused() {
        let longest = format!("spec.a={}", "x".repeat(FIELD_SELECTOR_BYTES_MAX - 7));
        assert!(FieldSelector::parse(Some(&longest)).is_ok());
        let most = vec!["spec.a=b"; FIELD_TERMS_MAX].join(",");
        assert!(FieldSelector::parse(Some(&most)).is_ok());
        let (too_long, too_many) = (longest + "x", most + ",spec.a=b");
        for text in [
            "spec",
            "=x",
            "spec.a",
            "spec..a=x",
            ".spec=x",
            "spec.a=b=c",
            "spec.a===b",
            "spec.a=!b",
            ",",
            "spec.a=b,",
            "spec a=b",
            "name=x",
            "labels.a=b",
            "!spec.a",
            "spec.a=\n\u{1}",
            &too_long,
            &too_many,
        ] {
            assert!(FieldSelector::parse(Some(text)).is_err(), "{text}");
        }
    }
}
