//! A plan as text: in short, and as a diff.

use std::fmt::Write as _;

use serde_json::Value;
use xos_model::{Change, ChangeOp};

use super::{Action, Plan, Planned};
use crate::{
    failure::Failure,
    kinds::Kind,
    output::{self, Table},
};

/// Objects of a kind that are named of those that are made, changed or deleted.
const NAMED_MAX: usize = 5;
/// Fields that are named of a changed object.
const FIELDS_MAX: usize = 5;
/// Characters that are shown of a value.
const VALUE_LEN_MAX: usize = 40;

impl Plan {
    /// How many objects of each kind, and some of them by name.
    pub(in crate::verbs) fn summary(&self) -> String {
        let asked = self.objects.iter().filter(|one| one.operation.is_some()).count();
        let follow = match self.objects.len() - asked {
            0 => String::new(),
            follow => format!("; {follow} more follow"),
        };
        let noun = if asked == 1 { "object" } else { "objects" };
        let mut out = format!("{asked} {noun}, in one transaction{follow}:\n");
        let mut table = Table::new(&["KIND", "CREATE", "UPDATE", "DELETE", "UNCHANGED"]);
        for count in &self.counts {
            let numbers = [count.create, count.update, count.delete, count.unchanged];
            let kind = Kind(count.kind).plural().to_owned();
            table.add(std::iter::once(kind).chain(numbers.iter().map(ToString::to_string)).collect());
        }
        out += &table.render();
        for count in &self.counts {
            for (action, sign) in [(Action::Create, '+'), (Action::Update, '~'), (Action::Delete, '-')] {
                let such = |one: &&Planned| one.kind == count.kind && one.action == action;
                let mut such = self.objects.iter().filter(such);
                for one in such.by_ref().take(NAMED_MAX) {
                    let _ = writeln!(out, "{sign} {}", one.line());
                }
                let more = such.count();
                if more > 0 {
                    let _ = writeln!(out, "{sign} … and {more} more {}", Kind(count.kind).plural());
                }
            }
        }
        out
    }

    /// Everything that would change, much as `diff -u` writes it: a section for each object, and a hunk for each field.
    pub(super) fn differences(&self) -> Result<String, Failure> {
        let mut out = String::new();
        for one in self.changed() {
            let (old, new) = (format!("live/{}", one.reference()), format!("planned/{}", one.reference()));
            let none = "/dev/null".to_owned();
            let whole = one.changes.first().filter(|change| change.path.is_empty()).map(|change| change.op);
            let (old, new) = match whole {
                Some(ChangeOp::Add) => (none, new),
                Some(ChangeOp::Remove) => (old, none),
                Some(ChangeOp::Replace) | None => (old, new),
            };
            let follows = if one.operation.is_none() { " (follows)" } else { "" };
            let _ = writeln!(out, "--- {old}\n+++ {new}{follows}");
            if one.changes.is_empty() {
                out += "@@ values that are not shown @@\n";
            }
            for Change { path, old, value, .. } in &one.changes {
                let _ = writeln!(out, "@@ {} @@", if path.is_empty() { "/" } else { path });
                for (sign, value) in [('-', old), ('+', value)] {
                    for line in value.as_ref().map(output::yaml).transpose()?.unwrap_or_default().lines() {
                        let _ = writeln!(out, "{sign}{line}");
                    }
                }
            }
        }
        Ok(out)
    }
}

impl Planned {
    fn line(&self) -> String {
        let mut line = self.reference().to_string();
        if self.operation.is_none() {
            line += " (follows)";
        }
        if self.action == Action::Update {
            let fields: Vec<_> = self.changes.iter().take(FIELDS_MAX).map(field).collect();
            let more = self.changes.len().saturating_sub(FIELDS_MAX);
            let more = if more > 0 { format!("; and {more} more fields") } else { String::new() };
            let fields =
                if fields.is_empty() { "values that are not shown".into() } else { fields.join("; ") };
            line = format!("{line}: {fields}{more}");
        }
        line
    }
}

fn field(Change { path, old, value, .. }: &Change) -> String {
    format!("{path}: {} → {}", short(old.as_ref()), short(value.as_ref()))
}

fn short(value: Option<&Value>) -> String {
    let text = match value {
        None => "nothing".into(),
        Some(Value::String(text)) => text.escape_debug().to_string(),
        Some(value) => value.to_string(),
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
    fn a_field_is_shown_with_both_values_in_short() {
        let change = |old: Value, new: Value| xos_model::difference(&json!({"a": old}), &json!({"a": new}));
        let said = |old: Value, new: Value| field(&change(old, new)[0]);
        assert_eq!(said(json!(1), json!("x\ny")), "/a: 1 → x\\ny");
        assert_eq!(said(json!("y".repeat(50)), json!(true)), format!("/a: {}… → true", "y".repeat(39)));
        let gone = &xos_model::difference(&json!({"a": [1]}), &json!({}))[0];
        assert_eq!(field(gone), "/a: [1] → nothing");
    }
}
