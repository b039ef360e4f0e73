//! The scheduler at work: events in, actions out, nothing waits for anything but its own turn.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use crate::{
    BackEnd, BackEndId, Change, Completion, Feed, Object, Observed, Placement, Plugin, Scheduler, Store,
    StoreError, TenancyShape,
};

mod action;
mod control;
mod erased;
mod outbox;

pub use control::{Control, Stopped};
pub use erased::AnyPlugin;

use control::Event;
use erased::{Erased, guarded};
use outbox::Outbox;

/// Acknowledgements, and whatever else comes from outside, that are taken at a time.
const EVENTS: usize = 1024;

#[derive(Clone, Copy, Debug)]
pub struct Config {
    /// Of the jitter of back-offs and comparisons.
    pub seed: u64,
    pub tenancy: TenancyShape,
    /// How long a shutdown waits for actions under way, and then for statuses to be written.
    pub grace: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { seed: 0, tenancy: TenancyShape::default(), grace: Duration::from_secs(10) }
    }
}

/// Drives a [`Scheduler`] over a store and plug-ins. To drop it while it runs is to crash: that loses nothing.
pub struct Runner<S: Store> {
    store: Arc<S>,
    config: Config,
    start: Instant,
    scheduler: Scheduler,
    /// By `BackEndId`.
    plugins: BTreeMap<BackEndId, Attached<S::Body>>,
    /// Back ends that go as soon as nothing of them is under way.
    retiring: Vec<Retiring<S::Body>>,
    /// New back ends must see what there is: everything is to be told again.
    retell: bool,
    events: mpsc::UnboundedReceiver<Event<S::Body>>,
    tasks: JoinSet<Ended>,
    outbox: Arc<Outbox>,
    /// Who waits for a back end to have nothing to do.
    drained: Vec<(BackEnd, oneshot::Sender<()>)>,
}

/// A plug-in at work.
struct Attached<B> {
    plugin: Arc<dyn Erased<B>>,
    /// Dropped, it ends the calls.
    stop: watch::Sender<()>,
}

struct Retiring<B> {
    id: BackEndId,
    /// What comes in its place.
    next: Option<Arc<dyn Erased<B>>>,
    /// Who waits for that.
    answers: Vec<oneshot::Sender<()>>,
}

/// What a task brings back.
enum Ended {
    Batch(BackEndId, Vec<Completion>),
    Look(BackEndId, u64, Result<Option<Vec<Observed>>, String>),
}

impl<S: Store> Runner<S> {
    pub fn new(store: Arc<S>, config: Config) -> (Self, Control<S::Body>) {
        let (sender, events) = mpsc::unbounded_channel();
        let runner = Self {
            store,
            config,
            start: Instant::now(),
            scheduler: Scheduler::new(config.seed, Timestamp::now(), &config.tenancy),
            plugins: BTreeMap::new(),
            retiring: Vec::new(),
            retell: false,
            events,
            tasks: JoinSet::new(),
            outbox: Arc::default(),
            drained: Vec::new(),
        };
        (runner, Control::new(sender))
    }

    /// Adds a back end before the start; later ones come by [`Control::replace`].
    #[must_use]
    pub fn with(mut self, name: &str, plugin: impl Plugin<S::Body>) -> Self {
        self.add(&BackEnd::new(name), Arc::new(plugin));
        self
    }

    fn add(&mut self, name: &BackEnd, plugin: Arc<dyn Erased<S::Body>>) {
        tracing::info!(back_end = %name, "back end");
        let id = self.scheduler.add_back_end(name, plugin.declare());
        self.plugins.insert(id, Attached { plugin, stop: watch::channel(()).0 });
        self.retell = true;
    }

