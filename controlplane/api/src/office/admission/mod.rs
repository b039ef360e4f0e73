//! What any change of an object goes through, in the transaction that makes it.
//!
//! ```text
//! run_all: each operation ─► put │ delete ─► the kind's own rules (Managed) ─► claims of references
//!          at the end ─► machines get their nodes ─► what was condemned goes if nothing holds it ─► every reference is kept, or all is refused
//! ```
//!
//! References are judged when all operations have been done: their order does not matter to them.

mod delete;
mod fitting;
mod graphed;
mod judged;
mod lookups;
mod placed;
mod put;
mod references;
mod tenancies;

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use credentials::Keyring;
use intent_store::{Key, Record, Table, Transaction};
use jiff::Timestamp;
use net_types::Name;
use xos_model::{Condition, ConditionStatus, Kind, KindName, Object, Reference, for_each_kind};

use super::{
    Draft, Operation, Preconditions, Rejection, Target, Verb, access, audit::Trail, controller::BackEnds,
    object_key, scratch::Scratch, stored::encode,
};

pub(super) use judged::Judge;
pub(super) use lookups::holder;
pub(super) use references::referrers_of;

/// A transaction under the office's rules.
pub(crate) struct Admission<'a, 't> {
    pub(crate) txn: &'a mut Transaction<'t>,
    pub(super) scratch: &'a mut Scratch,
    keyring: Option<&'a Keyring>,
    pub(super) back_ends: Option<&'a BackEnds>,
    pub(crate) now: Timestamp,
    /// Which operation is being done.
    place: usize,
    /// References that are new, to be judged at the end.
    referred: Vec<(usize, Reference)>,
    /// What is to go when nothing refers to it any more.
    condemned: Vec<(usize, Target)>,
    /// What went after its operation was done.
    gone: HashSet<Key>,
    /// What the tenancy graph is to be asked at the end.
    questions: Vec<(usize, graphed::Question)>,
    /// Machines that are to get their nodes at the end.
    placing: Vec<placed::Placing>,
    /// Those that got another then, or their first.
    placed: BTreeSet<Name>,
    /// What is to fit at the end.
    fitting: fitting::Fitting,
    /// What the tenancies of subscribers are to be asked at the end.
    followed: tenancies::Followed,
    /// Who asks, unless it may do everything.
    pub(super) judge: Option<Judge>,
    is_one_of_several: bool,
    /// What the caller may not do by what is there so far.
    open: Vec<judged::Open>,
    /// Roles that the caller has written.
    roles: Vec<(Name, access_policy::Role)>,
    /// What a caller who is judged has made.
    created: HashSet<Key>,
    /// What decisions are made from, and was written.
    pub(super) rights: Vec<Target>,
    /// What chains follow from, and was written.
    pub(super) steering: Vec<Target>,
    /// What is told of it.
    pub(super) trail: Option<Trail>,
    /// There are new events.
    pub(super) eventful: bool,
}

/// Kinds that are judged by the tenancy graph, or by the tenancies that follow from it.
const NEEDS_GRAPH: [KindName; 7] = [
    KindName::Service,
    KindName::Tenant,
    KindName::Slice,
    KindName::Network,
    KindName::Instance,
    KindName::Subscriber,
    KindName::RoleBinding,
];

/// What became of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) effect: Effect,
    pub(crate) kind: KindName,
    pub(crate) name: Name,
    /// The object after it; before it, if it was deleted.
    pub(crate) record: Record,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Created,
    Configured,
    Unchanged,
    Deleted,
    /// It goes when its last finalizer is gone, and all that refers to it.
    Deleting,
}

/// A rejection, and which of several operations it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misplaced {
    pub(crate) operation: usize,
    pub(crate) rejection: Rejection,
}

/// What the condition `Ready` says.
pub(super) struct Ready {
    pub(super) status: ConditionStatus,
    pub(super) reason: String,
    pub(super) message: String,
}

/// What a kind adds to the rules that hold for all.
pub(super) trait Managed: Kind {
    /// Judges `new` against the other objects, completes its status, and makes all that follows from it.
    fn admit(
        _admission: &mut Admission<'_, '_>,
        _old: Option<&Object<Self>>,
        _new: &mut Object<Self>,
    ) -> Result<(), Rejection> {
        Ok(())
    }

