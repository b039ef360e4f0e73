//! The office's rules over the store.

mod admission;
mod draft;
mod graph;
mod join;
mod kinds;
mod node;
mod pool;
mod rejection;
mod request;
mod scratch;
mod secret;
mod status;
mod stored;
mod subscriber;

use std::sync::{Arc, Mutex, PoisonError};

use credentials::Keyring;
use intent_store::{Stopped, Store, Transaction};
use jiff::Timestamp;
use xos_model::Graph;

pub(crate) use admission::{Admission, Done, Effect, Misplaced};
pub(crate) use draft::Draft;
pub use join::JoinError;
pub use rejection::{Rejection, RejectionKind};
pub(crate) use request::{Match, Operation, Preconditions, Target, Verb};
use scratch::Scratch;
pub use secret::{RotationError, SecretError};
pub use status::{NodeReport, SessionOutcome};
pub(crate) use stored::with_version;
pub use stored::{object_key, read_object};

/// The office: its store, and the rules by which it changes. Clones are equal.
#[derive(Clone)]
pub struct Office {
    store: Store,
    scratch: Arc<Mutex<Scratch>>,
    keyring: Option<Arc<Keyring>>,
}

/// Why a transaction wrote nothing.
enum Abort<T> {
    Rejected(Rejection),
    /// It would have been accepted.
    DryRun(T),
}

impl Office {
    pub fn new(store: Store) -> Self {
        Self { store, scratch: Arc::default(), keyring: None }
    }

    /// The same office with keys for its secrets; without them it takes none.
    #[must_use]
    pub fn with_keyring(self, keyring: Keyring) -> Self {
        Self { keyring: Some(Arc::new(keyring)), ..self }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Runs `body` under the office's rules: all that it does, or nothing; nothing in any case with `dry_run`.
    pub(crate) async fn admit<T: Send + 'static>(
        &self,
        dry_run: bool,
        body: impl FnOnce(&mut Admission<'_, '_>) -> Result<T, Rejection> + Send + 'static,
    ) -> Result<Result<T, Rejection>, Stopped> {
        let scratch = self.scratch.clone();
        let keyring = self.keyring.clone();
        let now = now();
        let body = move |txn: &mut Transaction<'_>| {
            // Only the store's writer comes here, so that the lock is always free.
            let mut scratch = scratch.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = body(&mut Admission::new(txn, &mut scratch, keyring.as_deref(), now));
            let outcome = match outcome {
                Ok(value) if dry_run => Err(Abort::DryRun(value)),
                Ok(value) => Ok(value),
                Err(rejection) => Err(Abort::Rejected(rejection)),
            };
            scratch.end(outcome.is_ok());
            outcome
        };
        Ok(match self.store.transact(body).await? {
            Ok(value) | Err(Abort::DryRun(value)) => Ok(value),
            Err(Abort::Rejected(rejection)) => Err(rejection),
        })
    }

    /// The tenancy graph as it is. It reads all that the graph is made of, and blocks meanwhile.
    pub(crate) fn graph(&self) -> Result<Graph, Rejection> {
        graph::load(&graph::AtOnce { store: &self.store, revision: self.store.revision() })
    }

    /// Does one operation.
    pub(crate) async fn run(
        &self,
        dry_run: bool,
        operation: Operation,
    ) -> Result<Result<Done, Rejection>, Stopped> {
        let outcome = self.admit(dry_run, move |admission| {
            let done = admission.run_all(vec![operation]).map_err(|misplaced| misplaced.rejection)?;
            Ok(done.into_iter().next())
        });
        Ok(outcome.await?.map(|done| done.expect("as many outcomes as operations")))
    }
}

/// The time, to the second: finer would only be noise in objects.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(Timestamp::now().as_second()).expect("the present is in range")
}
