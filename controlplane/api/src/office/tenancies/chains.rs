//! What chains follow from, in step with the store.
//!
//! A transaction that writes a Service or a Tenant says so before it commits; whoever reads next takes in what is durable of
//! that. So nothing is read for readers between such changes, and nobody derives from what is not durable.

use std::{
    any::Any,
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use intent_store::{Compacted, Store};
use net_types::Name;
use xos_model::{Graph, Kind, KindName, ServiceSpec, TenantKind, TenantSpec};

use super::record_at;
use crate::office::{Target, object_key, stored::decode};

const PAGE: usize = 1000;
const KINDS: [KindName; 2] = [KindName::Service, KindName::Tenant];

/// How chains go.
#[derive(Clone)]
pub(crate) struct Chains {
    /// Of the services, and the tenancies between them that are per tenant.
    pub(crate) graph: Arc<Graph>,
    /// They go so since this revision, at the latest.
    pub(crate) since: u64,
}

/// The chains as they are, and as they were when somebody asked last.
pub(in crate::office) struct Steering {
    live: RwLock<Chains>,
    former: Mutex<Option<Chains>>,
    /// Written by transactions up to these revisions, and perhaps not durable yet.
    pending: Mutex<Vec<(Target, u64)>>,
    is_behind: AtomicBool,
}

/// Whether objects of the kind say how chains go.
pub(in crate::office) fn matters(kind: KindName) -> bool {
    KINDS.contains(&kind)
}

/// Whether chains go another way when an object changes so. A service by itself is in no chain until a tenancy leads to it,
/// a subscriber names it, or all are its tenants.
pub(in crate::office) fn steers<'a, K: Kind>(before: Option<&'a K>, now: Option<&'a K>) -> bool {
    let (before, now) = (before.map(|spec| spec as &dyn Any), now.map(|spec| spec as &dyn Any));
    let service = |spec: &'a dyn Any| spec.downcast_ref::<ServiceSpec>();
    let tenant = |spec: &'a dyn Any| spec.downcast_ref::<TenantSpec>().filter(|spec| leads(spec));
    match K::KIND {
        KindName::Service => match (before.and_then(service), now.and_then(service)) {
            (Some(a), Some(b)) => {
                (&a.service_type, &a.accepts, &a.interfaces, &a.attributes, a.per_subscriber)
                    != (&b.service_type, &b.accepts, &b.interfaces, &b.attributes, b.per_subscriber)
            }
            (Some(one), None) | (None, Some(one)) => one.per_subscriber,
            (None, None) => false,
        },
        KindName::Tenant => before.and_then(tenant) != now.and_then(tenant),
        _ => false,
    }
}

/// Whether a tenancy leads from one stage of chains to another.
fn leads(spec: &TenantSpec) -> bool {
    spec.per_tenant && spec.tenant.kind == TenantKind::Service
}

impl Steering {
    pub(in crate::office) fn load(store: &Store) -> Self {
        // What is older than this is not in the history that watches go through.
        let since = store.revision();
        let graph = load(store, since).unwrap_or_else(|error| {
            tracing::error!(%error, "how chains go cannot be read: subscribers have no tenancies");
            Graph::default()
        });
        Self {
            live: RwLock::new(Chains { graph: Arc::new(graph), since }),
            former: Mutex::default(),
            pending: Mutex::default(),
            is_behind: AtomicBool::new(false),
        }
    }

    /// A transaction that will be durable at `revision` has written these.
    pub(in crate::office) fn will_change(&self, targets: Vec<Target>, revision: u64) {
        if targets.is_empty() {
            return;
        }
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        pending.extend(targets.into_iter().map(|target| (target, revision)));
        self.is_behind.store(true, Ordering::Release);
    }

    /// By all that is durable.
    pub(in crate::office) fn now(&self, store: &Store) -> Chains {
        while self.is_behind.load(Ordering::Acquire) {
            let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
            let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
            let durable = store.revision();
            // What history has outrun meanwhile is read at a later revision. What is not durable yet is as it was.
            let taken = pending.iter().try_for_each(|(target, at)| live.take(store, target, *at, durable));
            if taken.is_err() {
                continue;
            }
            pending.retain(|(_, revision)| *revision > durable);
            self.is_behind.store(!pending.is_empty(), Ordering::Release);
            break;
        }
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As they went at a revision that is durable and that history still reaches.
    pub(in crate::office) fn at(&self, store: &Store, revision: u64) -> Result<Chains, Compacted> {
        let live = self.now(store);
        if live.since <= revision {
            return Ok(live);
        }
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = former.as_ref().filter(|known| known.since == revision) {
            return Ok(known.clone());
        }
        let chains = Chains { graph: Arc::new(load(store, revision)?), since: revision };
        *former = Some(chains.clone());
        Ok(chains)
    }
}

impl Chains {
    /// Takes in an object, which a transaction wrote that ended at `written`, as it is at `durable`.
    fn take(&mut self, store: &Store, target: &Target, written: u64, durable: u64) -> Result<(), Compacted> {
        let steered = match target.kind {
            KindName::Service => self.take_service(store, &target.name, durable)?,
            KindName::Tenant => self.take_tenancy(store, &target.name, durable)?,
            _ => false,
        };
        if steered {
            self.since = self.since.max(written.min(durable));
        }
        Ok(())
    }

    fn take_service(&mut self, store: &Store, name: &Name, revision: u64) -> Result<bool, Compacted> {
        let key = object_key(KindName::Service, name);
        let now =
            record_at(store, &key, revision)?.and_then(|record| decode::<ServiceSpec>(&key, &record).ok());
        let steered = steers(self.graph.service(name), now.as_ref().map(|object| &object.spec));
        let graph = Arc::make_mut(&mut self.graph);
        match now {
            Some(object) => graph.put(&object),
            None => graph.remove(KindName::Service, name),
        }
        Ok(steered)
    }

    fn take_tenancy(&mut self, store: &Store, name: &Name, revision: u64) -> Result<bool, Compacted> {
        let key = object_key(KindName::Tenant, name);
        let now =
            record_at(store, &key, revision)?.and_then(|record| decode::<TenantSpec>(&key, &record).ok());
        let now = now.filter(|object| leads(&object.spec));
        if now.is_none() && self.graph.tenant(name).is_none() {
            return Ok(false);
        }
        let steered = steers(self.graph.tenant(name), now.as_ref().map(|object| &object.spec));
        let graph = Arc::make_mut(&mut self.graph);
        match now {
            Some(object) => graph.put(&object),
            None => graph.remove(KindName::Tenant, name),
        }
        Ok(steered)
    }
}

/// All at a revision. What cannot be read is not there.
fn load(store: &Store, revision: u64) -> Result<Graph, Compacted> {
    let mut graph = Graph::default();
    for kind in KINDS {
        let prefix = format!("{}/", kind.plural());
        let mut after: Option<String> = None;
        loop {
            let page = store.page(&prefix, after.as_deref(), PAGE, Some(revision))?;
            for (key, record) in &page.items {
                let put = match kind {
                    KindName::Service => decode::<ServiceSpec>(key, record).map(|object| graph.put(&object)),
                    _ => decode::<TenantSpec>(key, record).map(|object| {
                        if leads(&object.spec) {
                            graph.put(&object);
                        }
                    }),
                };
                if let Err(rejection) = put {
                    tracing::error!(%rejection);
                }
            }
            after = page.items.last().map(|(key, _)| key.to_string());
            if !page.more {
                break;
            }
        }
    }
    Ok(graph)
}
