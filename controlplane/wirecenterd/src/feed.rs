//! From the store's changes to the nodes' tables, one session for one subscriber.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use agent_link::{Change, NodeTable};
use anyhow::Context as _;
use api::Office;
use intent_store::Compacted;
use net_types::{Generation, Name};
use node_state::{Resource, ResourceKey};
use office_plan::{NodePool, NodePools, node_resources, session};
use xos_model::{
    AddressPool, AddressPoolSpec, Kind, KindName, Node, NodeSpec, Object, Subscriber, SubscriberSpec,
};

use crate::nodes::Nodes;

/// Changes that are taken at a time.
const CHUNK: usize = 1024;

/// Follows the store. What it holds is what it has derived so far, so that it can tell what a change changes.
pub(crate) struct Feed {
    office: Office,
    nodes: Arc<Nodes>,
    fed: HashMap<Name, FedNode>,
    pools: BTreeMap<Name, AddressPoolSpec>,
    /// The node of each subscriber's session.
    sessions: HashMap<Name, Name>,
    /// Everything up to this revision is in the tables.
    at: u64,
}

struct FedNode {
    spec: NodeSpec,
    pools: NodePools,
    table: Arc<NodeTable>,
    /// Of what is not a session.
    keys: BTreeSet<ResourceKey>,
}

/// What a chunk of changes touches.
#[derive(Default)]
struct Touched {
    nodes: HashSet<Name>,
    /// Nodes whose sessions may all have changed.
    pooled: HashSet<Name>,
    subscribers: BTreeMap<Name, Option<Subscriber>>,
}

impl Feed {
    pub(crate) fn new(office: Office, nodes: Arc<Nodes>) -> Self {
        Self { office, nodes, fed: HashMap::new(), pools: BTreeMap::new(), sessions: HashMap::new(), at: 0 }
    }

    /// Brings the tables to where the store is, from any start.
    pub(crate) fn load(&mut self) -> anyhow::Result<()> {
        let revision = self.office.store().revision();
        let (mut nodes, mut pools) = (Vec::new(), Vec::new());
        self.each(revision, |node: Node| nodes.push(node))?;
        self.each(revision, |pool: AddressPool| pools.push(pool))?;
        let mut subscribers: BTreeMap<Name, Option<Subscriber>> =
            self.sessions.keys().map(|name| (name.clone(), None)).collect();
        self.each(revision, |subscriber: Subscriber| {
            subscribers.insert(subscriber.name().clone(), Some(subscriber));
        })?;
        self.pools = pools.into_iter().map(|pool| (pool.name().clone(), pool.spec)).collect();
        let gone: Vec<_> = {
            let names: HashSet<_> = nodes.iter().map(Object::name).collect();
            self.fed.keys().filter(|name| !names.contains(name)).cloned().collect()
        };
        for name in gone {
            self.forget(&name);
        }
        let mut touched = Touched { subscribers, ..Touched::default() };
        for node in nodes {
            touched.nodes.insert(node.name().clone());
            self.know(&node);
        }
        let changes = self.derive(touched).0;
        self.publish(changes, revision);
        // Even a node without any resource has a generation.
        for (name, node) in &self.fed {
            node.table.apply(Generation(revision), Vec::new());
            self.nodes.insert(name, node.table.clone());
        }
        self.at = revision;
        Ok(())
    }

    /// Follows the store for as long as that is possible; gives back why it no longer is.
    pub(crate) async fn run(mut self) -> anyhow::Error {
        let mut revisions = self.office.store().revisions();
        loop {
            if let Err(error) = self.catch_up().await {
                return error.context("following the store");
            }
            if revisions.changed().await.is_err() {
                return anyhow::anyhow!("the store is closed");
            }
        }
    }

    async fn catch_up(&mut self) -> anyhow::Result<()> {
        loop {
            let changes = match self.office.store().changes(self.at, CHUNK) {
                Ok(changes) => changes,
                Err(compacted @ Compacted { .. }) => {
                    tracing::warn!(%compacted, "deriving everything anew");
                    self.load()?;
                    continue;
                }
            };
            let Some(last) = changes.last() else { return Ok(()) };
            let revision = last.revision;
            let mut touched = Touched::default();
            for change in changes {
                let now = change.now.as_ref().map(|record| &*record.value);
                self.touch(&mut touched, &change.key, now)?;
            }
            let (changes, rederived) = self.derive(touched);
            // Before the node hears of it: its acknowledgement may be quicker than this write, and must come after it.
            self.office.sessions_rederived(rederived).await?;
            self.publish(changes, revision);
            self.at = revision;
            // The log is long: others have their turn.
            tokio::task::yield_now().await;
        }
    }

    /// Takes one change of the store in, and notes what has to be derived again.
    fn touch(&mut self, touched: &mut Touched, key: &str, now: Option<&[u8]>) -> anyhow::Result<()> {
        let Some((plural, name)) = key.split_once('/') else { return Ok(()) };
        let Some(kind) = KindName::from_plural(plural) else { return Ok(()) };
        let name: Name = name.parse().with_context(|| format!("the store's key {key}"))?;
        match kind {
            KindName::Node => match now {
                Some(json) => {
                    let node: Node = decode(key, json)?;
                    if self.fed.get(&name).is_none_or(|fed| fed.spec != node.spec) {
                        self.know(&node);
                        touched.nodes.insert(name);
                    }
                }
                None => self.forget(&name),
            },
            KindName::AddressPool => {
                let now =
                    now.map(|json| decode::<AddressPoolSpec>(key, json)).transpose()?.map(|pool| pool.spec);
                let before = match &now {
                    Some(spec) => self.pools.insert(name, spec.clone()),
                    None => self.pools.remove(&name),
                };
                if before != now {
                    touched.pooled.extend(before.into_iter().chain(now).map(|pool| pool.node));
                }
            }
            KindName::Subscriber => {
                let subscriber = now.map(|json| decode(key, json)).transpose()?;
                touched.subscribers.insert(name, subscriber);
            }
            // Nothing on a node follows from the others.
            _ => {}
        }
        Ok(())
    }

