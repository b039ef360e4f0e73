//! An office and a node in memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use agent_link::{
    Authority, Change, Chunk, Holdings, Identity, JoinRefused, JoinToken, Link, LinkConfig, LinkState, Node,
    NodeTable, Office, Outcome, REMOVED, Report, serve,
};
use net_types::{Generation, Name};
use node_state::{Resource, ResourceKey, Version};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinHandle,
};

/// Longer than anything here takes on a busy machine; only a failure waits for it.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn name(text: &str) -> Name {
    text.parse().expect("name")
}

pub(crate) fn route(number: u32, target: &str) -> Resource {
    let (high, low) = (number >> 8, number & 255);
    let text = format!(r#"{{"kind":"route","prefix":"10.{high}.{low}.0/24","target":"{target}"}}"#);
    Resource::decode(text.as_bytes()).expect("decodes")
}

pub(crate) fn upsert(number: u32) -> Change {
    Change::Upsert(route(number, "pool"))
}

pub(crate) fn update(number: u32) -> Change {
    Change::Upsert(route(number, "natPool"))
}

pub(crate) fn remove(number: u32) -> Change {
    Change::Remove(route(number, "pool").key())
}

/// An office that can be stopped and started again.
pub(crate) struct TestOffice {
    authority: Arc<Authority>,
    _dir: tempfile::TempDir,
    state: Arc<OfficeState>,
    address: String,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

pub(crate) struct OfficeState {
    tables: Mutex<HashMap<Name, Arc<NodeTable>>>,
    uids: Mutex<HashMap<Name, String>>,
    secrets: Mutex<HashSet<(Name, String)>>,
    expired: Mutex<HashSet<(Name, String)>>,
    reports: watch::Sender<Vec<Report>>,
}

impl Office for OfficeState {
    async fn redeem(&self, node: &Name, secret: &str) -> Result<(), JoinRefused> {
        let given = (node.clone(), secret.into());
        if self.expired.lock().expect("lock").contains(&given) {
            return Err(JoinRefused::Expired);
        }
        let mut secrets = self.secrets.lock().expect("lock");
        if secrets.remove(&given) { Ok(()) } else { Err(JoinRefused::Token) }
    }

    fn uid(&self, node: &Name) -> Option<String> {
        self.uids.lock().expect("lock").get(node).cloned()
    }

    fn table(&self, node: &Name) -> Option<Arc<NodeTable>> {
        self.tables.lock().expect("lock").get(node).cloned()
    }

    async fn report(&self, _: &Name, report: Report) {
        self.reports.send_modify(|reports| reports.push(report));
    }
}

impl TestOffice {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().expect("directory");
        let authority = Arc::new(Authority::open(dir.path()).expect("authority"));
        let tables = Mutex::new(HashMap::from([(name("node1"), Arc::default())]));
        let uids = Mutex::new(HashMap::from([(name("node1"), "first".into())]));
        let reports = watch::Sender::new(Vec::new());
        let state = Arc::new(OfficeState {
            tables,
            uids,
            secrets: Mutex::default(),
            expired: Mutex::default(),
            reports,
        });
        let mut office = Self { authority, _dir: dir, state, address: "127.0.0.1:0".into(), running: None };
        office.resume().await;
        office
    }

    /// Serves again, at the same address.
    pub(crate) async fn resume(&mut self) {
        let listener = TcpListener::bind(&self.address).await.expect("binds");
        self.address = listener.local_addr().expect("bound").to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        let (authority, state) = (self.authority.clone(), self.state.clone());
        let served = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve(listener, authority, state, stopped).await.expect("serves");
        });
        self.running = Some((stop, served));
    }

    pub(crate) async fn stop(&mut self) {
        if let Some((stop, served)) = self.running.take() {
            drop(stop);
            served.await.expect("ends well");
        }
    }

    /// A controller that has lost its memory, and read its store again up to this.
    pub(crate) fn replace_table(&self, generation: u64, changes: Vec<Change>) {
        let table = NodeTable::new();
        table.apply(Generation(generation), changes);
        self.state.tables.lock().expect("lock").insert(name("node1"), Arc::new(table));
    }

    pub(crate) fn table(&self) -> Arc<NodeTable> {
        self.state.table(&name("node1")).expect("the office has it")
    }

    pub(crate) fn delete(&self, node: &str) {
        let table = self.state.tables.lock().expect("lock").remove(&name(node));
        table.expect("the office had it").close();
        self.state.uids.lock().expect("lock").remove(&name(node));
    }

    pub(crate) fn add(&self, node: &str) {
        self.add_as(node, "first");
    }

    pub(crate) fn add_as(&self, node: &str, uid: &str) {
        self.state.uids.lock().expect("lock").insert(name(node), uid.into());
        self.state.tables.lock().expect("lock").insert(name(node), Arc::default());
    }

    pub(crate) fn apply(&self, generation: u64, changes: Vec<Change>) {
        self.table().apply(Generation(generation), changes);
    }

    pub(crate) fn token(&self, node: &str, secret: &str) -> JoinToken {
        self.state.secrets.lock().expect("lock").insert((name(node), secret.into()));
        self.authority.token(&name(node), secret).expect("legal").parse().expect("parses")
    }

    pub(crate) fn expired_token(&self, node: &str, secret: &str) -> JoinToken {
        self.state.expired.lock().expect("lock").insert((name(node), secret.into()));
        self.token(node, secret)
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        self.state.reports.borrow().clone()
    }

    pub(crate) async fn until_reported(&self, wanted: impl Fn(&[Report]) -> bool) {
        let mut reports = self.state.reports.subscribe();
        let outcome = tokio::time::timeout(PATIENCE, reports.wait_for(|reports| wanted(reports))).await;
        let reached = matches!(outcome, Ok(Ok(_)));
        assert!(reached, "reports so far: {:#?}", self.reports());
    }

    pub(crate) async fn until_counted(&self, wanted: &BTreeMap<String, u64>) {
        let table = self.table();
        let counted = async {
            while table.counters() != *wanted {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let reached = tokio::time::timeout(PATIENCE, counted).await;
        assert!(reached.is_ok(), "counted so far: {:?}", table.counters());
    }

    /// Starts an agent's end.
    pub(crate) fn connect(&self, node: &Arc<TestNode>) -> Running {
        let config = LinkConfig {
            controller: self.address.clone(),
            node: node.name.clone(),
            agent_version: "test".into(),
            backoff_min: Duration::from_millis(5),
            backoff_max: Duration::from_millis(50),
        };
        let link = Link::new(config, node.clone());
        Running(tokio::spawn(async move { match link.run().await {} }))
    }

    /// Waits until the node holds what the table says.
    pub(crate) async fn until_same(&self, node: &TestNode) {
        let table = self.table();
        node.until(|held| {
            held.generation == table.generation()
                && held.resources.len() == table.len()
                && held.resources.iter().all(|(key, (version, _))| table.version(key) == Some(*version))
        })
        .await;
    }
}

/// An agent's end at work; it stops dead when this is dropped.
pub(crate) struct Running(JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a node has on its disk.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk {
    pub(crate) generation: Generation,
    pub(crate) resources: BTreeMap<ResourceKey, (Version, Result<(), String>)>,
    pub(crate) identity: Option<Identity>,
    /// How many resources came, ever.
    pub(crate) received: usize,
    pub(crate) chunks: usize,
    pub(crate) state: Option<LinkState>,
}

pub(crate) struct TestNode {
    name: Name,
    token: Mutex<Result<JoinToken, String>>,
    disk: watch::Sender<Disk>,
    /// Prefix of keys that the kernel refuses.
    refuses: Mutex<Option<String>>,
    /// Chunks after which applying never ends.
    hangs_after: Mutex<Option<usize>>,
    news: Mutex<Vec<Outcome>>,
    has_news: tokio::sync::Notify,
    counters: Mutex<BTreeMap<String, u64>>,
}

impl TestNode {
    pub(crate) fn new(node: &str, token: Result<JoinToken, String>) -> Arc<Self> {
        Arc::new(Self {
            name: name(node),
            token: Mutex::new(token),
            disk: watch::Sender::default(),
            refuses: Mutex::default(),
            hangs_after: Mutex::default(),
            news: Mutex::default(),
            has_news: tokio::sync::Notify::default(),
            counters: Mutex::default(),
        })
    }

    pub(crate) fn joining(office: &TestOffice) -> Arc<Self> {
        Self::new("node1", Ok(office.token("node1", "first")))
    }

    pub(crate) fn set_token(&self, token: Result<JoinToken, String>) {
        *lock(&self.token) = token;
    }

    pub(crate) fn refuse(&self, prefix: &str) {
        *lock(&self.refuses) = Some(prefix.into());
    }

    pub(crate) fn hang_after(&self, chunks: Option<usize>) {
        *lock(&self.hangs_after) = chunks;
    }

    pub(crate) fn tell(&self, outcome: Outcome) {
        lock(&self.news).push(outcome);
        self.has_news.notify_one();
    }

    pub(crate) fn count(&self, name: &str, value: u64) {
        lock(&self.counters).insert(name.into(), value);
    }

    pub(crate) fn disk(&self) -> Disk {
        self.disk.borrow().clone()
    }

    pub(crate) fn change_disk(&self, change: impl FnOnce(&mut Disk)) {
        self.disk.send_modify(change);
    }

    pub(crate) async fn until(&self, wanted: impl Fn(&Disk) -> bool) {
        let mut disk = self.disk.subscribe();
        let outcome = tokio::time::timeout(PATIENCE, disk.wait_for(|disk| wanted(disk))).await;
        let reached = matches!(outcome, Ok(Ok(_)));
        let Disk { generation, received, state, .. } = self.disk();
        assert!(reached, "generation {generation}, {received} received, {state:?}");
    }

    pub(crate) async fn until_waiting_for(&self, error: &str) {
        self.until(|disk| matches!(&disk.state, Some(LinkState::Waiting { error: e }) if e.contains(error)))
            .await;
    }

    fn outcome(&self, key: &ResourceKey) -> Result<(), String> {
        match &*lock(&self.refuses) {
            Some(prefix) if key.as_str().starts_with(prefix) => Err("the kernel says no".into()),
            _ => Ok(()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("lock")
}

impl Node for TestNode {
    fn join_token(&self) -> Result<JoinToken, String> {
        lock(&self.token).clone()
    }

    fn identity(&self) -> Option<Identity> {
        self.disk.borrow().identity.clone()
    }

    async fn keep_identity(&self, identity: Identity, new_office: bool) -> Result<(), String> {
        self.change_disk(|disk| {
            disk.identity = Some(identity);
            if new_office {
                disk.generation = Generation(0);
            }
        });
        Ok(())
    }

    async fn holdings(&self) -> Holdings {
        let Disk { generation, resources, .. } = self.disk();
        let resources = resources.into_iter().map(|(key, (version, result))| (key, version, result));
        Holdings { generation, resources: resources.collect() }
    }

    async fn apply(&self, chunk: Chunk) -> Result<Vec<Outcome>, String> {
        let hangs_after = *lock(&self.hangs_after);
        if hangs_after.is_some_and(|chunks| self.disk.borrow().chunks >= chunks) {
            std::future::pending::<()>().await;
        }
        let upserts = chunk.upserts.iter().map(|r| (r.key.clone(), r.version, self.outcome(&r.key)));
        let removes = chunk.removes.iter().map(|key| (key.clone(), REMOVED, Ok(())));
        let outcomes: Vec<Outcome> = upserts.chain(removes).collect();
        self.change_disk(|disk| {
            disk.generation = chunk.generation;
            disk.received += outcomes.len();
            disk.chunks += 1;
            for (key, version, result) in outcomes.clone() {
                match version {
                    REMOVED => disk.resources.remove(&key),
                    version => disk.resources.insert(key, (version, result)),
                };
            }
        });
        Ok(outcomes)
    }

    async fn news(&self) -> Vec<Outcome> {
        loop {
            let news = std::mem::take(&mut *lock(&self.news));
            if !news.is_empty() {
                return news;
            }
            self.has_news.notified().await;
        }
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        lock(&self.counters).clone()
    }

    fn state(&self, state: LinkState) {
        self.change_disk(|disk| disk.state = Some(state));
    }
}
