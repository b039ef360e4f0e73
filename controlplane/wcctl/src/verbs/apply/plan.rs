//! What a transaction would do, for reading before it is done.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use serde_json::Value;

use crate::{
    failure::Failure,
    kinds::{Kind, Reference},
    manifest::Document,
    verbs::diff::{intent, intent_of_live},
};

/// Objects of each sort that are named.
const NAMED_MAX: usize = 20;
/// Fields that are named of a changed object.
const FIELDS_MAX: usize = 5;
/// Characters that are shown of a value.
const VALUE_LEN_MAX: usize = 40;

pub(super) struct Plan {
    total: usize,
    created: Vec<Reference>,
    changed: Vec<(Reference, Vec<String>)>,
}

impl Plan {
    /// From the results of a dry run and the objects that are there.
    pub(super) fn new(
        documents: &[Document],
        results: &[String],
        live: &BTreeMap<Reference, Value>,
    ) -> Result<Self, Failure> {
        let mut plan = Self { total: documents.len(), created: Vec::new(), changed: Vec::new() };
        for (document, result) in documents.iter().zip(results) {
            let reference = document.reference.clone();
            match result.as_str() {
                "created" => plan.created.push(reference),
                "unchanged" => {}
                "configured" => {
                    let old = live.get(&reference).map_or(Value::Null, intent_of_live);
                    let mut fields = Vec::new();
                    // As it is written it is not shown: only its normal form is sure to hide what is secret.
                    if let Ok(new) = intent(reference.kind.0, &document.object) {
                        differences("", &old, &new, &mut fields);
                    }
                    if fields.is_empty() {
                        fields.push("in what is not shown here".into());
                    }
                    plan.changed.push((reference, fields));
                }
                other => {
                    let why = format!("{reference}: \"{other}\" is no result of an apply");
                    return Err(Failure::Answer(why));
                }
            }
        }
        Ok(plan)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.created.is_empty() && self.changed.is_empty()
    }

    pub(super) fn text(&self) -> String {
        let unchanged = self.total - self.created.len() - self.changed.len();
        let mut out = format!("{} objects, in one transaction:\n", self.total);
        let changed = self.changed.iter().map(|(reference, _)| reference);
        for (title, count, kinds) in [
            ("to create", self.created.len(), by_kind(self.created.iter())),
            ("to change", self.changed.len(), by_kind(changed)),
            ("unchanged", unchanged, String::new()),
        ] {
            let _ = writeln!(out, "{}", format!("  {title}  {count:>6}  {kinds}").trim_end());
        }
        let lines = self.created.iter().map(|reference| format!("+ {reference}"));
        listed(&mut out, lines);
        let lines = self.changed.iter().map(|(reference, fields)| {
            let more = fields.len().saturating_sub(FIELDS_MAX);
            let more = if more > 0 { format!("; and {more} more fields") } else { String::new() };
            format!("~ {reference}: {}{more}", fields[..fields.len().min(FIELDS_MAX)].join("; "))
        });
        listed(&mut out, lines);
        out
    }
}

fn listed(out: &mut String, lines: impl ExactSizeIterator<Item = String>) {
    let more = lines.len().saturating_sub(NAMED_MAX);
    for line in lines.take(NAMED_MAX) {
        let _ = writeln!(out, "{line}");
    }
    if more > 0 {
        let _ = writeln!(out, "  … and {more} more");
    }
}

/// `(2 nodes, 9998 subscribers)`
fn by_kind<'a>(references: impl Iterator<Item = &'a Reference>) -> String {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for reference in references {
        *counts.entry(reference.kind).or_default() += 1;
    }
    let count = |(kind, count): (&Kind, &usize)| {
        format!("{count} {}", if *count == 1 { kind.singular() } else { kind.plural().into() })
    };
    let counts: Vec<String> = counts.iter().map(count).collect();
    if counts.is_empty() { String::new() } else { format!("({})", counts.join(", ")) }
}

/// Each field that differs, as `path: old → new`.
fn differences(path: &str, old: &Value, new: &Value, fields: &mut Vec<String>) {
    if let (Value::Object(a), Value::Object(b)) = (old, new) {
        for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            differences(&path, &old[key], &new[key], fields);
        }
    } else if old != new {
        fields.push(format!("{path}: {} → {}", short(old), short(new)));
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".into(),
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    if text.chars().count() <= VALUE_LEN_MAX {
        return text;
    }
    text.chars().take(VALUE_LEN_MAX - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_fields_with_both_values() {
        let mut fields = Vec::new();
        let old = json!({"a": {"b": 1, "c": "x", "same": true}, "gone": [1]});
        let new = json!({"a": {"b": 2, "c": "y".repeat(50), "same": true}, "new": {"d": 1}});
        differences("", &old, &new, &mut fields);
        let long = format!("a.c: x → {}…", "y".repeat(39));
        assert_eq!(fields, ["a.b: 1 → 2", &long, "gone: [1] → nothing", "new: nothing → {\"d\":1}"]);
    }
}
