//! References, known from both ends: an object names others, and those know by whom they are named.

use intent_store::Table;
use net_types::Name;
use serde::Deserialize;
use xos_model::{Fault, Kind, KindName, Object, Reference};

use super::{Admission, Misplaced};
use crate::office::{Rejection, Target, object_key};

/// Only whether an object is being deleted.
#[derive(Deserialize)]
struct Deletion {
    metadata: DeletionMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeletionMetadata {
    #[serde(default)]
    deleted_at: Option<serde::de::IgnoredAny>,
}

/// What the keys of all that refer to an object begin with; the rest is the referrer's own key.
pub(in crate::office) fn referrers_of(kind: KindName, name: &Name) -> String {
    format!("ref/{}/{name}/", kind.plural())
}

pub(super) fn claim<K: Kind>(referrer: &Name, reference: &Reference) -> String {
    referrers_of(reference.kind, &reference.name) + &object_key(K::KIND, referrer)
}

impl Admission<'_, '_> {
    /// Notes whom `new` names, and no longer names.
    pub(super) fn refer<K: Kind>(&mut self, old: Option<&Object<K>>, new: &Object<K>) {
        let before = old.map(|old| old.spec.references()).unwrap_or_default();
        let after = new.spec.references();
        let names = |all: &[Reference], one: &Reference| {
            all.iter().any(|other| (other.kind, &other.name) == (one.kind, &one.name))
        };
        for gone in before.iter().filter(|one| !names(&after, one)) {
            self.txn.delete(Table::Claims, &claim::<K>(new.name(), gone));
            let target = Target { kind: gone.kind, name: gone.name.clone() };
            if self.is_deleting(&target) {
                self.condemned.push((self.place, target));
            }
        }
        for reference in after {
            if !names(&before, &reference) {
                let key = claim::<K>(new.name(), &reference);
                self.txn.put(Table::Claims, key, new.name().as_str().as_bytes());
                self.referred.push((self.place, reference));
            }
        }
    }

    /// An object is gone, and names nobody any more: whom it named.
    pub(super) fn unrefer<K: Kind>(&mut self, old: &Object<K>) -> Vec<Target> {
        let references = old.spec.references();
        for reference in &references {
            self.txn.delete(Table::Claims, &claim::<K>(old.name(), reference));
        }
        references.into_iter().map(|Reference { kind, name, .. }| Target { kind, name }).collect()
    }

    pub(in crate::office) fn referrers(&self, kind: KindName, name: &Name) -> impl Iterator<Item = Target> {
        let prefix = referrers_of(kind, name);
        let keys = self.txn.prefixed(Table::Claims, &prefix).map(|(key, _)| key).collect::<Vec<_>>();
        keys.into_iter().filter_map(move |key| {
            let (plural, name) = key.strip_prefix(&prefix)?.split_once('/')?;
            Some(Target { kind: KindName::from_plural(plural)?, name: name.parse().ok()? })
        })
    }

    pub(super) fn is_deleting(&self, target: &Target) -> bool {
        let record = self.txn.get(Table::Objects, &object_key(target.kind, &target.name));
        record.is_some_and(|record| {
            serde_json::from_slice::<Deletion>(&record.value)
                .is_ok_and(|object| object.metadata.deleted_at.is_some())
        })
    }

    /// Every new reference names what there is and stays.
    pub(super) fn check_references(&mut self) -> Result<(), Misplaced> {
        for (operation, Reference { pointer, kind, name }) in std::mem::take(&mut self.referred) {
            if kind == KindName::Role && access_policy::is_built_in(&name) {
                continue;
            }
            let mut target = Target { kind, name };
            let mut there = self.txn.contains(Table::Objects, &object_key(kind, &target.name));
            if !there
                && kind == KindName::Tenant
                && let Some(derived) = self.derived(&target.name)
            {
                // It is there as long as its subscriber is.
                (there, target) = (true, Target { kind: KindName::Subscriber, name: derived.subscriber });
            }
            let rejection = if !there {
                Rejection::invalid(vec![Fault::new(pointer, format!("there is no {kind} {}", target.name))])
            } else if self.is_deleting(&target) {
                Rejection::conflict(pointer, format!("{} {} is being deleted", target.kind, target.name))
            } else {
                continue;
            };
            return Err(Misplaced { operation, rejection });
        }
        Ok(())
    }
}
