//! What only a plug-in understands.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Fault, Pointer,
    document::check,
    values::{LABEL_RULE, is_label_key},
};

/// A JSON object that the core carries and does not read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Attributes(pub Map<String, Value>);

impl Attributes {
    pub const MEMBERS_MAX: usize = 128;
    /// Objects and lists within each other.
    pub const DEPTH_MAX: usize = 8;
    /// As JSON without white space.
    pub const BYTES_MAX: usize = 16 << 10;

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn validate(&self, at: &Pointer, faults: &mut Vec<Fault>) {
        check::at_most(faults, at, self.0.len(), Self::MEMBERS_MAX, "members");
        for (key, value) in self.0.iter().take(Self::MEMBERS_MAX) {
            if !is_label_key(key) {
                faults.push(Fault::new(at.at(key), format!("a key is not empty and {LABEL_RULE}")));
            }
            if !shallow(value, Self::DEPTH_MAX) {
                let rule = format!("at most {} objects and lists within each other", Self::DEPTH_MAX);
                faults.push(Fault::new(at.at(key), rule));
            }
        }
        let bytes = serde_json::to_vec(&self.0).map_or(0, |bytes| bytes.len());
        check::at_most(faults, at, bytes, Self::BYTES_MAX, "bytes of JSON");
    }
}

/// Whether `value` has at most `depth` containers within each other.
fn shallow(value: &Value, depth: usize) -> bool {
    match value {
        Value::Array(items) => depth > 0 && items.iter().all(|item| shallow(item, depth - 1)),
        Value::Object(members) => depth > 0 && members.values().all(|member| shallow(member, depth - 1)),
        _ => true,
    }
}
