//! The one task that changes anything on the node.
//!
//! It takes chunks of desired state, keeps them, and puts them into effect: a few changed sessions as changes to the
//! fast path's maps, anything else by comparing the whole. It compares the whole again on a period and when the kernel
//! tells of a change, and so repairs drift. It never fails: what cannot be done is an outcome in words, of a resource.

mod devices;
mod news;
mod outcomes;
mod overflow;
mod parental;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use agent_link::{Chunk, Holdings, Identity, Outcome, REMOVED};
use net_types::{Generation, Name};
use node_state::{NodeState, ResourceKey, Version};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until},
};

pub(crate) use news::News;
use outcomes::{Outcomes, Part};
pub(crate) use overflow::OverflowCounts;
use parental::Blocking;

use access_protocols::dhcp4::BindingChange;

use crate::{
    effects::{Effects, Event},
    extended,
    nat_log::NatLog,
    punts::Answerer,
    status::{Counts, Startup, StatusFile, counters},
    store::{Kept, Leases, Store},
};

/// What the link asks for.
pub(crate) enum Request {
    /// Keeps a chunk and puts it into effect; an error means that it is not kept.
    Apply {
        chunk: Chunk,
        reply: oneshot::Sender<Result<Vec<Outcome>, String>>,
    },
    Holdings {
        reply: oneshot::Sender<Holdings>,
    },
    KeepIdentity {
        identity: Identity,
        new_office: bool,
        reply: oneshot::Sender<Result<(), String>>,
    },
}

/// How much is to be compared with the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    /// Ports, links, addresses and routes.
    Kernel,
    /// And the fast path's maps.
    Everything,
}

/// From a change in the kernel until it is acted on: others of the same cause come along.
const DEBOUNCE: Duration = Duration::from_millis(50);

/// Between two router advertisements of a line: at least 200 seconds by default, at most 600 (RFC 4861, section 6.2.1).
const ADVERTISE_EVERY: Duration = Duration::from_mins(5);

/// Between two looks at what is counted.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// Between two looks at which further port blocks are not used any more, and until who was denied one may ask again.
const RECLAIM_EVERY: Duration = Duration::from_secs(30);

pub(crate) struct Reconciler<E> {
    store: Arc<Store>,
    effects: E,
    generation: Generation,
    /// The generation that has been tried in the kernel.
    programmed: Generation,
    desired: NodeState,
    versions: HashMap<ResourceKey, Version>,
    leases: Leases,
    outcomes: Outcomes,
    news: Arc<News>,
    answerer: Answerer,
    nat_log: NatLog,
    overflow: OverflowCounts,
    status: StatusFile,
    compare_every: Duration,
    /// A comparison that is due, and when.
    due: Option<(Extent, Instant)>,
    blocking: Blocking,
}

impl<E: Effects> Reconciler<E> {
    pub(crate) fn new(store: Arc<Store>, kept: Kept, effects: E, status: StatusFile) -> Self {
        let Kept { generation, desired, versions, leases, told } = kept;
        Self {
            store,
            effects,
            generation,
            programmed: Generation::default(),
            desired,
            versions,
            leases,
            outcomes: Outcomes::default(),
            news: Arc::default(),
            answerer: Answerer::new(),
            nat_log: NatLog::new(told),
            overflow: OverflowCounts::default(),
            compare_every: status.compare_every(),
            status,
            due: None,
            blocking: Blocking::default(),
        }
    }

    pub(crate) fn news(&self) -> Arc<News> {
        self.news.clone()
    }

    /// Restores what the disk says, before anyone is asked for more.
    pub(crate) async fn start(&mut self, started: std::time::Instant) {
        let (kernel_steps, map_writes) = self.repair(Extent::Everything).await;
        self.keep_extended();
        let seconds = started.elapsed().as_secs_f64();
        let sessions = self.desired.sessions.len();
        let generation = self.generation;
        tracing::info!(%generation, sessions, kernel_steps, map_writes, seconds, "restored from disk");
        let migration = self.effects.migration().map(Into::into);
        self.status.startup(Startup { seconds, kernel_steps, map_writes, migration });
        self.count();
        self.write_status();
    }

