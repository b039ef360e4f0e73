//! What whoever asks may do, for the handlers.

pub(super) mod audit;
pub(super) mod login;
pub(super) mod refusals;
pub(super) mod review;
mod sight;
pub(super) mod tokens;

use std::{fmt, sync::Arc};

use access_policy::{Scope, Verb};
use intent_store::Record;
use jiff::Timestamp;
use xos_model::KindName;

use super::problem::Problem;
use crate::office::{
    Asked, Beside, Caller, Durable, Office, Subject, Target, decide, refused, scopes_of, subject,
};
pub(super) use sight::Sight;

/// The office as whoever asks may use it; every handler but the public ones takes it.
#[derive(Clone)]
pub(super) struct Access {
    office: Office,
    pub(super) caller: Arc<Caller>,
}

impl Access {
    pub(super) fn new(office: &Office, caller: Arc<Caller>) -> Self {
        Self { office: office.on_behalf_of(caller.clone()), caller }
    }

    /// All that is changed through it is judged, and told of.
    pub(super) fn office(&self) -> &Office {
        &self.office
    }

    /// Whether the caller may do this in the whole office, with what is no object.
    pub(super) fn check(&self, verb: Verb, kind: &str) -> Result<(), Problem> {
        self.judge(Asked { verb, kind, name: None, scopes: &[Scope::Office] }, None)
    }

    /// Whether the caller may do this with an object; it is the same question whether or not it is there.
    pub(super) fn check_object(
        &self,
        verb: Verb,
        kind: &str,
        target: &Target,
        record: Option<&Record>,
    ) -> Result<(), Problem> {
        if self.caller.is_root() {
            return Ok(());
        }
        let subject = record.and_then(|record| subject(target.kind, record));
        let subject = subject.unwrap_or_else(|| Subject::named(target.clone()));
        let scopes = self.scopes(&subject);
        let asked = Asked { verb, kind, name: Some(target.name.as_str()), scopes: &scopes };
        self.judge(asked, Some(&subject))
    }

    /// Whether what proved who asks still does.
    pub(super) fn check_token(&self) -> Result<(), Problem> {
        let Some(key) = &self.caller.token else { return Ok(()) };
        match self.office.known_token(key) {
            Some(_) => Ok(()),
            None => Err(Problem::unauthorized("the token is not valid any more")),
        }
    }

    fn judge(&self, asked: Asked<'_>, subject: Option<&Subject>) -> Result<(), Problem> {
        if self.caller.is_root() {
            return Ok(());
        }
        let index = self.office.rights();
        let now = Timestamp::now();
        match decide(&index.policy, &self.caller.principal, asked, now) {
            Ok(_) => Ok(()),
            Err(_) => Err(refused(&index.policy, &self.caller, asked, subject, now).into()),
        }
    }

    /// In which scopes an object lies, or lay when another was so.
    fn scopes_beside(&self, subject: &Subject, other: KindName, record: &Record) -> Vec<Scope> {
        let chains = self.office.chains();
        let known = Durable { store: self.office.store(), index: &self.office.rights(), chains: &chains };
        match crate::office::subject(other, record) {
            Some(other) => scopes_of(subject, &Beside { known: &known, other }),
            None => scopes_of(subject, &known),
        }
    }

    fn scopes(&self, subject: &Subject) -> Vec<Scope> {
        let chains = self.office.chains();
        scopes_of(
            subject,
            &Durable { store: self.office.store(), index: &self.office.rights(), chains: &chains },
        )
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("caller", &self.caller).finish_non_exhaustive()
    }
}
