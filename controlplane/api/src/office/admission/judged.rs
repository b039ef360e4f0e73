//! Whether who asks may do it: judged in the transaction, before anything else is said of the objects.
//!
//! What may not be made by what is there so far is judged again when all operations are done, in case a later one makes
//! the slice, say, that an earlier one's instance lies in.

use std::{any::Any, collections::BTreeSet, sync::Arc};

use access_policy::{Decision, Policy, Refusal, Role, Verb as Right};
use intent_store::{Record, Store};
use jiff::Timestamp;
use xos_model::{Draft, Kind, KindName, Object, RoleBindingSpec, RoleSpec, Scope, SubscriberSpec, UserSpec};

use super::{Admission, Misplaced};
use crate::office::{
    Operation, Rejection, RejectionKind, Target, Verb,
    access::{Asked, Caller, Rights, Subject, decide, forbidden, refused, scopes_of, wider},
    object_key,
    stored::decode,
};

/// Who asks, if it is somebody who may not do everything.
#[derive(Clone)]
pub(in crate::office) struct Judge {
    pub(in crate::office) caller: Arc<Caller>,
    pub(in crate::office) rights: Arc<Rights>,
    pub(in crate::office) store: Store,
}

/// Refused so far.
pub(super) struct Open {
    place: usize,
    right: Right,
    kind: String,
    subject: Subject,
    rejection: Rejection,
}

/// What the operations of one transaction are about, and whom they name: each may give a right to another.
#[derive(Default)]
pub(super) struct Together {
    targets: BTreeSet<Target>,
    named: BTreeSet<Target>,
}

impl Together {
    /// Of who is not judged nothing is noted.
    pub(super) fn of(judge: Option<&Judge>, operations: &[Operation]) -> Self {
        let mut together = Self::default();
        for operation in operations.iter().filter(|_| judge.is_some() && operations.len() > 1) {
            together.targets.insert(operation.target());
            if let Operation::Put { draft, .. } = operation {
                let references = draft.references().into_iter();
                together.named.extend(references.map(|one| Target { kind: one.kind, name: one.name }));
            }
        }
        together
    }

    /// Whether what another operation does could give the right to make this.
    fn may_help(&self, subject: &Subject) -> bool {
        self.named.contains(&subject.target) || subject.homes().iter().any(|home| self.targets.contains(home))
    }
}

/// The part of a subscriber that the household decides.
const FEATURES: &str = "subscribers/features";

impl Admission<'_, '_> {
    pub(super) fn judge_put<K: Kind>(
        &mut self,
        verb: Verb,
        draft: &Draft<K>,
        record: Option<&Record>,
    ) -> Result<(), Rejection> {
        let Some(judge) = self.judge.clone() else { return Ok(()) };
        let name = &draft.metadata.name;
        let old: Option<Object<K>> =
            record.map(|record| decode(&object_key(K::KIND, name), record)).transpose()?;
        let right = match (verb, &old) {
            (Verb::Create, _) | (Verb::Apply, None) => Right::Create,
            (Verb::Patch, _) => Right::Patch,
            (Verb::Update | Verb::Apply, _) => Right::Update,
        };
        if judge.caller.user() == Some(name) && old.as_ref().is_some_and(|old| is_order(old, draft)) {
            return Ok(());
        }
        let owners = old.as_ref().map_or(&[][..], |old| &old.metadata.owner_references);
        let after = Subject::new(name, &draft.spec, owners);
        // Of what is not there, only the name is known; what is to be made lies where it says.
        let before = match &old {
            Some(old) => Some(Subject::of(old)),
            None if right == Right::Create => None,
            None => Some(Subject::named(after.target.clone())),
        };
        let spec: &dyn Any = &draft.spec;
        if let Some(binding) = spec.downcast_ref::<RoleBindingSpec>() {
            return self.judge_binding(&judge, old.is_some().then_some(before).flatten(), binding);
        }
        if let Some(role) = spec.downcast_ref::<RoleSpec>() {
            let index = judge.rights.now(&judge.store);
            let role = Role::from(role);
            settle(index.policy.decide_role(&judge.caller.principal, name, &role, Timestamp::now()))?;
            drop(index);
            self.roles.push((name.clone(), role));
            return Ok(());
        }
        let kind =
            if old.as_ref().is_some_and(|old| is_features(old, draft)) { FEATURES } else { K::KIND.plural() };
        match &before {
            Some(before) => {
                self.require(&judge, right, kind, before, None)?;
                if old.is_some() && before.homes() != after.homes() {
                    // It moves: its own scope goes with it, and allows nothing there.
                    self.require(&judge, right, kind, &after, Some(before))?;
                }
            }
            None => self.require(&judge, right, kind, &after, None)?,
        }
        self.judge_brought(&judge, before.as_ref(), &after)?;
        if let Some(old) = &old
            && let (Some(old), Some(new)) =
                ((&old.spec as &dyn Any).downcast_ref::<UserSpec>(), spec.downcast_ref::<UserSpec>())
            && old.enabled
            && old.ssh_keys != new.ssh_keys
        {
            self.judge_credentials(&after)?;
        }
        Ok(())
    }