    /// What a spec that was sent comes to, given the stored one that it is to replace.
    fn resolve(_admission: &Admission<'_, '_>, _old: &Object<Self>, sent: Self) -> Result<Self, Rejection> {
        Ok(sent)
    }

    /// Who needs the object without naming it in a reference.
    fn user(_admission: &Admission<'_, '_>, _old: &Object<Self>) -> Option<(KindName, Name)> {
        None
    }

    /// Keeps the tenancy graph in step, for the kinds that it is made of.
    fn regraph(
        _admission: &mut Admission<'_, '_>,
        _old: Option<&Object<Self>>,
        _new: Option<&Object<Self>>,
    ) -> Result<(), Rejection> {
        Ok(())
    }

    /// What `Ready` says, given what the synchronizer says; `None` where somebody else writes it.
    fn ready(_object: &Object<Self>, synced: &Condition) -> Option<Ready> {
        let Condition { status, reason, message, .. } = synced.clone();
        Some(Ready { status, reason, message })
    }

    /// Its back end has it as it is now, and says what it made of it.
    fn made(_object: &mut Object<Self>, _digest: u64) {}

    /// Takes back all that followed from the object.
    fn retire(_admission: &mut Admission<'_, '_>, _old: &Object<Self>) -> Result<(), Rejection> {
        Ok(())
    }
}

macro_rules! dispatch {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        impl Admission<'_, '_> {
            fn put_any(
                &mut self,
                verb: Verb,
                draft: Draft,
                preconditions: &Preconditions,
            ) -> Result<Done, Rejection> {
                match draft {
                    $(Draft::$kind(draft) => self.put(verb, draft, preconditions),)*
                }
            }

            fn delete_any(
                &mut self,
                target: &Target,
                preconditions: &Preconditions,
            ) -> Result<Done, Rejection> {
                match target.kind {
                    $(KindName::$kind => self.delete::<xos_model::$spec>(target, preconditions),)*
                }
            }

            /// Whether who asks may do it, by what is there now.
            fn judge_any(&mut self, operation: &Operation) -> Result<(), Rejection> {
                let Target { kind, name } = operation.target();
                let record = self.txn.get(Table::Objects, &object_key(kind, &name));
                match operation {
                    Operation::Put { verb, draft, .. } => match &**draft {
                        $(Draft::$kind(draft) => self.judge_put(*verb, draft, record.as_ref()),)*
                    },
                    Operation::Delete { target, .. } => match target.kind {
                        $(KindName::$kind => {
                            self.judge_delete::<xos_model::$spec>(target, record.as_ref())
                        })*
                    },
                }
            }

            fn is_due_any(&self, target: &Target) -> bool {
                match target.kind {
                    $(KindName::$kind => self.is_due::<xos_model::$spec>(target),)*
                }
            }

            fn remove_any(&mut self, target: &Target) -> Result<(), Rejection> {
                match target.kind {
                    $(KindName::$kind => self.remove_due::<xos_model::$spec>(target),)*
                }
            }

            fn check_condemned_any(&mut self, target: &Target) -> Result<(), Rejection> {
                match target.kind {
                    $(KindName::$kind => self.check_condemned::<xos_model::$spec>(target),)*
                }
            }
        }
    };
}

for_each_kind!(dispatch);

impl<'a, 't> Admission<'a, 't> {
    pub(super) fn new(
        txn: &'a mut Transaction<'t>,
        scratch: &'a mut Scratch,
        keyring: Option<&'a Keyring>,
        now: Timestamp,
    ) -> Self {
        let (referred, condemned, gone, questions) = Default::default();
        let (open, roles, created, rights, steering) = Default::default();
        let (followed, fitting, placing, placed) = Default::default();
        Self {
            txn,
            scratch,
            keyring,
            back_ends: None,
            now,
            place: 0,
            referred,
            condemned,
            gone,
            questions,
            placing,
            placed,
            fitting,
            followed,
            judge: None,
            is_one_of_several: false,
            open,
            roles,
            created,
            rights,
            steering,
            trail: None,
            eventful: false,
        }
    }

