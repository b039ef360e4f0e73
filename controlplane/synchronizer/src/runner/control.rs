//! What others may say to a runner.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::erased::{AnyPlugin, Erased};
use crate::{BackEnd, Failure, Key, Metrics};

pub(super) enum Event<B> {
    Acknowledge(BackEnd, Key, u64, Result<(), Failure>),
    Recheck(BackEnd, Key),
    Metrics(oneshot::Sender<Vec<(BackEnd, Metrics)>>),
    Drained(BackEnd, oneshot::Sender<()>),
    /// Nothing in its place: the back end goes.
    Replace(BackEnd, Option<Arc<dyn Erased<B>>>, oneshot::Sender<()>),
    Shutdown,
}

/// The runner is no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the synchronizer has stopped")]
pub struct Stopped;

/// Speaks to a [`super::Runner`]. When the last one is dropped, the runner shuts down.
pub struct Control<B> {
    events: mpsc::UnboundedSender<Event<B>>,
}

impl<B> Clone for Control<B> {
    fn clone(&self) -> Self {
        Self { events: self.events.clone() }
    }
}

impl<B: Send + Sync + 'static> Control<B> {
    pub(super) fn new(events: mpsc::UnboundedSender<Event<B>>) -> Self {
        Self { events }
    }

    /// What was made with this digest ([`crate::Made::digest`]) works, or not: it was applied pending
    /// ([`crate::Outcome::Pending`]), or has changed since it was last said. Of what is no longer so, it is nothing.
    pub fn acknowledge(
        &self,
        back_end: &BackEnd,
        key: Key,
        digest: u64,
        result: Result<(), Failure>,
    ) -> Result<(), Stopped> {
        self.send(Event::Acknowledge(back_end.clone(), key, digest, result))
    }

    /// A back end may have lost or changed an object: it is applied again.
    pub fn recheck(&self, back_end: &BackEnd, key: Key) -> Result<(), Stopped> {
        self.send(Event::Recheck(back_end.clone(), key))
    }

    /// Adds a back end, or puts it in the place of the one of that name. Calls of the one before are dropped. Returns
    /// when the new one is there; what it has to do it begins when all objects have been told again.
    pub async fn replace(&self, name: &str, plugin: AnyPlugin<B>) -> Result<(), Stopped> {
        self.put(name, Some(plugin.0)).await
    }

    /// Takes a back end away, if it is there. Its calls are dropped. What it has of objects stays recorded: they wait for
    /// a back end of that name. Returns when it is gone.
    pub async fn remove(&self, name: &str) -> Result<(), Stopped> {
        self.put(name, None).await
    }

    async fn put(&self, name: &str, plugin: Option<Arc<dyn Erased<B>>>) -> Result<(), Stopped> {
        let (sender, done) = oneshot::channel();
        self.send(Event::Replace(BackEnd::new(name), plugin, sender))?;
        done.await.map_err(|_| Stopped)
    }

    /// Returns when the world is known and the back end has been given all of it that it can take: nothing is in its
    /// queue or under way. What it has yet to acknowledge, or has refused, is not waited for.
    pub async fn drained(&self, back_end: &BackEnd) -> Result<(), Stopped> {
        let (sender, answer) = oneshot::channel();
        self.send(Event::Drained(back_end.clone(), sender))?;
        answer.await.map_err(|_| Stopped)
    }

    pub async fn metrics(&self) -> Result<Vec<(BackEnd, Metrics)>, Stopped> {
        let (sender, answer) = oneshot::channel();
        self.send(Event::Metrics(sender))?;
        answer.await.map_err(|_| Stopped)
    }

    /// Nothing more is begun; what is under way may end within the grace.
    pub fn shutdown(&self) -> Result<(), Stopped> {
        self.send(Event::Shutdown)
    }

    fn send(&self, event: Event<B>) -> Result<(), Stopped> {
        self.events.send(event).map_err(|_| Stopped)
    }
}
