//! Objects that go: those that refer to others before those that are referred to.

use std::collections::{BTreeMap, BTreeSet};

use intent_store::{Record, Table};
use xos_model::{KindName, Object};

use super::{Admission, Done, Effect, Managed, Misplaced, check, tenancies::taken};
use crate::office::{Preconditions, Rejection, Target, object_key, stored::decode, synchronized};

impl Admission<'_, '_> {
    pub(super) fn delete<K: Managed>(
        &mut self,
        target: &Target,
        preconditions: &Preconditions,
    ) -> Result<Done, Rejection> {
        let key = object_key(K::KIND, &target.name);
        let record = self.txn.get(Table::Objects, &key);
        let derived = self.derived_as::<K>(&target.name, record.as_ref());
        let seen = derived.as_ref().map(|derived| &derived.record).or(record.as_ref());
        self.judge_delete::<K>(target, seen)?;
        check(K::KIND, &target.name, seen, preconditions)?;
        if let Some(derived) = derived {
            return Err(taken(&derived));
        }
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
        if old.metadata.finalizers.is_empty() && !self.is_held(&old) && !self.is_recorded(&old) {
            return self.remove(&old, record);
        }
        old.metadata.deleted_at = Some(self.now);
        self.condemned.push((self.place, target.clone()));
        Ok(self.store(old, Effect::Deleting))
    }

    fn is_held<K: Managed>(&self, object: &Object<K>) -> bool {
        K::user(self, object).is_some() || self.referrers(K::KIND, object.name()).next().is_some()
    }

    fn is_recorded<K: Managed>(&self, object: &Object<K>) -> bool {
        synchronized::is_recorded(self.txn, K::KIND, object.name())
    }

    fn remove<K: Managed>(&mut self, old: &Object<K>, record: Record) -> Result<Done, Rejection> {
        K::retire(self, old)?;
        K::regraph(self, Some(old), None)?;
        let name = old.name().clone();
        let key = object_key(K::KIND, &name);
        synchronized::forget_all(self.txn, K::KIND, &name);
        let revision = self.txn.delete(Table::Objects, &key);
        self.note_rights(K::KIND, &name);
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
    pub(in crate::office) fn finish(&mut self) -> Result<(), Misplaced> {
        let misplaced = |operation| move |rejection| Misplaced { operation, rejection };
        self.place_machines()?;
        let mut asked = Vec::new();
        // What goes may free what it named.
        while !self.condemned.is_empty() {
            let condemned = std::mem::take(&mut self.condemned);
            let place = condemned.first().map_or(0, |(place, _)| *place);
            // What names before what is named, as far as their kinds say.
            for target in self.free(condemned.iter().map(|(_, target)| target.clone())).into_iter().rev() {
                self.place = place;
                self.remove_any(&target).map_err(misplaced(place))?;
            }
            asked.extend(condemned);
        }
        for (place, target) in asked {
            self.check_condemned_any(&target).map_err(misplaced(place))?;
        }
        self.judge_open()?;
        self.check_references()?;
        self.ask_graph()?;
        self.check_fitting()?;
        self.check_tenancies()
    }

    /// Of what is condemned, and of all that is being deleted and names it: what nothing else names. Objects that name
    /// each other go together.
    fn free(&self, condemned: impl IntoIterator<Item = Target>) -> BTreeSet<Target> {
        let mut named_by = BTreeMap::new();
        let mut open: Vec<_> = condemned.into_iter().collect();
        while let Some(target) = open.pop() {
            if !named_by.contains_key(&target) && self.is_due_any(&target) {
                let referrers: Vec<_> = self.referrers(target.kind, &target.name).collect();
                open.extend(referrers.iter().cloned());
                named_by.insert(target, referrers);
            }
        }
        let mut names = BTreeMap::<_, Vec<_>>::new();
        let mut stays = Vec::new();
        for (target, referrers) in &named_by {
            for referrer in referrers {
                names.entry(referrer).or_default().push(target);
                if !named_by.contains_key(referrer) {
                    stays.push(target);
                }
            }
        }
        let mut free: BTreeSet<_> = named_by.keys().cloned().collect();
        while let Some(held) = stays.pop() {
            if free.remove(held) {
                stays.extend(names.get(held).into_iter().flatten().copied());
            }
        }
        free
    }

    /// Whether an object is only there still because others name it.
    pub(super) fn is_due<K: Managed>(&self, target: &Target) -> bool {
        let key = object_key(K::KIND, &target.name);
        let Some(record) = self.txn.get(Table::Objects, &key) else { return false };
        decode::<K>(&key, &record).is_ok_and(|object| {
            object.metadata.deleted_at.is_some()
                && object.metadata.finalizers.is_empty()
                && K::user(self, &object).is_none()
                && !self.is_recorded(&object)
        })
    }

    pub(super) fn remove_due<K: Managed>(&mut self, target: &Target) -> Result<(), Rejection> {
        let key = object_key(K::KIND, &target.name);
        let Some(record) = self.txn.get(Table::Objects, &key) else { return Ok(()) };
        let object: Object<K> = decode(&key, &record)?;
        self.remove(&object, record).map(drop)
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
