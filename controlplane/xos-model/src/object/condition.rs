//! Conditions: what was seen of an object, one aspect each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The condition that says whether the object works as its spec asks.
pub const READY: &str = "Ready";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Condition {
    #[serde(rename = "type")]
    pub kind: String,
    pub status: ConditionStatus,
    /// One word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// When `status` last changed.
    pub last_transition_time: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum ConditionStatus {
    True,
    False,
    Unknown,
}

/// Sets one condition; its transition time moves only when its status does.
pub fn set_condition(
    conditions: &mut Vec<Condition>,
    kind: &str,
    status: ConditionStatus,
    reason: &str,
    message: &str,
    now: Timestamp,
) {
    let slot = conditions.iter_mut().find(|condition| condition.kind == kind);
    let since = slot.as_ref().filter(|c| c.status == status).map_or(now, |c| c.last_transition_time);
    let condition = Condition {
        kind: kind.into(),
        status,
        reason: reason.into(),
        message: message.into(),
        last_transition_time: since,
    };
    match slot {
        Some(slot) => *slot = condition,
        None => conditions.push(condition),
    }
}