    /// What changes for which node, and the subscribers whose session changed with their pool.
    fn derive(&mut self, touched: Touched) -> (HashMap<Name, Vec<Change>>, Vec<Name>) {
        let Touched { mut nodes, pooled, mut subscribers } = touched;
        let mut changes: HashMap<Name, Vec<Change>> = HashMap::new();
        let mut rederived = Vec::new();
        for name in &pooled {
            let pools = self.pools_of(name);
            if let Some(node) = self.fed.get_mut(name) {
                node.pools = pools;
                nodes.insert(name.clone());
            }
        }
        if !pooled.is_empty() {
            let store = self.office.store();
            for (name, _) in self.sessions.iter().filter(|(_, node)| pooled.contains(*node)) {
                if !subscribers.contains_key(name) {
                    subscribers.insert(name.clone(), api::read_object::<SubscriberSpec>(store, name));
                    rederived.push(name.clone());
                }
            }
        }
        for name in nodes {
            if let Some(node) = self.fed.get_mut(&name) {
                let todo = node.rederive();
                changes.entry(name).or_default().extend(todo);
            }
        }
        let mut renewed = HashSet::new();
        for (name, subscriber) in subscribers {
            if self.derive_session(&name, subscriber.as_ref(), &mut changes) {
                renewed.insert(name);
            }
        }
        rederived.retain(|name| renewed.contains(name));
        (changes, rederived)
    }

    /// Whether the subscriber has another session than before.
    fn derive_session(
        &mut self,
        name: &Name,
        subscriber: Option<&Subscriber>,
        changes: &mut HashMap<Name, Vec<Change>>,
    ) -> bool {
        let key = ResourceKey::session(name);
        let now = subscriber.and_then(|subscriber| {
            let node = &subscriber.spec.access.node;
            let session = session(subscriber, &self.fed.get(node)?.pools)?;
            Some((node.clone(), Resource::Session(session)))
        });
        let before = match &now {
            Some((node, _)) => self.sessions.insert(name.clone(), node.clone()),
            None => self.sessions.remove(name),
        };
        if let Some(before) = before
            && now.as_ref().is_none_or(|(node, _)| *node != before)
        {
            changes.entry(before).or_default().push(Change::Remove(key.clone()));
        }
        let Some((node, resource)) = now else { return false };
        let known = self.fed.get(&node).and_then(|fed| fed.table.version(&key));
        if known == Some(resource.version()) {
            return false;
        }
        changes.entry(node).or_default().push(Change::Upsert(resource));
        true
    }

    /// Nodes whose state stays as it is do not even hear of the revision.
    fn publish(&self, changes: HashMap<Name, Vec<Change>>, revision: u64) {
        for (name, changes) in changes {
            if let Some(node) = self.fed.get(&name)
                && !changes.is_empty()
            {
                node.table.apply(Generation(revision), changes);
                self.nodes.insert(&name, node.table.clone());
            }
        }
    }

    fn know(&mut self, node: &Node) {
        let pools = self.pools_of(node.name());
        if let Some(fed) = self.fed.get_mut(node.name()) {
            fed.spec = node.spec.clone();
            fed.pools = pools;
        } else {
            let (table, keys) = (Arc::new(NodeTable::new()), BTreeSet::new());
            let fed = FedNode { spec: node.spec.clone(), pools, table, keys };
            self.fed.insert(node.name().clone(), fed);
        }
    }

    fn forget(&mut self, node: &Name) {
        self.fed.remove(node);
        self.nodes.remove(node);
    }

    fn pools_of(&self, node: &Name) -> NodePools {
        let pools = self.pools.iter().filter(|(_, spec)| spec.node == *node);
        NodePools::new(
            pools.map(|(name, spec)| NodePool { name: name.clone(), spec: spec.clone() }).collect(),
        )
    }

    /// Visits all objects of a kind as of a revision.
    fn each<K: Kind>(&self, revision: u64, mut visit: impl FnMut(Object<K>)) -> anyhow::Result<()> {
        let prefix = format!("{}/", K::KIND.plural());
        let mut after: Option<String> = None;
        loop {
            let page = self.office.store().page(&prefix, after.as_deref(), CHUNK, Some(revision))?;
            for (key, record) in &page.items {
                visit(decode(key, &record.value)?);
            }
            after = page.items.last().map(|(key, _)| key.to_string());
            if !page.more {
                return Ok(());
            }
        }
    }
}

impl FedNode {
    /// Ports, links and routes anew, and what of them is no longer wanted.
    fn rederive(&mut self) -> Vec<Change> {
        let resources = node_resources(&self.spec, &self.pools);
        let keys: BTreeSet<_> = resources.iter().map(Resource::key).collect();
        let mut changes: Vec<_> = self.keys.difference(&keys).cloned().map(Change::Remove).collect();
        let news = resources.into_iter().filter(|new| self.table.version(&new.key()) != Some(new.version()));
        changes.extend(news.map(Change::Upsert));
        self.keys = keys;
        changes
    }
}

fn decode<K: Kind>(key: &str, json: &[u8]) -> anyhow::Result<Object<K>> {
    serde_json::from_slice(json).with_context(|| format!("the stored object {key}"))
}
