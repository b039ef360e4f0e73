//! Where the nodes' agents report.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use agent_link::{JoinRefused, NodeTable, Outcome, Report};
use api::{JoinError, NodeReport, Office};
use intent_store::Stopped;
use net_types::{Generation, Name};
use node_state::ResourceKey;
use xos_model::{KindName, Node, NodeSpec};

use super::Nodes;

/// The controller as its end of the agents' link knows it.
pub(crate) struct Desk {
    writer: Arc<Writer>,
    connected: Mutex<HashMap<Name, Arc<Seat>>>,
}

/// Who writes down what is known of nodes.
struct Writer {
    office: Office,
    nodes: Arc<Nodes>,
}

/// A node's stream, from when it is up until it is gone.
#[derive(Default)]
struct Seat {
    known: Mutex<Connected>,
    /// Held while what is known is written, so that nothing older is written after it.
    turn: tokio::sync::Mutex<()>,
    /// Somebody waits for the turn, and will write what is known by then.
    awaited: AtomicBool,
}

/// What a connected node has said since its stream is up.
#[derive(Default)]
struct Connected {
    agent_version: String,
    programmed: Generation,
    refused: BTreeMap<ResourceKey, String>,
    gone: bool,
}

impl Desk {
    pub(crate) fn new(office: Office, nodes: Arc<Nodes>) -> Self {
        Self { writer: Arc::new(Writer { office, nodes }), connected: Mutex::default() }
    }

    /// Writes that no node is connected: after a restart none is yet.
    pub(crate) async fn open(&self) -> anyhow::Result<()> {
        let prefix = format!("{}/", KindName::Node.plural());
        let mut after: Option<String> = None;
        loop {
            let page = self.writer.office.store().page(&prefix, after.as_deref(), 1000, None)?;
            for (_, record) in &page.items {
                let node: Node = serde_json::from_slice(&record.value)?;
                if node.status.connected {
                    let generation = self.writer.nodes.generation(node.name());
                    let report = disconnected(generation, node.status.programmed_generation);
                    self.writer.office.node_reported(node.name(), report).await?;
                }
            }
            after = page.items.last().map(|(key, _)| key.to_string());
            if !page.more {
                return Ok(());
            }
        }
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<Name, Arc<Seat>>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, node: &Name, report: Report) -> Result<(), Stopped> {
        match report {
            Report::Connected { agent_version, programmed } => {
                tracing::info!(%node, agent_version, %programmed, "node connected");
                let known = Connected { agent_version, programmed, ..Connected::default() };
                let seat = Arc::new(Seat { known: Mutex::new(known), ..Seat::default() });
                self.seats().insert(node.clone(), seat.clone());
                self.writer.write(node, &seat).await
            }
            Report::Applied { generation, results } => {
                let seat = self.seats().entry(node.clone()).or_default().clone();
                seat.known().take(generation, &results);
                self.writer.nodes.reported(node, results);
                self.writer.clone().write_soon(node, seat);
                Ok(())
            }
            Report::Disconnected { reason } => {
                tracing::info!(%node, reason, "node disconnected");
                let seat = self.seats().remove(node).unwrap_or_default();
                seat.known().gone = true;
                self.writer.write(node, &seat).await
            }
        }
    }
}

impl Writer {
    /// Writes what is known of a node, and returns when it is durable.
    async fn write(&self, node: &Name, seat: &Seat) -> Result<(), Stopped> {
        let _turn = seat.turn.lock().await;
        let report = seat.known().report(self.nodes.generation(node));
        self.office.node_reported(node, report).await
    }

    /// The same behind the caller's back. How far a node is changes with each chunk; a stream that waited for that to
    /// be durable would stand still while a bulk of the API's keeps the store busy. What is known last is written.
    fn write_soon(self: Arc<Self>, node: &Name, seat: Arc<Seat>) {
        if seat.awaited.swap(true, Ordering::AcqRel) {
            return;
        }
        let node = node.clone();
        tokio::spawn(async move {
            let _turn = seat.turn.lock().await;
            seat.awaited.store(false, Ordering::Release);
            let report = {
                let known = seat.known();
                if known.gone {
                    // The node's next stream may be up, and says what is known.
                    return;
                }
                known.report(self.nodes.generation(&node))
            };
            log(&node, self.office.node_reported(&node, report).await);
        });
    }
}

impl Seat {
    fn known(&self) -> MutexGuard<'_, Connected> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected {
    /// Notes what was refused.
    fn take(&mut self, generation: Generation, results: &[Outcome]) {
        self.programmed = generation;
        for (key, _, outcome) in results {
            match outcome {
                Ok(()) => drop(self.refused.remove(key)),
                Err(error) => drop(self.refused.insert(key.clone(), error.clone())),
            }
        }
    }

    fn report(&self, generation: u64) -> NodeReport {
        let programmed_generation = self.programmed.0;
        if self.gone {
            return disconnected(generation, programmed_generation);
        }
        NodeReport {
            connected: true,
            agent_version: Some(self.agent_version.clone()),
            generation,
            programmed_generation,
            trouble: self.trouble(generation),
        }
    }

    fn trouble(&self, generation: u64) -> Option<(&'static str, String)> {
        if let Some((key, error)) = self.refused.first_key_value() {
            let others = match self.refused.len() - 1 {
                0 => String::new(),
                others => format!(" (and {others} more)"),
            };
            return Some(("Refused", format!("{key}: {error}{others}")));
        }
        (self.programmed.0 < generation).then(|| {
            let message =
                format!("revision {} is in the kernel, {generation} is on its way", self.programmed);
            ("Progressing", message)
        })
    }
}

impl agent_link::Office for Desk {
    async fn redeem(&self, node: &Name, secret: &str) -> Result<(), JoinRefused> {
        self.writer.office.redeem_join_secret(node, secret).await.map_err(|error| match error {
            JoinError::Refused => JoinRefused::Token,
            JoinError::Expired => JoinRefused::Expired,
            JoinError::Stopped(stopped) => JoinRefused::Unavailable(stopped.to_string()),
        })
    }

    fn uid(&self, node: &Name) -> Option<String> {
        api::read_object::<NodeSpec>(self.writer.office.store(), node)?.metadata.uid
    }

    fn table(&self, node: &Name) -> Option<Arc<NodeTable>> {
        let table = self.writer.nodes.table(node);
        if table.is_none() {
            // The synchronizer is a step behind the store: a node that was just made has its table in a moment.
            let there = api::read_object::<NodeSpec>(self.writer.office.store(), node).is_some();
            tracing::info!(%node, there, "an agent came for a node that has no table");
        }
        table
    }

    async fn report(&self, node: &Name, report: Report) {
        log(node, self.take(node, report).await);
    }
}

fn disconnected(generation: u64, programmed_generation: u64) -> NodeReport {
    NodeReport { connected: false, agent_version: None, generation, programmed_generation, trouble: None }
}

fn log(node: &Name, written: Result<(), Stopped>) {
    if let Err(stopped) = written {
        tracing::error!(%node, %stopped, "a report could not be written");
    }
}

#[cfg(test)]
mod tests;
