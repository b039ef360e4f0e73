//! The office's rules over the store.

mod access;
mod admission;
mod audit;
mod block_list;
mod controller;
mod draft;
mod events;
mod founding;
mod graph;
mod ground;
mod join;
mod kinds;
mod node;
mod plan;
mod pool;
mod rejection;
mod request;
mod scratch;
mod secret;
mod status;
mod stored;
mod subscriber;
mod synchronized;
mod tenancies;
mod told;

use std::sync::{Arc, Mutex, PoisonError};

use credentials::Keyring;
use intent_store::{Stopped, Store, Transaction};
use jiff::Timestamp;
use tokio::sync::watch;
use xos_model::Graph;

pub use access::FirstError;
pub(crate) use access::{
    Asked, Beside, Caller, Durable, IssuedToken, KnownToken, LOGIN_LIFETIME, Origin, Subject, decide,
    refused, scopes_of, subject,
};
use access::{Rights, Uses};
use admission::Judge;
pub(crate) use admission::{Admission, Done, Effect, Misplaced};
use audit::Trail;
pub(crate) use audit::{AuditItem, AuditQuery, Refused, refusal as audit_refusal};
use controller::BackEnds;
pub(crate) use draft::Draft;
pub(crate) use events::{Event, Severity, kept as kept_events, read as read_event};
pub use join::JoinError;
pub(crate) use plan::Plan;
pub use rejection::{Rejection, RejectionKind};
pub(crate) use request::{Match, Operation, Preconditions, Target, Verb};
use scratch::Scratch;
pub(crate) use secret::check as check_secret;
pub use secret::{RotationError, SecretError};
pub use status::NodeReport;
pub(crate) use stored::with_version;
pub use stored::{object_key, read_object};
pub use synchronized::{CHAIN, CHAINS, Intent, IntentFeed, POOL};
use tenancies::Steering;
pub(crate) use tenancies::{Chains, Derived};
pub(crate) use told::{Told, told};

/// The office: its store, and the rules by which it changes. Clones are equal.
#[derive(Clone)]
pub struct Office {
    store: Store,
    scratch: Arc<Mutex<Scratch>>,
    keyring: Option<Arc<Keyring>>,
    /// Without this, a Controller can be anything.
    back_ends: Option<Arc<BackEnds>>,
    rights: Arc<Rights>,
    /// How chains go.
    steering: Arc<Steering>,
    /// When tokens were last used, by their ids; since the start.
    uses: Arc<Uses>,
    /// Turns with every commit that has events.
    events: Arc<watch::Sender<()>>,
    /// On whose behalf; without one, the controller acts by itself.
    caller: Option<Arc<Caller>>,
}

/// Why a transaction wrote nothing.
enum Abort<T> {
    Rejected(Rejection),
    /// It would have been accepted.
    DryRun(T),
}

impl Office {
    pub fn new(store: Store) -> Self {
        let rights = Arc::new(Rights::load(&store));
        let steering = Arc::new(Steering::load(&store));
        let mut scratch = Scratch::default();
        // So that no write waits for it. Whoever writes what cannot be judged without is told why it cannot be read.
        match graph::load(&graph::AtOnce { store: &store, revision: store.revision() }) {
            Ok(graph) => scratch.keep_graph(graph),
            Err(rejection) => tracing::error!(%rejection, "the tenancy graph cannot be read"),
        }
        let scratch = Arc::new(Mutex::new(scratch));
        Self {
            store,
            scratch,
            keyring: None,
            back_ends: None,
            rights,
            steering,
            uses: Arc::default(),
            events: Arc::default(),
            caller: None,
        }
    }

    /// The same office, whose changes are judged by what the caller may do, and told of in the audit log.
    pub(crate) fn on_behalf_of(&self, caller: Arc<Caller>) -> Self {
        Self { caller: Some(caller), ..self.clone() }
    }

    /// The same office with keys for its secrets; without them it takes none.
    #[must_use]
    pub fn with_keyring(self, keyring: Keyring) -> Self {
        Self { keyring: Some(Arc::new(keyring)), ..self }
    }

