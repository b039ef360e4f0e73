//! What stored objects of any kind say of where they lie.

use std::collections::BTreeMap;

use intent_store::{Record, Table};
use net_types::Name;
use xos_model::{KindName, for_each_kind};

use super::scopes::{Known, Subject};
use crate::office::{Admission, Target, object_key, stored::decode};

macro_rules! subjects {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        /// `None` for what cannot be read: it then lies in the office only.
        pub(crate) fn subject(kind: KindName, record: &Record) -> Option<Subject> {
            match kind {
                $(KindName::$kind => decode::<xos_model::$spec>($plural, record).map(|object| Subject::of(&object)).ok(),)*
            }
        }
    };
}

for_each_kind!(subjects);

/// As a transaction sees them.
impl Known for Admission<'_, '_> {
    fn subject(&self, target: &Target) -> Option<Subject> {
        match self.txn.get(Table::Objects, &object_key(target.kind, &target.name)) {
            Some(record) => subject(target.kind, &record),
            None if target.kind == KindName::Tenant => {
                subject(target.kind, &self.derived(&target.name)?.record)
            }
            None => None,
        }
    }

    fn chain(&self, stand_ins: &BTreeMap<Name, Name>) -> Vec<Name> {
        let graph = self.scratch.graph();
        graph.map(|graph| graph.services_of(stand_ins).into_iter().cloned().collect()).unwrap_or_default()
    }

    fn brought_by(&self, target: &Target) -> Vec<Target> {
        let brings = |by: &Target| {
            let by = self.subject(by);
            by.is_some_and(|by| by.brings().any(|brought| brought == *target))
        };
        self.referrers(target.kind, &target.name).filter(brings).collect()
    }
}
