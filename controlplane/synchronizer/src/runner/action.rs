//! One call of a plug-in: what may happen is recorded before, what has happened after.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::timeout};

use super::erased::{Erased, guarded};
use crate::{
    Action, Aspect, BackEnd, Batch, Completion, EffectRecord, Ended, Item, Journal, Made, Outcome, Phase,
    Record, Store, Telling, Work, Write,
};

pub(super) struct Act<S: Store> {
    pub(super) store: Arc<S>,
    pub(super) plugin: Arc<dyn Erased<S::Body>>,
    pub(super) name: BackEnd,
    pub(super) journal: Journal,
    pub(super) limit: Duration,
    /// Ends when the back end is to go.
    pub(super) stop: watch::Receiver<()>,
}

impl<S: Store> Act<S> {
    pub(super) async fn run(mut self, batch: Batch) -> Vec<Completion> {
        let Batch { action, works, .. } = batch;
        let mut completions = Vec::with_capacity(works.len());
        let (mut ready, mut items) = (Vec::with_capacity(works.len()), Vec::with_capacity(works.len()));
        for work in works {
            match self.item(action, &work) {
                Ok(item) => {
                    ready.push(work);
                    items.push(item);
                }
                Err(ended) => completions.push(completion(&work, work.operation.generation, ended)),
            }
        }
        let ended = self.act(action, &ready, &items).await;
        let ended = self.record_after(action, &ready, &items, ended).await;
        let done = ready.iter().zip(&items).zip(ended);
        completions
            .extend(done.map(|((work, item), ended)| completion(work, item.operation.generation, ended)));
        completions
    }

    /// The object as it is now. What is newer than what the scheduler knows is left until it does: the object may stand on
    /// others by now, whose turn comes first.
    fn item(&self, action: Action, work: &Work) -> Result<Item<S::Body>, Ended> {
        let operation = work.operation.clone();
        let read = match action {
            Action::Forget | Action::Tell => None,
            Action::Apply | Action::Adopt | Action::Remove => {
                let read = self.store.read(&operation.key);
                let read = read.map_err(|error| failed(format!("the object cannot be read: {error}")))?;
                read.filter(|object| object.uid == operation.uid)
            }
        };
        if matches!(action, Action::Apply | Action::Adopt)
            && read.as_ref().is_none_or(|read| read.generation != operation.generation)
        {
            return Err(Ended::Superseded);
        }
        let body = read.map(|object| object.body);
        let (handle, edges) = (work.handle.clone(), work.edges.clone());
        Ok(Item { operation, body, handle, edges, attempt: work.attempt })
    }

    async fn act(&mut self, action: Action, works: &[Work], items: &[Item<S::Body>]) -> Vec<Ended> {
        let all = |ended: &Ended| vec![ended.clone(); items.len()];
        if items.is_empty() {
            return Vec::new();
        }
        if let Err(error) = self.record_before(action, works, items).await {
            return all(&Ended::NotBegun(format!("what was to be done could not be recorded: {error}")));
        }
        let plugin = self.plugin.clone();
        let call = async {
            match works {
                [Work { tell: Some(tell), .. }] => {
                    guarded(plugin.tell(&tell.change)).await.map(|outcome| vec![outcome])
                }
                _ => guarded(plugin.act(action, items)).await,
            }
        };
        let call = async {
            tokio::select! {
                biased;
                _ = self.stop.changed() => None,
                ended = timeout(self.limit, call) => Some(ended),
            }
        };
        let Some(ended) = call.await else { return all(&Ended::Stopped) };
        match ended {
            Err(_) => all(&Ended::TimedOut(self.limit)),
            Ok(Err(panic)) => all(&failed(panic)),
            Ok(Ok(outcomes)) if outcomes.len() == items.len() => {
                outcomes.into_iter().map(Ended::Outcome).collect()
            }
            Ok(Ok(outcomes)) => {
                let (said, asked) = (outcomes.len(), items.len());
                all(&failed(format!("the plug-in told of {said} objects and was asked for {asked}")))
            }
        }
    }

