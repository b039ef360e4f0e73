//! What makes one document of another: the operations of a JSON Patch (RFC 6902), each with what was there before.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Pointer;

/// One operation of a JSON Patch. Carried out one after another they make the new document of the old one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Change {
    pub op: ChangeOp,
    /// A JSON pointer (RFC 6901); the empty one is the whole document.
    pub path: String,
    /// What was there; absent if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What is there then; absent if nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeOp {
    Add,
    Remove,
    Replace,
}

/// What makes `new` of `old`, in the order of the fields' names; nothing, if they are equal.
pub fn difference(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(&Pointer::root(), old, new, &mut changes);
    changes
}

fn change(path: &Pointer, old: Option<&Value>, value: Option<&Value>) -> Change {
    let op = match (old, value) {
        (None, _) => ChangeOp::Add,
        (Some(_), None) => ChangeOp::Remove,
        (Some(_), Some(_)) => ChangeOp::Replace,
    };
    Change { op, path: path.as_str().into(), old: old.cloned(), value: value.cloned() }
}

fn compare(at: &Pointer, old: &Value, new: &Value, changes: &mut Vec<Change>) {
    match (old, new) {
        (Value::Object(before), Value::Object(after)) => {
            for key in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
                match (before.get(key), after.get(key)) {
                    (Some(old), Some(new)) => compare(&at.at(key), old, new, changes),
                    (old, new) => changes.push(change(&at.at(key), old, new)),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => compare_lists(at, before, after, changes),
        (old, new) if old == new => {}
        (old, new) => changes.push(change(at, Some(old), Some(new))),
    }
}

/// What stands at both ends of both lists stays.
fn compare_lists(at: &Pointer, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let head = old.iter().zip(new).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[head..], &new[head..]);
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let both = old.len().min(new.len());
    for (i, (old, new)) in old.iter().zip(new).enumerate() {
        compare(&at.at(head + i), old, new, changes);
    }
    // From the last: none of those before it moves.
    for (i, gone) in old.iter().enumerate().skip(both).rev() {
        changes.push(change(&at.at(head + i), Some(gone), None));
    }
    for (i, made) in new.iter().enumerate().skip(both) {
        changes.push(change(&at.at(head + i), None, Some(made)));
    }
}

#[cfg(test)]
mod tests;