    pub(super) fn judge_delete<K: Kind>(
        &mut self,
        target: &Target,
        record: Option<&Record>,
    ) -> Result<(), Rejection> {
        let Some(judge) = self.judge.clone() else { return Ok(()) };
        let subject = match record {
            Some(record) => Subject::of(&decode::<K>(&object_key(K::KIND, &target.name), record)?),
            None => Subject::named(target.clone()),
        };
        self.require(&judge, Right::Delete, K::KIND.plural(), &subject, None)
    }

    /// Whether the caller may make what proves that somebody is this user.
    pub(in crate::office) fn judge_credentials(&self, user: &Subject) -> Result<(), Rejection> {
        let Some(judge) = &self.judge else { return Ok(()) };
        let index = judge.rights.now(&judge.store);
        let scopes = scopes_of(user, self);
        let decision = index.policy.decide_credentials(
            &judge.caller.principal,
            &user.target.name,
            &scopes,
            |scope| wider(scope, self),
            Timestamp::now(),
        );
        settle(decision)
    }

    /// Whether the caller may do this to an object, by what is there so far.
    pub(in crate::office) fn judge_right(&self, right: Right, subject: &Subject) -> Result<(), Rejection> {
        let Some(judge) = &self.judge else { return Ok(()) };
        self.allows(judge, right, subject.target.kind.plural(), subject, None)
    }

    /// Whether the caller may do this to an object that lies there; `beside` is where it was, which does not count.
    fn require(
        &mut self,
        judge: &Judge,
        right: Right,
        kind: &str,
        subject: &Subject,
        beside: Option<&Subject>,
    ) -> Result<(), Rejection> {
        let Err(rejection) = self.allows(judge, right, kind, subject, beside) else { return Ok(()) };
        if !self.is_one_of_several || right != Right::Create {
            return Err(rejection);
        }
        let (place, kind) = (self.place, kind.to_owned());
        self.open.push(Open { place, right, kind, subject: subject.clone(), rejection });
        Ok(())
    }

    fn allows(
        &self,
        judge: &Judge,
        right: Right,
        kind: &str,
        subject: &Subject,
        beside: Option<&Subject>,
    ) -> Result<(), Rejection> {
        let mut scopes = scopes_of(subject, self);
        if let Some(beside) = beside {
            let before: BTreeSet<Scope> = scopes_of(beside, self).into_iter().collect();
            scopes.retain(|scope| *scope == Scope::Office || !before.contains(scope));
        }
        let index = judge.rights.now(&judge.store);
        let name = Some(subject.target.name.as_str());
        let asked = Asked { verb: right, kind, name, scopes: &scopes };
        let now = Timestamp::now();
        match decide(&index.policy, &judge.caller.principal, asked, now) {
            Ok(_) => Ok(()),
            Err(_) => Err(refused(&index.policy, &judge.caller, asked, Some(subject), now)),
        }
    }

    /// What an object newly names lies in its scope then: only who may change it may bring it there.
    fn judge_brought(
        &mut self,
        judge: &Judge,
        before: Option<&Subject>,
        after: &Subject,
    ) -> Result<(), Rejection> {
        let there: BTreeSet<Target> = before.into_iter().flat_map(Subject::brings).collect();
        for target in after.brings().filter(|target| !there.contains(target)) {
            let is_new = self.created.contains(&*object_key(target.kind, &target.name));
            if let Some(subject) = (&*self as &dyn super::super::access::Known).subject(&target)
                && !is_new
            {
                self.allows(judge, Right::Update, target.kind.plural(), &subject, None)?;
            }
        }
        Ok(())
    }

