//! What a transaction would do: all that it would write, whether asked for or following from what was.

use std::collections::{BTreeMap, BTreeSet};

use access_policy::Verb as Right;
use intent_store::{Key, Record};
use net_types::Name;
use ring::digest;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use xos_model::{Change, ChangeOp, KindName, Sha256, difference};

use super::{Admission, Done, Rejection, Target, access, object_key, with_version};

/// What would be done, and nothing is. What the controller draws or counts anew (the identity and time of what is made,
/// times of conditions, generations, revisions) is not in it; values of secrets are not either.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(deny_unknown_fields)]
pub(crate) struct Plan {
    /// The revision that the plan is made from.
    resource_version: u64,
    /// Of all that is done: a transaction that names it is carried out as planned, or not at all.
    digest: Sha256,
    /// How many objects of each kind.
    summary: Vec<Counts>,
    /// Those that were asked for, in the order in which they were; then those that follow.
    objects: Vec<Planned>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PlanCounts", deny_unknown_fields)]
struct Counts {
    kind: KindName,
    create: usize,
    update: usize,
    delete: usize,
    unchanged: usize,
}

#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "PlannedObject", deny_unknown_fields)]
struct Planned {
    kind: KindName,
    name: Name,
    action: Action,
    /// The first operation that is about it; absent if it follows from others.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<usize>,
    /// A JSON Patch (RFC 6902) of the object as it is served, with the old values.
    changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "PlannedAction")]
enum Action {
    Create,
    Update,
    /// At once, or when its last finalizer is gone and all that refers to it.
    Delete,
    Unchanged,
}

/// What a transaction has written: the plan before it is worked out, which the store's writer need not wait for.
pub(crate) struct Outline {
    revision: u64,
    objects: Vec<(Target, Option<usize>, Version, Version)>,
}

type Version = Option<Record>;

impl Admission<'_, '_> {
    /// What has been done so far, as far as whoever asks may see it.
    pub(crate) fn outline(&self, done: &[Done]) -> Outline {
        let mut changed: BTreeMap<Key, (Version, Version)> =
            self.txn.changed().map(|(key, was, is)| (key, (was, is))).collect();
        let mut seen = BTreeSet::new();
        let mut objects = Vec::with_capacity(done.len());
        for (operation, Done { kind, name, record, .. }) in done.iter().enumerate() {
            let key = object_key(*kind, name);
            let (was, is) =
                changed.remove(key.as_str()).unwrap_or_else(|| (Some(record.clone()), Some(record.clone())));
            if seen.insert(key) {
                let target = Target { kind: *kind, name: name.clone() };
                objects.push((target, Some(operation), was, is));
            }
        }
        for (key, (was, is)) in changed {
            let Some(target) = key.split_once('/').and_then(|(plural, name)| {
                Some(Target { kind: KindName::from_plural(plural)?, name: name.parse().ok()? })
            }) else {
                continue;
            };
            if self.may_see(target.kind, is.as_ref().or(was.as_ref())) {
                objects.push((target, None, was, is));
            }
        }
        Outline { revision: self.txn.before(), objects }
    }

    /// What is asked for is shown to who may do it; what follows, to who may see it.
    pub(super) fn may_see(&self, kind: KindName, record: Option<&Record>) -> bool {
        let subject = record.and_then(|record| access::subject(kind, record));
        subject.is_some_and(|subject| self.judge_right(Right::Get, &subject).is_ok())
    }
}

impl Outline {
    pub(crate) fn plan(self) -> Result<Plan, Rejection> {
        let mut counts: BTreeMap<KindName, Counts> = BTreeMap::new();
        let mut objects = Vec::with_capacity(self.objects.len());
        for (target, operation, was, is) in self.objects {
            // What came and went again in one transaction.
            if operation.is_none() && was.is_none() && is.is_none() {
                continue;
            }
            let planned = planned(target, operation, was.as_ref(), is.as_ref())?;
            let (create, update, delete, unchanged) = (0, 0, 0, 0);
            let kind = planned.kind;
            let counts = counts.entry(kind).or_insert(Counts { kind, create, update, delete, unchanged });
            *match planned.action {
                Action::Create => &mut counts.create,
                Action::Update => &mut counts.update,
                Action::Delete => &mut counts.delete,
                Action::Unchanged => &mut counts.unchanged,
            } += 1;
            objects.push(planned);
        }
        let summary = counts.into_values().collect();
        Ok(Plan { resource_version: self.revision, digest: digest(&objects), summary, objects })
    }
}

impl Plan {
    /// Judges whether this is still what somebody has seen.
    pub(crate) fn is_as_seen(&self, seen: &Sha256) -> Result<(), Rejection> {
        let detail =
            "what would be done is not what this plan says any more: ask for the plan anew, with ?dryRun=All";
        if self.digest == *seen { Ok(()) } else { Err(Rejection::precondition(detail.into())) }
    }
}

const DELETED_AT: &str = "/metadata/deletedAt";

/// The same for plans that say the same, whenever they are made.
fn digest(objects: &[Planned]) -> Sha256 {
    let mut context = digest::Context::new(&digest::SHA256);
    for planned in objects {
        let mut planned = planned.clone();
        for change in planned.changes.iter_mut().filter(|change| change.path == DELETED_AT) {
            change.value = None;
        }
        context.update(&serde_json::to_vec(&planned).expect("plain fields"));
        context.update(b"\n");
    }
    let digest: [u8; 32] = context.finish().as_ref().try_into().expect("SHA-256 has 32 bytes");
    digest.into()
}

fn planned(
    Target { kind, name }: Target,
    operation: Option<usize>,
    was: Option<&Record>,
    is: Option<&Record>,
) -> Result<Planned, Rejection> {
    let (old, new) = (shown(kind, &name, was, is)?, shown(kind, &name, is, was)?);
    let is_going = |object: &Value| object.pointer(DELETED_AT).is_some();
    let whole = |op, old, value| vec![Change { op, path: String::new(), old, value }];
    let (action, changes) = match (old, new) {
        (None, None) => (Action::Unchanged, Vec::new()),
        (None, new) => (Action::Create, whole(ChangeOp::Add, None, new)),
        (old, None) => (Action::Delete, whole(ChangeOp::Remove, old, None)),
        (Some(old), Some(new)) => {
            let is_same = was.map(|record| &record.value) == is.map(|record| &record.value);
            let action = match (is_same, !is_going(&old) && is_going(&new)) {
                (true, _) => Action::Unchanged,
                (false, true) => Action::Delete,
                (false, false) => Action::Update,
            };
            (action, difference(&old, &new))
        }
    };
    Ok(Planned { kind, name, action, operation, changes })
}

/// As it is served, without what would be another if it were done. `other` is it before or after.
fn shown(
    kind: KindName,
    name: &Name,
    record: Option<&Record>,
    other: Option<&Record>,
) -> Result<Option<Value>, Rejection> {
    let Some(record) = record else { return Ok(None) };
    let mut value: Value = serde_json::from_slice(&with_version(kind, record))
        .map_err(|error| Rejection::damaged(&object_key(kind, name), &error))?;
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
        metadata.remove("generation");
        if other.is_none() {
            metadata.remove("uid");
            metadata.remove("createdAt");
        }
    }
    let conditions = value.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    for condition in conditions.into_iter().flatten().filter_map(Value::as_object_mut) {
        condition.remove("lastTransitionTime");
    }
    Ok(Some(value))
}
