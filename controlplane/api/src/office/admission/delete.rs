//! Objects that go: those that refer to others before those that are referred to.

use intent_store::{Record, Table};
use xos_model::{KindName, Object};

use super::{Admission, Done, Effect, Managed, Misplaced, check};
use crate::office::{Preconditions, Rejection, Target, object_key, stored::decode};

impl Admission<'_, '_> {
    pub(super) fn delete<K: Managed>(
        &mut self,
        target: &Target,
        preconditions: &Preconditions,
    ) -> Result<Done, Rejection> {
        let key = object_key(K::KIND, &target.name);
        let record = self.txn.get(Table::Objects, &key);
        check(K::KIND, &target.name, record.as_ref(), preconditions)?;
        let record = record.ok_or_else(|| Rejection::not_found(K::KIND, target.name.as_str()))?;
        let mut old: Object<K> = decode(&key, &record)?;
        if preconditions.uid.is_some() && preconditions.uid != old.metadata.uid {
            let detail = format!("this {} {} is another one, made since", K::KIND, target.name);
            return Err(Rejection::conflict("/metadata/uid", detail));
        }
        if old.metadata.deleted_at.is_some() {
            let name = target.name.clone();
            return Ok(Done { effect: Effect::Unchanged, kind: K::KIND, name, record });
        }
        if old.metadata.finalizers.is_empty() && !self.is_held(&old) {
            return self.remove(&old, record);
        }
        old.metadata.deleted_at = Some(self.now);
        self.condemned.push((self.place, target.clone()));
        Ok(self.store(old, Effect::Deleting))
    }

    fn is_held<K: Managed>(&self, object: &Object<K>) -> bool {
        K::user(self, object).is_some() || self.referrers(K::KIND, object.name()).next().is_some()
    }

    fn remove<K: Managed>(&mut self, old: &Object<K>, record: Record) -> Result<Done, Rejection> {
        K::retire(self, old)?;
        let name = old.name().clone();
        let key = object_key(K::KIND, &name);
        let revision = self.txn.delete(Table::Objects, &key);
        self.gone.insert(key.into());
        for freed in self.unrefer(old) {
            if self.is_deleting(&freed) {
                self.condemned.push((self.place, freed));
            }
        }
        let record = Record { revision: revision.unwrap_or(record.revision), value: record.value };
        Ok(Done { effect: Effect::Deleted, kind: K::KIND, name, record })
    }

    /// All operations are done: what can go goes, what must stay must be allowed to, and references must hold.
    pub(super) fn finish(&mut self) -> Result<(), Misplaced> {
        let misplaced = |operation| move |rejection| Misplaced { operation, rejection };
        let mut asked = Vec::new();
        // What goes may free what comes after it on the list.
        while let Some((place, target)) = self.condemned.pop() {
            self.place = place;
            self.settle_any(&target).map_err(misplaced(place))?;
            asked.push((place, target));
        }
        for (place, target) in asked {
            self.check_condemned_any(&target).map_err(misplaced(place))?;
        }
        self.check_references()
    }

    /// Removes what is being deleted, if nothing holds it any more.
    pub(super) fn settle<K: Managed>(&mut self, target: &Target) -> Result<(), Rejection> {
        let key = object_key(K::KIND, &target.name);
        let Some(record) = self.txn.get(Table::Objects, &key) else { return Ok(()) };
        let object: Object<K> = decode(&key, &record)?;
        let is_due = object.metadata.deleted_at.is_some() && object.metadata.finalizers.is_empty();
        if is_due && !self.is_held(&object) {
            self.remove(&object, record)?;
        }
        Ok(())
    }

    /// What is being deleted may wait for what is being deleted too, and for nothing else.
    pub(super) fn check_condemned<K: Managed>(&mut self, target: &Target) -> Result<(), Rejection> {
        let key = object_key(K::KIND, &target.name);
        let Some(record) = self.txn.get(Table::Objects, &key) else { return Ok(()) };
        let object: Object<K> = decode(&key, &record)?;
        let staying = self.referrers(K::KIND, &target.name).find(|referrer| !self.is_deleting(referrer));
        let staying = staying.map(|referrer| (referrer.kind, referrer.name));
        match K::user(self, &object).or(staying) {
            Some((kind, name)) => Err(in_use(K::KIND, target, kind, &name)),
            None => Ok(()),
        }
    }
}

fn in_use(kind: KindName, target: &Target, user: KindName, name: &net_types::Name) -> Rejection {
    Rejection::conflict("/metadata/name", format!("{kind} {} is in use by {user} {name}", target.name))
}
