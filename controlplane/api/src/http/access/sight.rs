//! What of a kind somebody may see.

use std::collections::BTreeSet;

use access_policy::{Expiry, Scope, Verb};
use intent_store::Record;
use jiff::Timestamp;
use xos_model::KindName;

use super::{super::problem::Problem, Access};
use crate::office::{Asked, Target, subject};

/// The scopes in which objects of a kind may be listed, or watched.
#[derive(Clone, Debug)]
pub(in crate::http) struct Sight {
    access: Access,
    verb: Verb,
    kind: KindName,
    /// `None` for all objects.
    scopes: Option<BTreeSet<Scope>>,
}

impl Access {
    /// Refused, if nothing of the kind may be seen.
    pub(in crate::http) fn sight(&self, verb: Verb, kind: KindName) -> Result<Sight, Problem> {
        let scopes = self.seen(verb, kind)?;
        Ok(Sight { access: self.clone(), verb, kind, scopes })
    }

    fn seen(&self, verb: Verb, kind: KindName) -> Result<Option<BTreeSet<Scope>>, Problem> {
        let Some(user) = self.caller.user() else { return Ok(None) };
        let scopes = self.office.rights().policy.scopes_of(user, verb, kind.plural(), Timestamp::now());
        if scopes.contains(&Scope::Office) {
            return Ok(None);
        }
        if scopes.is_empty() {
            let everywhere = [Scope::Office];
            self.judge(Asked { verb, kind: kind.plural(), name: None, scopes: &everywhere }, None)?;
        }
        Ok(Some(scopes))
    }
}

impl Sight {
    pub(in crate::http) fn sees(&self, record: &Record) -> bool {
        let Some(seen) = &self.scopes else { return true };
        let Some(subject) = subject(self.kind, record) else { return false };
        self.access.scopes(&subject).iter().any(|scope| seen.contains(scope))
    }

    /// The same of what followed from a subscriber when that was so.
    pub(in crate::http) fn sees_of(&self, record: &Record, subscriber: &Record) -> bool {
        let Some(seen) = &self.scopes else { return true };
        let Some(subject) = subject(self.kind, record) else { return false };
        let scopes = self.access.scopes_beside(&subject, KindName::Subscriber, subscriber);
        scopes.iter().any(|scope| seen.contains(scope))
    }

    /// Whether all that could be seen at first still may, and nothing else.
    pub(in crate::http) fn check(&self) -> Result<(), Problem> {
        if self.access.seen(self.verb, self.kind)? == self.scopes {
            Ok(())
        } else {
            Err(Problem::rights_changed())
        }
    }

    /// Greater after every change of what anybody may see.
    pub(in crate::http) fn version(&self) -> u64 {
        self.access.office.rights().version
    }

    /// Whether all objects of the kind are seen, wherever they lie.
    pub(in crate::http) fn sees_all(&self) -> bool {
        self.scopes.is_none()
    }

    pub(in crate::http) fn check_token(&self) -> Result<(), Problem> {
        self.access.check_token()
    }

    /// When something of it ends by itself, at the earliest.
    pub(in crate::http) fn until(&self) -> Option<Timestamp> {
        self.access.caller.user()?;
        let rights = self.access.office.rights();
        let held = rights.policy.can_i(&self.access.caller.principal, Timestamp::now());
        let ends = held.iter().filter_map(|permission| match permission.expires_at {
            Expiry::At(end) => Some(end),
            Expiry::Never => None,
        });
        ends.chain(self.access.caller.until).min()
    }

    /// Whether only a part of the objects may be seen.
    pub(in crate::http) fn is_narrow(&self) -> bool {
        self.scopes.is_some()
    }

    /// Whether a change of another object may have moved some of these in or out of sight, without a change of theirs.
    pub(in crate::http) fn is_moved_by(
        &self,
        key: &str,
        before: Option<&Record>,
        now: Option<&Record>,
    ) -> bool {
        if self.scopes.is_none() {
            return false;
        }
        let around =
            [KindName::Node, KindName::Slice, KindName::Deployment, KindName::Service, KindName::Controller];
        let more: &[KindName] = match self.kind {
            KindName::Tenant => &[KindName::Subscriber],
            KindName::RoleBinding => &[KindName::Subscriber, KindName::Tenant],
            _ => &[],
        };
        let kind = key.split('/').next().and_then(KindName::from_plural);
        let is_around = |kind: &KindName| around.contains(kind) || more.contains(kind);
        let Some(kind) = kind.filter(|kind| is_around(kind) && *kind != self.kind) else { return false };
        // A subscriber's tenancies lie where its node does, and a binding over one, too.
        let counts = |home: &Target| kind != KindName::Subscriber || home.kind == KindName::Node;
        let place = |record: Option<&Record>| {
            let subject = subject(kind, record?)?;
            let homes: BTreeSet<_> = subject.homes().into_iter().filter(counts).collect();
            Some((homes, subject.brings().collect::<Vec<_>>()))
        };
        // What is new has nothing in it yet, and what goes nothing any more.
        match (place(before), place(now)) {
            (Some(before), Some(now)) => before != now,
            (None, Some((_, brings))) | (Some((_, brings)), None) => !brings.is_empty(),
            (None, None) => false,
        }
    }
}