    /// The same office, which takes Controllers of these plug-ins, and none of which the name is taken.
    #[must_use]
    pub fn with_back_ends(
        self,
        plugins: impl IntoIterator<Item = &'static str>,
        taken: impl IntoIterator<Item = &'static str>,
    ) -> Self {
        Self { back_ends: Some(Arc::new(BackEnds::new(plugins, taken))), ..self }
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Turns with every commit that has events.
    pub(crate) fn news(&self) -> watch::Receiver<()> {
        self.events.subscribe()
    }

    /// What is decided from, as durable.
    pub(crate) fn rights(&self) -> std::sync::RwLockReadGuard<'_, access::Index> {
        self.rights.now(&self.store)
    }

    /// Tells in the audit log of something that changes no object.
    pub(crate) async fn tell(
        &self,
        verb: &'static str,
        kind: &'static str,
        name: &str,
    ) -> Result<Result<(), Rejection>, Stopped> {
        let name = name.to_owned();
        let told = self.admit(false, move |admission| {
            admission.act(verb, kind, &name);
            Ok(())
        });
        told.await
    }

    /// Runs `body` under the office's rules: all that it does, or nothing; nothing in any case with `dry_run`.
    pub(crate) async fn admit<T: Send + 'static>(
        &self,
        dry_run: bool,
        body: impl FnOnce(&mut Admission<'_, '_>) -> Result<T, Rejection> + Send + 'static,
    ) -> Result<Result<T, Rejection>, Stopped> {
        let (scratch, rights, caller) = (self.scratch.clone(), self.rights.clone(), self.caller.clone());
        let steering = self.steering.clone();
        let judged = caller.clone().filter(|caller| !caller.is_root());
        let judge = judged.map(|caller| Judge { caller, rights: rights.clone(), store: self.store.clone() });
        let (keyring, back_ends) = (self.keyring.clone(), self.back_ends.clone());
        let now = now();
        let body = move |txn: &mut Transaction<'_>| {
            // Only the store's writer comes here, so that the lock is always free.
            let mut scratch = scratch.lock().unwrap_or_else(PoisonError::into_inner);
            let mut admission = Admission::new(txn, &mut scratch, keyring.as_deref(), now);
            admission.back_ends = back_ends.as_deref();
            admission.judge = judge;
            admission.trail = caller.map(Trail::new);
            let outcome = body(&mut admission);
            let (changed, steered) = (admission.rights, admission.steering);
            let (trail, eventful) = (admission.trail, admission.eventful);
            if outcome.is_ok() && !dry_run {
                rights.will_change(changed, txn.revision());
                steering.will_change(steered, txn.revision());
                if let Some(record) = trail.and_then(Trail::finish) {
                    txn.audit(record);
                }
            }
            let outcome = match outcome {
                Ok(value) if dry_run => Err(Abort::DryRun(value)),
                Ok(value) => Ok((value, eventful)),
                Err(rejection) => Err(Abort::Rejected(rejection)),
            };
            scratch.end(outcome.is_ok());
            outcome
        };
        Ok(match self.store.transact(body).await? {
            Ok((value, eventful)) => {
                if eventful {
                    self.events.send_replace(());
                }
                Ok(value)
            }
            Err(Abort::DryRun(value)) => Ok(value),
            Err(Abort::Rejected(rejection)) => Err(rejection),
        })
    }

    /// Of the tenancy graph, what the chains of subscribers go by: the services, and the tenancies between them that are per
    /// tenant, as durable. Nothing is read for that.
    pub fn chained_services(&self) -> Arc<Graph> {
        self.chains().graph
    }

    /// The tenancy graph as it is. It reads all that the graph is made of, and blocks meanwhile.
    pub(crate) fn graph(&self) -> Result<Graph, Rejection> {
        graph::load(&graph::AtOnce { store: &self.store, revision: self.store.revision() })
    }

    /// Does one operation.
    pub(crate) async fn run(&self, operation: Operation) -> Result<Result<Done, Rejection>, Stopped> {
        let outcome = self.admit(false, move |admission| {
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
