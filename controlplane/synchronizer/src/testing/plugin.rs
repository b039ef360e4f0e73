//! The plug-in of the back end in memory.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use crate::{
    Declaration, Failure, Item, Key, Made, Object, Observed, Operation, Outcome, Plugin, Retry,
    TenantInstances,
};

use super::{BackEndInMemory, Content, Fault};

/// Acts on the kinds that it is told to declare, for objects of whatever content.
#[derive(Clone)]
pub struct TestPlugin {
    pub back_end: Arc<BackEndInMemory>,
    pub declaration: Declaration,
    /// Leaves the acknowledgement to the test.
    pub pending: bool,
    /// The part of an object's name by which it is for this back end.
    pub only: Option<&'static str>,
    /// The service that it is behind.
    pub service: Option<Key>,
    /// When what is refused is tried again.
    pub retry: Retry,
    /// Which of what an object refers to is at this back end, too.
    pub here: fn(&Key) -> bool,
    /// What it was told of its tenants' instances.
    pub told: Arc<Mutex<Vec<TenantInstances>>>,
}

impl TestPlugin {
    pub fn new(back_end: &Arc<BackEndInMemory>, declaration: Declaration) -> Self {
        Self {
            back_end: back_end.clone(),
            declaration,
            pending: false,
            only: None,
            service: None,
            retry: Retry::BackOff,
            here: |_| true,
            told: Arc::default(),
        }
    }

    async fn call(&self, verb: &str, operation: &Operation, effect: impl Fn() -> Made) -> Outcome {
        let fault = match self.back_end.begin(verb, operation) {
            Ok(fault) => fault,
            Err(message) => return Outcome::Failed(Failure { message, retry: self.retry }),
        };
        match fault {
            Fault::None => Outcome::Done(effect()),
            Fault::Error => Outcome::failed("no such luck"),
            Fault::Untouched => {
                let message = "nobody is there".into();
                Outcome::Untouched(Failure { message, retry: Retry::BackOff })
            }
            Fault::ErrorAfterEffect => {
                effect();
                Outcome::failed("the connection was closed")
            }
            Fault::TimeOut => pending().await,
            Fault::TimeOutAfterEffect => {
                effect();
                pending().await
            }
            Fault::CrashBefore => {
                self.back_end.crash.notify_one();
                pending().await
            }
            Fault::CrashAfter => {
                effect();
                self.back_end.crash.notify_one();
                pending().await
            }
            // Without the hook, which would fill the output.
            Fault::Panic => std::panic::resume_unwind(Box::new("index out of bounds")),
        }
    }
}

/// Counts a call for as long as it is under way, however it ends.
struct Entered<'a>(&'a BackEndInMemory);

impl<'a> Entered<'a> {
    fn new(back_end: &'a BackEndInMemory, batch: usize) -> Self {
        back_end.enter(batch);
        Self(back_end)
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl<B: Content> Plugin<B> for TestPlugin {
    fn declare(&self) -> Declaration {
        self.declaration.clone()
    }

    fn concerns(&self, object: &Object) -> bool {
        self.only.is_none_or(|part| object.key.name.as_str().contains(part))
    }

    fn serves(&self, service: &Key) -> bool {
        self.service.as_ref() == Some(service)
    }

    async fn apply(&self, item: &Item<B>) -> Outcome {
        let body = item.body.as_ref().expect("what is applied has a body");
        assert_eq!(body.generation(), item.operation.generation);
        let is_here = |key: &Key| self.declaration.kinds.contains(&key.kind) && (self.here)(key);
        let needs: Vec<_> = body.needs().into_iter().filter(is_here).collect();
        let done = self.call("apply", &item.operation, || {
            let thing = self.back_end.apply(&item.operation, &needs);
            let made = Made::with_handle(thing.handle.0).digest(thing.digest);
            if thing.owned { made } else { made.found() }
        });
        match done.await {
            Outcome::Done(made) if self.pending => Outcome::Pending(made),
            outcome => outcome,
        }
    }

    async fn remove(&self, item: &Item<B>) -> Outcome {
        let remove = || {
            self.back_end.remove(&item.operation);
            Made::default()
        };
        self.call("remove", &item.operation, remove).await
    }

    async fn adopt(&self, item: &Item<B>) -> Outcome {
        match self.back_end.thing(&item.operation.key) {
            Some(thing) => Outcome::Done(Made::with_handle(thing.handle.0).digest(thing.digest).found()),
            None => Outcome::failed("is not there"),
        }
    }

    async fn apply_batch(&self, items: &[Item<B>]) -> Vec<Outcome> {
        let _entered = Entered::new(&self.back_end, items.len());
        let _open = self.back_end.gate.read().await;
        let mut outcomes = Vec::new();
        for item in items {
            outcomes.push(self.apply(item).await);
        }
        outcomes
    }

    async fn observe(&self) -> Result<Option<Vec<Observed>>, Failure> {
        Ok(self.declaration.compare_every.map(|_| self.back_end.observe()))
    }

    async fn tenant_instances_changed(&self, change: &TenantInstances) -> Outcome {
        let told = self.call("tell", &change.operation, || {
            self.back_end.tell(change);
            Made::default()
        });
        let outcome = told.await;
        if outcome == Outcome::done() {
            self.told.lock().expect("no panic").push(change.clone());
        }
        outcome
    }
}
