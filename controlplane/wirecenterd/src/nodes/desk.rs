//! Where the nodes' agents report.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
    office: Office,
    nodes: Arc<Nodes>,
    connected: Mutex<HashMap<Name, Connected>>,
}

/// What a connected node has said since its stream is up.
#[derive(Default)]
struct Connected {
    agent_version: String,
    programmed: Generation,
    refused: BTreeMap<ResourceKey, String>,
}

impl Desk {
    pub(crate) fn new(office: Office, nodes: Arc<Nodes>) -> Self {
        Self { office, nodes, connected: Mutex::default() }
    }

    /// Writes that no node is connected: after a restart none is yet.
    pub(crate) async fn open(&self) -> anyhow::Result<()> {
        let prefix = format!("{}/", KindName::Node.plural());
        let mut after: Option<String> = None;
        loop {
            let page = self.office.store().page(&prefix, after.as_deref(), 1000, None)?;
            for (_, record) in &page.items {
                let node: Node = serde_json::from_slice(&record.value)?;
                if node.status.connected {
                    let programmed = Generation(node.status.programmed_generation);
                    self.say_disconnected(node.name(), programmed).await?;
                }
            }
            after = page.items.last().map(|(key, _)| key.to_string());
            if !page.more {
                return Ok(());
            }
        }
    }

    async fn say_disconnected(&self, node: &Name, programmed: Generation) -> Result<(), Stopped> {
        let report = NodeReport {
            connected: false,
            agent_version: None,
            generation: self.generation(node),
            programmed_generation: programmed.0,
            trouble: None,
        };
        self.office.node_reported(node, report).await
    }

    async fn say_connected(&self, node: &Name) -> Result<(), Stopped> {
        let generation = self.generation(node);
        let report = {
            let mut connected = self.connected();
            let known = connected.entry(node.clone()).or_default();
            NodeReport {
                connected: true,
                agent_version: Some(known.agent_version.clone()),
                generation,
                programmed_generation: known.programmed.0,
                trouble: known.trouble(generation),
            }
        };
        self.office.node_reported(node, report).await
    }

    fn generation(&self, node: &Name) -> u64 {
        self.nodes.table(node).map_or(0, |table| table.generation().0)
    }

    fn connected(&self) -> MutexGuard<'_, HashMap<Name, Connected>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn take(&self, node: &Name, report: Report) -> Result<(), Stopped> {
        match report {
            Report::Connected { agent_version, programmed } => {
                tracing::info!(%node, agent_version, %programmed, "node connected");
                let known = Connected { agent_version, programmed, refused: BTreeMap::new() };
                self.connected().insert(node.clone(), known);
                self.say_connected(node).await
            }
            Report::Applied { generation, results } => {
                self.connected().entry(node.clone()).or_default().take(generation, &results);
                self.nodes.reported(node, results);
                self.say_connected(node).await
            }
            Report::Disconnected { reason } => {
                tracing::info!(%node, reason, "node disconnected");
                let known = self.connected().remove(node).unwrap_or_default();
                self.say_disconnected(node, known.programmed).await
            }
        }
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
        self.office.redeem_join_secret(node, secret).await.map_err(|error| match error {
            JoinError::Refused => JoinRefused::Token,
            JoinError::Expired => JoinRefused::Expired,
            JoinError::Stopped(stopped) => JoinRefused::Unavailable(stopped.to_string()),
        })
    }

    fn uid(&self, node: &Name) -> Option<String> {
        api::read_object::<NodeSpec>(self.office.store(), node)?.metadata.uid
    }

    fn table(&self, node: &Name) -> Option<Arc<NodeTable>> {
        let table = self.nodes.table(node);
        if table.is_none() {
            // The synchronizer is a step behind the store: a node that was just made has its table in a moment.
            let there = api::read_object::<NodeSpec>(self.office.store(), node).is_some();
            tracing::info!(%node, there, "an agent came for a node that has no table");
        }
        table
    }

    async fn report(&self, node: &Name, report: Report) {
        if let Err(stopped) = self.take(node, report).await {
            tracing::error!(%node, %stopped, "a report could not be written");
        }
    }
}