    /// To change a binding is to take one back and to make another.
    fn judge_binding(
        &mut self,
        judge: &Judge,
        before: Option<Subject>,
        binding: &RoleBindingSpec,
    ) -> Result<(), Rejection> {
        if let Some(before) = before {
            self.require(judge, Right::Delete, KindName::RoleBinding.plural(), &before, None)?;
        }
        let scopes = wider(&binding.scope, self);
        let index = judge.rights.now(&judge.store);
        // Roles that this transaction makes can be bound in it.
        let overlay: Option<Policy> = (!self.roles.is_empty()).then(|| {
            let mut policy = index.policy.clone();
            for (name, role) in &self.roles {
                // One that is not taken gives nothing.
                let _: Result<(), _> = policy.put_role(name.clone(), role.clone());
            }
            policy
        });
        let policy = overlay.as_ref().unwrap_or(&index.policy);
        let binding = binding.clone().into();
        settle(policy.decide_binding(&judge.caller.principal, &binding, &scopes, Timestamp::now()))
    }

    /// An operation cannot be done: what of the transaction may not be done comes before that, of those `after` it too.
    pub(super) fn forbidden_of(
        &mut self,
        after: impl Iterator<Item = (usize, Operation)>,
        together: &Together,
        refused: Misplaced,
    ) -> Misplaced {
        let is_forbidden = |rejection: &Rejection| rejection.kind == RejectionKind::Forbidden;
        if self.judge.is_none() || is_forbidden(&refused.rejection) {
            return refused;
        }
        for (operation, asked) in after {
            self.place = operation;
            if let Err(rejection) = self.judge_any(&asked)
                && is_forbidden(&rejection)
            {
                return Misplaced { operation, rejection };
            }
        }
        // Whether a later operation would have given the right is not known of these.
        self.open.retain(|open| !together.may_help(&open.subject));
        self.judge_open().err().unwrap_or(refused)
    }

    /// All operations are done: what was refused so far is judged by where it lies now.
    pub(super) fn judge_open(&mut self) -> Result<(), Misplaced> {
        let Some(judge) = self.judge.clone() else { return Ok(()) };
        for Open { place, right, kind, subject, rejection } in std::mem::take(&mut self.open) {
            if self.allows(&judge, right, &kind, &subject, None).is_err() {
                return Err(Misplaced { operation: place, rejection });
            }
        }
        Ok(())
    }
}

fn settle(decision: Decision) -> Result<(), Rejection> {
    match decision {
        Decision::Allowed(_) => Ok(()),
        Decision::Refused(refusal @ Refusal::UnknownRole(_)) => {
            Err(Rejection::invalid(vec![xos_model::Fault::new("/spec/role", refusal)]))
        }
        Decision::Refused(refusal) => Err(forbidden(refusal)),
    }
}

/// Whether a change is only of what the household decides: which name servers its devices are told.
fn is_features<K: Kind>(old: &Object<K>, draft: &Draft<K>) -> bool {
    is_only(old, draft, |before: &mut SubscriberSpec, after| before.bundle.dns.clone_from(&after.bundle.dns))
}

/// Whether a change is only of the order in which a user sees views: that is everybody's own.
fn is_order<K: Kind>(old: &Object<K>, draft: &Draft<K>) -> bool {
    is_only(old, draft, |before: &mut UserSpec, after| {
        if before.views.iter().collect::<BTreeSet<_>>() == after.views.iter().collect() {
            before.views.clone_from(&after.views);
        }
    })
}

/// Whether nothing but what `take` takes over from the new spec is another.
fn is_only<K: Kind, S: Kind>(old: &Object<K>, draft: &Draft<K>, take: impl FnOnce(&mut S, &S)) -> bool {
    let specs = ((&old.spec as &dyn Any).downcast_ref(), (&draft.spec as &dyn Any).downcast_ref());
    let (Some(before), Some(after)): (Option<&S>, Option<&S>) = specs else { return false };
    let mut before = before.clone();
    take(&mut before, after);
    before == *after
        && old.metadata.labels == draft.metadata.labels
        && old.metadata.finalizers == draft.metadata.finalizers
}
