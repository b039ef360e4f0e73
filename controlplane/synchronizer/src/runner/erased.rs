//! Plug-ins of different types side by side.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures::{FutureExt as _, future::BoxFuture};

use crate::{Action, Declaration, Failure, Item, Key, Object, Observed, Outcome, Plugin, TenantInstances};

/// A plug-in of whatever type.
pub struct AnyPlugin<B>(pub(super) Arc<dyn Erased<B>>);

impl<B: Send + Sync + 'static> AnyPlugin<B> {
    pub fn new(plugin: impl Plugin<B>) -> Self {
        Self(Arc::new(plugin))
    }
}

pub(super) trait Erased<B>: Send + Sync {
    fn declare(&self) -> Declaration;
    fn concerns(&self, object: &Object) -> bool;
    fn serves(&self, service: &Key) -> bool;
    fn act<'a>(&'a self, action: Action, items: &'a [Item<B>]) -> BoxFuture<'a, Vec<Outcome>>;
    fn tell<'a>(&'a self, change: &'a TenantInstances) -> BoxFuture<'a, Outcome>;
    fn observe(&self) -> BoxFuture<'_, Result<Option<Vec<Observed>>, Failure>>;
}

impl<B: Send + Sync + 'static, P: Plugin<B>> Erased<B> for P {
    fn declare(&self) -> Declaration {
        Plugin::declare(self)
    }

    fn concerns(&self, object: &Object) -> bool {
        Plugin::concerns(self, object)
    }

    fn serves(&self, service: &Key) -> bool {
        Plugin::serves(self, service)
    }

    fn act<'a>(&'a self, action: Action, items: &'a [Item<B>]) -> BoxFuture<'a, Vec<Outcome>> {
        match action {
            Action::Apply => self.apply_batch(items).boxed(),
            Action::Remove => self.remove_batch(items).boxed(),
            Action::Adopt => async move {
                let mut outcomes = Vec::with_capacity(items.len());
                for item in items {
                    outcomes.push(self.adopt(item).await);
                }
                outcomes
            }
            .boxed(),
            Action::Forget | Action::Tell => {
                async move { items.iter().map(|_| Outcome::done()).collect() }.boxed()
            }
        }
    }

    fn tell<'a>(&'a self, change: &'a TenantInstances) -> BoxFuture<'a, Outcome> {
        self.tenant_instances_changed(change).boxed()
    }

    fn observe(&self) -> BoxFuture<'_, Result<Option<Vec<Observed>>, Failure>> {
        Plugin::observe(self).boxed()
    }
}

/// A plug-in that panics has failed, and nobody else.
pub(super) async fn guarded<T>(call: BoxFuture<'_, T>) -> Result<T, String> {
    AssertUnwindSafe(call).catch_unwind().await.map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        format!("the plug-in panicked: {}", text.unwrap_or_else(|| "without a word".into()))
    })
}
