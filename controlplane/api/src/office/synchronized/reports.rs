//! What the synchronizer says of an object, written into its status.

use jiff::Timestamp;
use synchronizer::{DEPENDENCY_NOT_READY, Report, SYNCED, Write};
use xos_model::{
    Condition, ConditionStatus, KindName, Object, Observed as _, READY, for_each_kind, set_condition,
};

use super::{kind_of, records};
use crate::office::{
    Admission, Effect, Office, Rejection, Target,
    admission::{Managed, Ready},
    events::{Event, Severity},
    read_object,
};

macro_rules! dispatch {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        impl Admission<'_, '_> {
            pub(super) fn report_any(&mut self, report: &Report) -> Result<(), Rejection> {
                match kind_of(&report.key) {
                    $(Some(KindName::$kind) => self.report::<xos_model::$spec>(report),)*
                    None => Ok(()),
                }
            }
        }

        impl Office {
            /// Whether a write would change anything, as far as can be seen before its turn.
            pub(super) fn is_news(&self, write: &Write) -> bool {
                let Write::Status(report) = write else { return true };
                match kind_of(&report.key) {
                    $(Some(KindName::$kind) => self.is_news_of::<xos_model::$spec>(report),)*
                    None => false,
                }
            }
        }
    };
}

for_each_kind!(dispatch);

impl Office {
    fn is_news_of<K: Managed>(&self, report: &Report) -> bool {
        let Some(mut object) = read_object::<K>(&self.store, &report.key.name) else { return false };
        let known = records::errors(&self.store, &report.key).unwrap_or_default();
        is_of(&object, report)
            && (report.released
                || known != report.errors
                || (synced(report).is_some() && records::has_failed(&self.store, K::KIND, &report.key.name))
                || write(&mut object, report, crate::office::now()))
    }
}

impl Admission<'_, '_> {
    fn report<K: Managed>(&mut self, report: &Report) -> Result<(), Rejection> {
        let Some(mut object) = self.load::<K>(&report.key.name)? else { return Ok(()) };
        if !is_of(&object, report) {
            return Ok(());
        }
        if report.released && object.metadata.deleted_at.is_some() {
            self.condemn(Target { kind: K::KIND, name: report.key.name.clone() });
            return Ok(());
        }
        let before = self.keep_errors(K::KIND, &report.key.name, &report.errors);
        let about = (K::KIND, report.key.name.as_str());
        for error in report.errors.iter().filter(|error| !before.contains(error)) {
            let event = Event::new(about, Severity::Warning, ("Failed", &error.message), error.at);
            let (back_end, attempt) = (Some(error.back_end.clone()), Some(error.attempt));
            self.happened(&Event { back_end, attempt, ..event });
            self.note_failure(K::KIND, &report.key.name);
        }
        // Of whatever generation: what failed last has been taken.
        if let Some(synced) = synced(report)
            && self.note_recovery(K::KIND, &report.key.name)
        {
            self.happened(&Event::new(about, Severity::Normal, ("Recovered", &synced.message), self.now));
        }
        if write(&mut object, report, self.now) {
            self.store(object, Effect::Configured);
        }
        Ok(())
    }
}

/// What says that every back end has the object, if they have.
fn synced(report: &Report) -> Option<&Condition> {
    let is = |condition: &&Condition| condition.kind == SYNCED && condition.status == ConditionStatus::True;
    report.conditions.iter().find(is)
}

fn is_of<K: Managed>(object: &Object<K>, report: &Report) -> bool {
    object.metadata.uid.as_deref() == Some(&*report.uid)
}

/// Says whether the status is another now. What is about an older generation says nothing of this one.
fn write<K: Managed>(object: &mut Object<K>, report: &Report, now: Timestamp) -> bool {
    if object.metadata.generation != Some(report.generation) || !report.enacted {
        return false;
    }
    let mut conditions = object.status.conditions().to_vec();
    for condition in &report.conditions {
        if condition.kind == SYNCED {
            if let Some(Ready { status, reason, message }) = K::ready(object, condition) {
                set_condition(&mut conditions, READY, status, &reason, &message, now);
            }
        } else if condition.status == ConditionStatus::True {
            let (reason, message) = (&condition.reason, &condition.message);
            set_condition(&mut conditions, &condition.kind, condition.status, reason, message, now);
        } else if condition.kind == DEPENDENCY_NOT_READY {
            // Only trouble is worth a word.
            conditions.retain(|known| known.kind != DEPENDENCY_NOT_READY);
        }
    }
    let observed = std::mem::replace(object.status.observed_generation_mut(), report.generation);
    let news = conditions != object.status.conditions() || observed != report.generation;
    *object.status.conditions_mut() = conditions;
    news
}
