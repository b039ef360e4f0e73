//! An office with one node, in memory.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use agent_link::{Authority, Change, JoinRefused, NodeTable, Office, Report, serve};
use linux_node::NetNs;
use net_types::{Generation, Name};
use node_state::Resource;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

/// Longer than anything here takes on a busy machine; only a failure waits for it.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(20);

pub(crate) struct TestOffice {
    authority: Arc<Authority>,
    state: Arc<State>,
    _dir: tempfile::TempDir,
}

struct State {
    table: Arc<NodeTable>,
    secret: Mutex<Option<String>>,
    reports: Mutex<Vec<Report>>,
}

impl Office for State {
    async fn redeem(&self, _: &Name, secret: &str) -> Result<(), JoinRefused> {
        let given = self.secret.lock().expect("lock").take();
        if given.as_deref() == Some(secret) { Ok(()) } else { Err(JoinRefused::Token) }
    }

    fn uid(&self, node: &Name) -> Option<String> {
        (node.as_str() == "node1").then(|| "uid".into())
    }

    fn table(&self, node: &Name) -> Option<Arc<NodeTable>> {
        (node.as_str() == "node1").then(|| self.table.clone())
    }

    async fn report(&self, _: &Name, report: Report) {
        self.reports.lock().expect("lock").push(report);
    }
}

/// The controller's end at work.
pub(crate) struct Serving {
    pub(crate) address: String,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
}

impl Serving {
    pub(crate) async fn stop(self) {
        drop(self.stop);
        self.served.await.expect("ends well");
    }
}

impl TestOffice {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("directory");
        let authority = Arc::new(Authority::open(dir.path()).expect("authority"));
        let state = State { table: Arc::default(), secret: Mutex::default(), reports: Mutex::default() };
        Self { authority, state: Arc::new(state), _dir: dir }
    }

    pub(crate) fn token(&self) -> String {
        *self.state.secret.lock().expect("lock") = Some("once".into());
        self.authority.token(&"node1".parse().expect("name"), "once").expect("legal")
    }

    /// Serves on the loopback address of a namespace.
    pub(crate) fn serve(&self, netns: &NetNs) -> Serving {
        let listener = netns.run(|| std::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("the namespace is there").expect("binds");
        let address = listener.local_addr().expect("bound").to_string();
        listener.set_nonblocking(true).expect("a socket");
        let listener = TcpListener::from_std(listener).expect("a socket");
        let (stop, stopped) = oneshot::channel::<()>();
        let (authority, state) = (self.authority.clone(), self.state.clone());
        let served = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            serve(listener, authority, state, stopped).await.expect("serves");
        });
        Serving { address, stop, served }
    }

    pub(crate) fn apply(&self, generation: u64, resources: &[Resource]) {
        let changes = resources.iter().cloned().map(Change::Upsert).collect();
        self.state.table.apply(Generation(generation), changes);
    }

    pub(crate) fn forget_reports(&self) {
        self.state.reports.lock().expect("lock").clear();
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        self.state.reports.lock().expect("lock").clone()
    }

    /// Waits until the node has told that all of these are in its kernel, with this generation.
    pub(crate) async fn until_programmed(&self, generation: u64, resources: &[Resource]) {
        let told = |resource: &Resource| {
            let wanted = (resource.key(), resource.version(), Ok(()));
            self.reports().iter().any(|report| match report {
                Report::Applied { generation: at, results } => {
                    at.0 == generation && results.contains(&wanted)
                }
                _ => false,
            })
        };
        until(|| resources.iter().all(told), || format!("{:#?}", self.reports())).await;
    }
}

/// Waits for the condition; says `otherwise` what is there instead.
pub(crate) async fn until(condition: impl Fn() -> bool, otherwise: impl Fn() -> String) {
    let met = async {
        while !condition() {
            tokio::time::sleep(PAUSE).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, met).await.is_ok(), "{}", otherwise());
}
