//! What a plug-in is.

use std::{future::Future, sync::Arc};

use crate::{Declaration, Edge, Failure, Handle, Key, Object, Observed, Operation, Outcome};

/// One object whose turn it is.
#[derive(Clone, Debug)]
pub struct Item<B> {
    pub operation: Operation,
    /// As it is now; none when an object is removed that the store has no more.
    pub body: Option<Arc<B>>,
    /// As the last action left it.
    pub handle: Option<Handle>,
    /// What it stands on; none at a back end of which nothing is recorded ([`crate::Journal::Keyed`]).
    pub edges: Vec<Edge>,
    /// How often this has been tried since the object last changed, from 1.
    pub attempt: u32,
}

/// The instances of a tenant that a provider has not been told of yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantInstances {
    /// Of the tenancy. The same when other instances are told of.
    pub operation: Operation,
    /// The service that provides; the plug-in's own.
    pub service: Key,
    /// The service that uses.
    pub tenant: Key,
    /// All that there are.
    pub instances: Vec<Key>,
    /// Ready since.
    pub added: Vec<Key>,
    /// Gone or going since.
    pub removed: Vec<Key>,
}

/// Acts on one back end. Every call can come again with the same operation (after a crash, a time-out, a drift) and
/// must then have no second effect. Calls may be dropped at any await. No retries inside: that is the framework's.
pub trait Plugin<B: Send + Sync + 'static>: Send + Sync + 'static {
    fn declare(&self) -> Declaration;

    /// Whether an object of a declared kind is for this back end, unless that has an anchor ([`Declaration::anchor`]).
    fn concerns(&self, _object: &Object) -> bool {
        true
    }

    /// Whether the plug-in is the one behind a service ([`Declaration::tenancies`]), unless an anchor says so.
    fn serves(&self, _service: &Key) -> bool {
        false
    }

    /// Makes the back end have the object as its body asks.
    fn apply(&self, item: &Item<B>) -> impl Future<Output = Outcome> + Send;

    /// Makes the back end have nothing of the object. Never called for what was found.
    fn remove(&self, item: &Item<B>) -> impl Future<Output = Outcome> + Send;

    /// Looks up what is already there for an object that was found; must change nothing.
    fn adopt(&self, _item: &Item<B>) -> impl Future<Output = Outcome> + Send {
        async { Outcome::done() }
    }

    /// As many objects as are ready, at most [`crate::Limits::batch_max`]; one outcome each, in order.
    fn apply_batch(&self, items: &[Item<B>]) -> impl Future<Output = Vec<Outcome>> + Send {
        async move {
            let mut outcomes = Vec::with_capacity(items.len());
            for item in items {
                outcomes.push(self.apply(item).await);
            }
            outcomes
        }
    }

    fn remove_batch(&self, items: &[Item<B>]) -> impl Future<Output = Vec<Outcome>> + Send {
        async move {
            let mut outcomes = Vec::with_capacity(items.len());
            for item in items {
                outcomes.push(self.remove(item).await);
            }
            outcomes
        }
    }

    /// Lists all that the back end has. None: it cannot tell, and nothing is compared.
    fn observe(&self) -> impl Future<Output = Result<Option<Vec<Observed>>, Failure>> + Send {
        async { Ok(None) }
    }

    /// The instances of a tenant of one of its services have changed (XOS paper, section 3.2).
    fn tenant_instances_changed(&self, _change: &TenantInstances) -> impl Future<Output = Outcome> + Send {
        async { Outcome::done() }
    }
}
