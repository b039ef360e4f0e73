//! The plug-in of the back end in memory.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use crate::{Declaration, Failure, Item, Key, Made, Object, Observed, Outcome, Plugin, TenantInstances};

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
            told: Arc::default(),
        }
    }

    async fn call<B>(&self, verb: &str, item: &Item<B>, effect: impl Fn() -> Made) -> Outcome {
        let fault = match self.back_end.begin(verb, &item.operation) {
            Ok(fault) => fault,
            Err(reason) => return Outcome::failed(reason),
        };
        match fault {
            Fault::None => Outcome::Done(effect()),
            Fault::Error => Outcome::failed("no such luck"),
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
        let needs: Vec<_> =
            body.needs().into_iter().filter(|key| self.declaration.kinds.contains(&key.kind)).collect();
        let done = self.call("apply", item, || {
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
        self.call("remove", item, remove).await
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
        let operation = crate::Operation { key: change.tenancy.clone(), uid: "".into(), generation: 0 };
        match self.back_end.begin("tell", &operation) {
            Ok(Fault::None) => {
                self.told.lock().expect("no panic").push(change.clone());
                Outcome::done()
            }
            Ok(_) => Outcome::failed("no such luck"),
            Err(reason) => Outcome::failed(reason),
        }
    }
}