    async fn record_before(
        &self,
        action: Action,
        works: &[Work],
        items: &[Item<S::Body>],
    ) -> Result<(), crate::StoreError> {
        let writes: Vec<Write> = if action == Action::Tell {
            let telling = works.iter().filter_map(|work| {
                let Telling { told, doubtful, .. } = work.tell.clone()?;
                Some(self.record(work, Record::Telling { told, doubtful }))
            });
            telling.collect()
        } else if self.journal == Journal::Keyed || !matches!(action, Action::Apply | Action::Remove) {
            Vec::new()
        } else {
            let recorded = works.iter().zip(items).filter(|(work, _)| !work.stray);
            let begun = recorded.map(|(work, item)| {
                let made = Made { handle: work.handle.clone(), digest: None, owned: work.owned };
                self.effect(work, item, Phase::Begun, made)
            });
            begun.collect()
        };
        if writes.is_empty() { Ok(()) } else { self.store.write(writes).await }
    }

    /// What cannot be recorded has not happened yet, as far as dependants go: it is done again.
    async fn record_after(
        &self,
        action: Action,
        works: &[Work],
        items: &[Item<S::Body>],
        mut ended: Vec<Ended>,
    ) -> Vec<Ended> {
        let mut writes = Vec::new();
        for ((work, item), ended) in works.iter().zip(items).zip(&ended) {
            let keyed = self.journal == Journal::Keyed;
            let (made, phase) = match ended {
                Ended::Outcome(Outcome::Done(made)) => (made, Phase::Applied),
                Ended::Outcome(Outcome::Pending(made)) => (made, Phase::Pending),
                Ended::Outcome(Outcome::Untouched(_)) => {
                    if action == Action::Apply && work.first && !keyed {
                        writes.push(self.forget(work, Aspect::Effect));
                    }
                    continue;
                }
                Ended::Outcome(Outcome::Failed(_))
                | Ended::TimedOut(_)
                | Ended::NotBegun(_)
                | Ended::Stopped
                | Ended::Superseded => continue,
            };
            match action {
                Action::Tell => writes.push(self.told(work)),
                _ if keyed || work.stray => {}
                Action::Apply | Action::Adopt => {
                    let made = Made {
                        handle: made.handle.clone().or_else(|| work.handle.clone()),
                        digest: made.digest,
                        owned: made.owned && work.owned && action == Action::Apply,
                    };
                    writes.push(self.effect(work, item, phase, made));
                }
                Action::Remove | Action::Forget => writes.push(self.forget(work, Aspect::Effect)),
            }
        }
        if !writes.is_empty()
            && let Err(error) = self.store.write(writes).await
        {
            let lost = failed(format!("what was done could not be recorded: {error}"));
            let lasts = |ended: &&mut Ended| !matches!(ended, Ended::TimedOut(_) | Ended::Stopped);
            for ended in ended.iter_mut().filter(lasts) {
                *ended = lost.clone();
            }
        }
        ended
    }

    fn effect(&self, work: &Work, item: &Item<S::Body>, phase: Phase, made: Made) -> Write {
        let Made { handle, digest, owned } = made;
        let uid = work.operation.uid.clone();
        let (generation, basis) = (item.operation.generation, work.basis);
        let mut edges = work.edges.clone();
        if phase == Phase::Begun {
            edges.extend_from_slice(&work.edges_before);
        }
        let record = EffectRecord { uid, phase, generation, basis, handle, digest, owned, edges };
        self.record(work, Record::Effect(record))
    }

    fn told(&self, work: &Work) -> Write {
        match &work.tell {
            Some(Telling { change, .. }) if !change.instances.is_empty() => {
                self.record(work, Record::Told(change.instances.clone()))
            }
            _ => self.forget(work, Aspect::Told),
        }
    }

    fn record(&self, work: &Work, record: Record) -> Write {
        let (key, uid) = (work.operation.key.clone(), work.operation.uid.clone());
        Write::Record { key, uid, back_end: self.name.clone(), record }
    }

    fn forget(&self, work: &Work, aspect: Aspect) -> Write {
        let (key, uid) = (work.operation.key.clone(), work.operation.uid.clone());
        Write::Forget { key, uid, back_end: self.name.clone(), aspect }
    }
}

fn failed(message: String) -> Ended {
    Ended::Outcome(Outcome::failed(message))
}

fn completion(work: &Work, generation: u64, ended: Ended) -> Completion {
    Completion { ticket: work.ticket, generation, ended }
}