    fn replace(
        &mut self,
        name: &BackEnd,
        plugin: Option<Arc<dyn Erased<S::Body>>>,
        answer: oneshot::Sender<()>,
    ) {
        let retiring = &mut self.retiring;
        if let Some(retiring) =
            retiring.iter_mut().find(|retiring| self.scheduler.back_end(retiring.id) == name)
        {
            retiring.next = plugin;
            retiring.answers.push(answer);
            return;
        }
        let there = self.plugins.keys().copied().find(|id| self.scheduler.back_end(*id) == name);
        if let Some(id) = there {
            self.scheduler.retire(id);
            self.plugins.remove(&id);
            self.retiring.push(Retiring { id, next: plugin, answers: vec![answer] });
            return;
        }
        if let Some(plugin) = plugin {
            self.add(name, plugin);
        }
        // Who asked and has gone does not need the answer.
        let _: Result<(), ()> = answer.send(());
    }

    /// Lets those go of which nothing is under way any more, and those come that were to take their places.
    fn relieve(&mut self) {
        let now = self.now();
        let idle = |retiring: &mut Retiring<S::Body>| self.scheduler.is_idle(retiring.id);
        let gone: Vec<_> = self.retiring.extract_if(.., idle).collect();
        for Retiring { id, next, answers } in gone {
            let name = self.scheduler.back_end(id).clone();
            tracing::info!(back_end = %name, "no back end any more");
            self.scheduler.remove_back_end(id, now);
            if let Some(plugin) = next {
                self.add(&name, plugin);
            }
            for answer in answers {
                let _: Result<(), ()> = answer.send(());
            }
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Works until it is told to stop ([`Control::shutdown`]) or the feed ends.
    pub async fn run(mut self) -> Result<(), StoreError> {
        // Dropped with this future, and its task with it.
        let mut publisher = JoinSet::new();
        publisher.spawn(self.outbox.clone().publish(self.store.clone()));
        let ended = self.work().await;
        self.finish().await;
        self.outbox.close();
        if timeout(self.config.grace, publisher.join_next()).await.is_err() {
            tracing::warn!("statuses could not be written before the end; they will be after the next start");
        }
        ended
    }

    async fn work(&mut self) -> Result<(), StoreError> {
        let mut feed = self.store.feed();
        self.retell = false;
        let mut events = Vec::new();
        loop {
            self.relieve();
            if std::mem::take(&mut self.retell) {
                feed = self.store.feed();
            }
            self.dispatch();
            let due = self.scheduler.next_due().map(|due| self.start + due);
            tokio::select! {
                taken = self.events.recv_many(&mut events, EVENTS) => {
                    if taken == 0 {
                        return Ok(());
                    }
                    // Those that come together see what there is together.
                    for event in events.drain(..) {
                        if matches!(event, Event::Shutdown) {
                            return Ok(());
                        }
                        self.take(event);
                    }
                }
                changes = feed.next() => changes?.into_iter().for_each(|change| self.change(change)),
                Some(ended) = self.tasks.join_next(), if !self.tasks.is_empty() => self.end(ended),
                () = sleep_until(due.unwrap_or(self.start)), if due.is_some() => {}
            }
            // Each time, whatever else was next: while a bulk comes in, a back end whose call has ended would otherwise
            // stand still for as many pages of the feed as chance has it, and all that waits behind the bulk with it.
            while let Some(ended) = self.tasks.try_join_next() {
                self.end(ended);
            }
            self.scheduler.tick(self.now());
        }
    }

    /// Lets what is under way come to its end.
    async fn finish(&mut self) {
        let deadline = Instant::now() + self.config.grace;
        // Nobody waits any more for what will not be answered.
        self.events.close();
        while self.events.try_recv().is_ok() {}
        self.retiring.clear();
        self.drained.clear();
        while let Ok(Some(ended)) = tokio::time::timeout_at(deadline, self.tasks.join_next()).await {
            self.end(ended);
        }
        if !self.tasks.is_empty() {
            tracing::warn!(actions = self.tasks.len(), "actions were dropped at the end of the grace");
        }
        self.tasks.shutdown().await;
        self.outbox.put(self.scheduler.take_reports());
    }

    fn change(&mut self, change: Change) {
        let now = self.now();
        match change {
            Change::SnapshotBegins => self.scheduler.snapshot_begins(),
            Change::SnapshotEnds => self.scheduler.snapshot_ends(now),
            Change::Gone(key) => self.scheduler.gone(&key, now),
            Change::Present(object) => {
                let placement = self.placement(&object);
                self.scheduler.present(&object, &placement, now);
            }
        }
    }

    fn placement(&self, object: &Object) -> Placement {
        let mut placement = Placement::default();
        let kind = object.key.kind;
        for (&id, Attached { plugin, .. }) in &self.plugins {
            let declaration = self.scheduler.declaration(id);
            if declaration.anchor.is_some() {
                continue;
            }
            if declaration.kinds.contains(&kind) && plugin.concerns(object) {
                placement.acting.push(id);
            }
            let shape = &self.config.tenancy;
            let mut providers = object.edges.iter().filter(|edge| edge.relation == shape.provider);
            if declaration.tenancies && kind == shape.tenancy && providers.any(|edge| plugin.serves(&edge.to))
            {
                placement.telling.push(id);
            }
        }
        placement
    }

    fn take(&mut self, event: Event<S::Body>) {
        let now = self.now();
        match event {
            Event::Acknowledge(back_end, key, digest, result) => {
                self.scheduler.acknowledge(&back_end, &key, digest, result, now);
            }
            Event::Recheck(back_end, key) => self.scheduler.recheck(&back_end, &key, now),
            Event::Drained(back_end, answer) => self.drained.push((back_end, answer)),
            // Who asked and has gone does not need the answer.
            Event::Metrics(answer) => drop(answer.send(self.scheduler.metrics())),
            Event::Replace(name, plugin, answer) => self.replace(&name, plugin, answer),
            Event::Shutdown => unreachable!("this is for the loop"),
        }
    }

    fn end(&mut self, ended: Result<Ended, tokio::task::JoinError>) {
        let now = self.now();
        match ended {
            Ok(Ended::Batch(back_end, completions)) => self.scheduler.complete(back_end, completions, now),
            Ok(Ended::Look(back_end, since, found)) => {
                self.scheduler.compared(back_end, now);
                let name = self.scheduler.back_end(back_end);
                match found {
                    Ok(Some(things)) => self.scheduler.observed(back_end, since, things, now),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(back_end = %name, error, "could not be looked at"),
                }
            }
            Err(error) => tracing::error!(%error, "a task of the synchronizer was lost"),
        }
    }

    /// Begins all that there is room for, and hands on what statuses must say.
    fn dispatch(&mut self) {
        let now = self.now();
        while let Some(batch) = self.scheduler.next(now) {
            let back_end = batch.back_end;
            let attached = &self.plugins[&back_end];
            let act = action::Act {
                store: self.store.clone(),
                plugin: attached.plugin.clone(),
                stop: attached.stop.subscribe(),
                name: self.scheduler.back_end(back_end).clone(),
                journal: self.scheduler.declaration(back_end).journal,
                limit: self.scheduler.declaration(back_end).limits.timeout,
            };
            self.tasks.spawn(async move { Ended::Batch(back_end, act.run(batch).await) });
        }
        for back_end in self.scheduler.due_comparisons(now) {
            let since = self.scheduler.step();
            let Attached { plugin, stop } = &self.plugins[&back_end];
            let (plugin, mut stop) = (plugin.clone(), stop.subscribe());
            let limit = self.scheduler.declaration(back_end).limits.timeout;
            self.tasks.spawn(async move {
                let look = async {
                    match timeout(limit, guarded(plugin.observe())).await {
                        Ok(Ok(Ok(found))) => Ok(found),
                        Ok(Ok(Err(failure))) => Err(failure.message),
                        Ok(Err(panic)) => Err(panic),
                        Err(_) => Err(format!("no answer within {limit:?}")),
                    }
                };
                let found = tokio::select! {
                    found = look => found,
                    // It goes.
                    _ = stop.changed() => Ok(None),
                };
                Ended::Look(back_end, since, found)
            });
        }
        self.outbox.put(self.scheduler.take_reports());
        let drained = self.drained.extract_if(.., |(back_end, _)| self.scheduler.is_drained(back_end));
        // Who asked and has gone does not need the answer.
        for (_, answer) in drained {
            let _: Result<(), ()> = answer.send(());
        }
    }
}