    /// Works until the last sender of requests is gone.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Request>) {
        let mut period = interval_at(Instant::now() + self.compare_every, self.compare_every);
        period.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut advertisements = interval_at(Instant::now() + ADVERTISE_EVERY, ADVERTISE_EVERY);
        advertisements.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut counts = interval_at(Instant::now() + COUNT_EVERY, COUNT_EVERY);
        counts.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reclaims = interval_at(Instant::now() + RECLAIM_EVERY, RECLAIM_EVERY);
        reclaims.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut link_states = self.status.link_states();
        loop {
            let due = self.due.map(|(_, when)| when);
            let block_wait = self.blocking.wait(since_1970());
            let log_wait = self.nat_log.wait(since_1970());
            tokio::select! {
                request = inbox.recv() => match request {
                    Some(request) => self.serve(request).await,
                    None => break,
                },
                event = self.effects.event() => self.hear(event).await,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let (extent, _) = self.due.take().unwrap_or((Extent::Everything, Instant::now()));
                    self.repair(extent).await;
                }
                _ = period.tick() => {
                    self.due = None;
                    self.repair(Extent::Everything).await;
                    self.keep_extended();
                }
                _ = advertisements.tick() => {
                    self.answerer.advertise(&self.desired, &mut self.effects).await;
                }
                () = sleep(log_wait.unwrap_or_default()), if log_wait.is_some() => self.tell_log(),
                () = sleep(block_wait.unwrap_or_default()), if block_wait.is_some() => {
                    self.block_all(since_1970());
                }
                _ = counts.tick() => self.count(),
                _ = reclaims.tick() => {
                    self.reclaim_nat();
                    self.end_leases(since_1970());
                }
                Ok(()) = link_states.changed() => {}
            }
            self.write_status();
        }
        self.nat_log.finish(&self.store, &mut self.effects, since_1970());
        self.count();
        self.status.stopped();
        self.write_status();
    }

    async fn serve(&mut self, request: Request) {
        // Whoever asked may have gone meanwhile: what was asked for is done all the same.
        match request {
            Request::Apply { chunk, reply } => drop(reply.send(self.apply(chunk).await)),
            Request::Holdings { reply } => drop(reply.send(self.holdings())),
            Request::KeepIdentity { identity, new_office, reply } => {
                let kept = blocking(|| self.store.keep_identity(&identity, new_office));
                if kept.is_ok() && new_office {
                    self.generation = Generation::default();
                    self.programmed = Generation::default();
                }
                drop(reply.send(kept.map_err(|e| e.to_string())));
            }
        }
    }

    fn holdings(&mut self) -> Holdings {
        // What is said in the inventory is no news any more.
        self.news.clear();
        let resource =
            |(key, version): (&ResourceKey, &Version)| (key.clone(), *version, self.outcomes.of(key));
        Holdings { generation: self.generation, resources: self.versions.iter().map(resource).collect() }
    }

    async fn apply(&mut self, chunk: Chunk) -> Result<Vec<Outcome>, String> {
        blocking(|| self.store.keep(&chunk)).map_err(|e| e.to_string())?;
        let Chunk { generation, upserts, removes } = chunk;
        self.generation = generation;
        let mut asked = Vec::with_capacity(upserts.len() + removes.len());
        let mut changes = Vec::with_capacity(upserts.len() + removes.len());
        for received in upserts {
            self.desired.insert(received.resource.clone());
            if let Some(subscriber) = received.key.subscriber() {
                self.forget_leases_of_the_other_kind(&subscriber);
            }
            self.versions.insert(received.key.clone(), received.version);
            asked.push((received.key, received.version));
            changes.push(fastpath::Change::Upsert(received.resource));
        }
        for key in removes {
            self.desired.remove(&key);
            self.versions.remove(&key);
            if let Some(subscriber) = key.subscriber() {
                self.leases.v4.remove(&subscriber);
                self.leases.v6.remove(&subscriber);
                self.leases.devices.remove(&subscriber);
            }
            changes.push(fastpath::Change::Remove(key.clone()));
            asked.push((key, REMOVED));
        }
        let touched = if asked.iter().all(|(key, _)| key.subscriber().is_some()) {
            Some(self.change_sessions(&asked, &changes))
        } else {
            self.compare(Extent::Everything).await;
            None
        };
        self.programmed = self.generation;
        let outcomes: Vec<_> =
            asked.into_iter().map(|(key, version)| (key.clone(), version, self.outcomes.of(&key))).collect();
        self.outcomes.told(outcomes.iter().map(|(key, ..)| key));
        for (key, version, _) in &outcomes {
            if *version == REMOVED {
                self.outcomes.forget(key);
            }
        }
        let unasked = match touched {
            Some(touched) => self.outcomes.take_changed_of(touched.iter()),
            None => self.outcomes.take_changed(),
        };
        self.tell_news(unasked);
        Ok(outcomes)
    }

    /// Changes a few sessions without looking at the rest. Returns the resources that something came of.
    fn change_sessions(
        &mut self,
        asked: &[(ResourceKey, Version)],
        changes: &[fastpath::Change],
    ) -> Vec<ResourceKey> {
        if changes.is_empty() {
            return Vec::new();
        }
        let done = self.effects.fastpath_changes(changes);
        let touched = done.results.iter().map(|(key, _)| key.clone()).collect();
        self.outcomes.some(Part::Fastpath, done.results);
        let subscribers: Vec<Name> = asked.iter().filter_map(|(key, _)| key.subscriber()).collect();
        self.nat_log.compare(subscribers.iter(), &self.effects, since_1970());
        for subscriber in &subscribers {
            if let Some(binding) = self.leases.v4.get(subscriber) {
                self.effects.learn_mac(subscriber, binding.mac);
            }
        }
        self.tell_devices(&subscribers, since_1970());
        self.block(&subscribers, since_1970());
        touched
    }

    /// Compares with what is there without having been asked to, and tells what became of it.
    async fn repair(&mut self, extent: Extent) -> (u64, u64) {
        let changes = self.compare(extent).await;
        let outcomes = self.outcomes.take_changed();
        self.tell_news(outcomes);
        changes
    }

    /// Compares with what is there, and changes what differs. Returns how many changes the kernel and the maps needed.
    async fn compare(&mut self, extent: Extent) -> (u64, u64) {
        self.status.desired.update(&self.desired);
        let kernel = self.effects.kernel(&self.desired).await;
        self.outcomes.all(Part::Kernel, kernel.results);
        let mut map_writes = 0;
        if extent == Extent::Everything {
            let fastpath = self.effects.fastpath(&self.desired);
            self.outcomes.all(Part::Fastpath, fastpath.results);
            map_writes = fastpath.changes;
            self.block_all(since_1970());
            self.tell_all_devices(since_1970());
            if map_writes > 0 {
                // Sessions may have been made anew.
                for (subscriber, binding) in &self.leases.v4 {
                    self.effects.learn_mac(subscriber, binding.mac);
                }
            }
            self.nat_log.configure(self.desired.nat_log, &self.store, &self.effects);
            self.nat_log.compare_all(self.desired.sessions.keys(), &self.effects, since_1970());
        }
        self.effects.neighbours(true).await;
        self.programmed = self.generation;
        (kernel.changes, map_writes)
    }

    /// Keeps what the kernel has made of leases, all with one write to the disk.
    fn keep_extended(&mut self) {
        let changes = extended::overdue(&self.desired, &self.leases.v4, self.effects.leases());
        if changes.is_empty() {
            return;
        }
        if let Err(error) = blocking(|| self.store.keep_bindings(&changes, &[], &[])) {
            // The kernel still knows; the next time is as good.
            tracing::error!(%error, "extended leases cannot be kept");
            return;
        }
        tracing::debug!(leases = changes.len(), "extended leases are kept");
        for (subscriber, change) in changes {
            if let BindingChange::Set(binding) = change {
                self.leases.v4.insert(subscriber, binding);
            }
        }
    }

    async fn hear(&mut self, event: Event) {
        match event {
            Event::Links => self.fall_due(Extent::Everything),
            Event::Routes => self.fall_due(Extent::Kernel),
            Event::Neighbours { ask } => self.effects.neighbours(ask).await,
            Event::Punts(punts) => {
                let now = since_1970();
                let office = (&self.desired, &mut self.leases, &*self.store);
                self.answerer.answer(punts, now, office, &mut self.effects).await;
            }
            Event::Nat(events) => self.hear_nat(&events),
        }
    }

    /// Tells the NAT log's collector what is due, and the controller whether that works.
    fn tell_log(&mut self) {
        self.nat_log.pump(&self.store, &mut self.effects, since_1970());
        let key = ResourceKey::nat_log();
        let result = self.nat_log.error().map_or(Ok(()), Err);
        self.outcomes.some(Part::Log, vec![(key.clone(), result)]);
        let changed = self.outcomes.take_changed_of(std::iter::once(&key));
        self.tell_news(changed);
    }

    fn count(&mut self) {
        let losses = self.effects.losses();
        let nat_log = self.nat_log.status(losses.events);
        let tally = self.effects.tally();
        self.news.count(tally.as_ref().map(counters).unwrap_or_default());
        self.status.telemetry(losses, nat_log, tally.as_ref());
        self.count_devices();
    }

    fn fall_due(&mut self, extent: Extent) {
        self.due = match self.due {
            Some((before, when)) => Some((before.max(extent), when)),
            None => Some((extent, Instant::now() + DEBOUNCE)),
        };
    }

    /// Tells of outcomes that have changed without being asked about.
    fn tell_news(&self, changed: Vec<(ResourceKey, Result<(), String>)>) {
        let version = |key: &ResourceKey| self.versions.get(key).copied();
        let changed = changed.into_iter();
        self.news
            .add(changed.filter_map(|(key, result)| version(&key).map(|version| (key, version, result))));
    }

    fn write_status(&mut self) {
        let NodeState {
            ports,
            links,
            stations,
            routes,
            routes6,
            nat_log: _,
            garden: _,
            voice: _,
            nat_exempt: _,
            block_lists: _,
            sessions,
        } = &self.desired;
        let counts = Counts {
            ports: ports.len(),
            links: links.len(),
            stations: stations.len(),
            routes: routes.len() + routes6.len(),
            sessions: sessions.len(),
            bindings: self.leases.v4.len() + self.leases.v6.len(),
        };
        self.status.update(
            self.generation,
            self.programmed,
            counts,
            self.outcomes.count(),
            self.outcomes.errors(),
        );
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Disk writes wait for the disk: the other tasks of this thread go elsewhere.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

#[cfg(test)]
pub(crate) mod fakes;
#[cfg(test)]
mod tests;