    /// What secrets are sealed with. Fail closed: nothing secret is written in the clear.
    pub(super) fn keyring(&self) -> Result<&'a Keyring, Rejection> {
        let none = || Rejection::conflict("/spec", "this controller has no key to seal secrets with");
        self.keyring.ok_or_else(none)
    }

    /// The object is to go when nothing holds it: see [`Self::finish`].
    pub(super) fn condemn(&mut self, target: Target) {
        self.condemned.push((self.place, target));
    }

    /// Does all operations; what one of them leaves open is settled after the last.
    pub(crate) fn run_all(&mut self, operations: Vec<Operation>) -> Result<Vec<Done>, Misplaced> {
        let mut all = Vec::with_capacity(operations.len());
        self.is_one_of_several = operations.len() > 1;
        let together = judged::Together::of(self.judge.as_ref(), &operations);
        let mut operations = operations.into_iter().enumerate();
        while let Some((place, operation)) = operations.next() {
            self.place = place;
            match self.run(operation) {
                Ok(done) => all.push(done),
                Err(rejection) => {
                    let refused = Misplaced { operation: place, rejection };
                    return Err(self.forbidden_of(operations, &together, refused));
                }
            }
        }
        self.finish()?;
        self.show_placed(&mut all);
        for done in &mut all {
            if done.effect == Effect::Deleting && self.gone.contains(&*object_key(done.kind, &done.name)) {
                done.effect = Effect::Deleted;
            }
        }
        Ok(all)
    }

    fn run(&mut self, operation: Operation) -> Result<Done, Rejection> {
        let kind = match &operation {
            Operation::Put { draft, .. } => draft.kind(),
            Operation::Delete { target, .. } => target.kind,
        };
        if NEEDS_GRAPH.contains(&kind) {
            self.know_graph()?;
        }
        let before = self.before(&operation);
        let done = match operation {
            Operation::Put { verb, draft, preconditions } => self.put_any(verb, *draft, &preconditions),
            Operation::Delete { target, preconditions } => self.delete_any(&target, &preconditions),
        }?;
        self.tell(&done, before);
        Ok(done)
    }

    pub(super) fn store<K: Kind>(&mut self, mut object: Object<K>, effect: Effect) -> Done {
        self.note_ground(&object);
        let value: Arc<[u8]> = encode(&mut object).into();
        let name = object.metadata.name;
        let key = object_key(K::KIND, &name);
        if self.judge.is_some() && effect == Effect::Created {
            self.created.insert(key.as_str().into());
        }
        self.note_rights(K::KIND, &name);
        let revision = self.txn.put(Table::Objects, key, value.clone());
        Done { effect, kind: K::KIND, name, record: Record { revision, value } }
    }
}

impl Admission<'_, '_> {
    /// Decisions are made from some kinds of objects, and chains follow from some: they are told what has changed.
    fn note_rights(&mut self, kind: KindName, name: &Name) {
        if access::matters(kind) {
            self.rights.push(Target { kind, name: name.clone() });
        }
        if super::tenancies::matters(kind) {
            self.steering.push(Target { kind, name: name.clone() });
        }
    }
}

pub(super) fn new_uid() -> String {
    uuid::Uuid::new_v4().to_string()
}

fn check(
    kind: KindName,
    name: &Name,
    current: Option<&Record>,
    preconditions: &Preconditions,
) -> Result<(), Rejection> {
    let revision = current.map(|record| record.revision);
    if let Some(wanted) = &preconditions.if_match
        && !revision.is_some_and(|revision| wanted.holds(revision))
    {
        let is = revision.map_or("does not exist".into(), |revision| format!("has revision {revision}"));
        return Err(Rejection::precondition(format!("{kind} {name} {is}, not one that If-Match names")));
    }
    if let Some(unwanted) = &preconditions.if_none_match
        && let Some(revision) = revision
        && unwanted.holds(revision)
    {
        let detail = format!("{kind} {name} has revision {revision}, which If-None-Match excludes");
        return Err(Rejection::precondition(detail));
    }
    if let Some(seen) = preconditions.resource_version
        && revision != Some(seen)
    {
        let is =
            revision.map_or("does not exist".into(), |revision| format!("has revision {revision} by now"));
        return Err(Rejection::conflict("/metadata/resourceVersion", format!("{kind} {name} {is}")));
    }
    Ok(())
}
