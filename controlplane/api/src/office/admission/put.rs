//! Objects that are made or changed.

use intent_store::{Record, Table};
use xos_model::{Draft, Fault, Metadata, Object};

use super::{Admission, Done, Effect, Managed, check, new_uid, tenancies::taken};
use crate::office::{Preconditions, Rejection, Target, Verb, object_key, stored::decode};

impl Admission<'_, '_> {
    pub(super) fn put<K: Managed>(
        &mut self,
        verb: Verb,
        draft: Draft<K>,
        preconditions: &Preconditions,
    ) -> Result<Done, Rejection> {
        let name = draft.metadata.name.clone();
        let record = self.txn.get(Table::Objects, &object_key(K::KIND, &name));
        let derived = self.derived_as::<K>(&name, record.as_ref());
        let seen = derived.as_ref().map(|derived| &derived.record).or(record.as_ref());
        self.judge_put(verb, &draft, seen)?;
        check(K::KIND, &name, seen, preconditions)?;
        if let Some(derived) = derived {
            return Err(taken(&derived));
        }
        match record {
            None if matches!(verb, Verb::Update | Verb::Patch) => {
                Err(Rejection::not_found(K::KIND, name.as_str()))
            }
            None => self.create(draft),
            Some(_) if verb == Verb::Create => {
                let detail = format!("there is a {} {name} already", K::KIND);
                Err(Rejection::conflict("/metadata/name", detail))
            }
            Some(record) => self.update(draft, record, preconditions),
        }
    }

    fn create<K: Managed>(&mut self, draft: Draft<K>) -> Result<Done, Rejection> {
        let metadata = Metadata {
            uid: Some(new_uid()),
            generation: Some(1),
            labels: draft.metadata.labels,
            finalizers: draft.metadata.finalizers,
            adopted: draft.metadata.adopted,
            created_at: Some(self.now),
            ..Metadata::named(draft.metadata.name)
        };
        let mut object = Object { kind: K::KIND, metadata, spec: draft.spec, status: K::Status::default() };
        self.refer(None, &object);
        self.note_fitting(object.name(), None, &object.spec);
        K::admit(self, None, &mut object)?;
        K::regraph(self, None, Some(&object))?;
        Ok(self.store(object, Effect::Created))
    }

    fn update<K: Managed>(
        &mut self,
        draft: Draft<K>,
        record: Record,
        preconditions: &Preconditions,
    ) -> Result<Done, Rejection> {
        let name = draft.metadata.name;
        let old: Object<K> = decode(&object_key(K::KIND, &name), &record)?;
        if preconditions.uid.is_some() && preconditions.uid != old.metadata.uid {
            let detail = format!("this {} {name} is another one, made since", K::KIND);
            return Err(Rejection::conflict("/metadata/uid", detail));
        }
        if draft.metadata.adopted != old.metadata.adopted {
            let detail = "said when an object is made: delete it, and make it anew";
            return Err(Rejection::invalid(vec![Fault::new("/metadata/adopted", detail)]));
        }
        let spec = K::resolve(self, &old, draft.spec)?;
        let respecified = spec != old.spec;
        let unchanged = !respecified
            && draft.metadata.labels == old.metadata.labels
            && draft.metadata.finalizers == old.metadata.finalizers;
        if unchanged {
            return Ok(Done { effect: Effect::Unchanged, kind: K::KIND, name, record });
        }
        let mut new = old.clone();
        new.spec = spec;
        new.metadata.labels = draft.metadata.labels;
        new.metadata.finalizers = draft.metadata.finalizers;
        if old.metadata.deleted_at.is_some() {
            if respecified {
                return Err(Rejection::conflict("/spec", format!("{} {name} is being deleted", K::KIND)));
            }
            if new.metadata.finalizers.is_empty() {
                self.condemned.push((self.place, Target { kind: K::KIND, name }));
                return Ok(self.store(new, Effect::Deleting));
            }
        }
        if respecified {
            new.metadata.generation = old.metadata.generation.map(|generation| generation + 1);
            self.refer(Some(&old), &new);
            self.note_fitting(&name, Some(&old.spec), &new.spec);
            K::admit(self, Some(&old), &mut new)?;
            K::regraph(self, Some(&old), Some(&new))?;
        }
        Ok(self.store(new, Effect::Configured))
    }
}
