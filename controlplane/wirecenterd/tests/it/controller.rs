//! A controller of a test's own.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, StatusCode,
    body::{Bytes, Incoming},
    client::conn::http1::SendRequest,
    header::HeaderMap,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::UnixStream;

/// A running controller; killed when dropped.
pub(crate) struct Controller {
    directory: TempDir,
    /// More for its command line.
    arguments: &'static [&'static str],
    child: Option<Child>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// One connection.
pub(crate) struct Client(SendRequest<Full<Bytes>>);

pub(crate) fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime").block_on(test)
}

impl Controller {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(arguments: &'static [&'static str]) -> Self {
        let mut controller = Self { directory: TempDir::new().expect("a directory"), arguments, child: None };
        controller.start_again().await;
        controller
    }

    /// One that has not been started, and has nothing yet.
    pub(crate) fn absent() -> Self {
        Self { directory: TempDir::new().expect("a directory"), arguments: &[], child: None }
    }

    /// A controller whose store comes out of a backup; what `wirecenterd --restore` said, if it would not.
    pub(crate) async fn restored(backup: &Path) -> Result<Self, String> {
        let mut controller = Self::absent();
        controller.restore(backup)?;
        controller.start_again().await;
        Ok(controller)
    }

    /// `wirecenterd --restore` into its data directory.
    pub(crate) fn restore(&self, backup: &Path) -> Result<(), String> {
        let output = Command::new(env!("CARGO_BIN_EXE_wirecenterd"))
            .arg("--data-dir")
            .arg(self.directory.path().join("data"))
            .arg("--restore")
            .arg(backup)
            .output()
            .expect("wirecenterd starts");
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
    }

    /// `wirecenterd --rotate-key` on its data directory.
    pub(crate) fn rotate_key(&self) -> Result<(), String> {
        let output = Command::new(env!("CARGO_BIN_EXE_wirecenterd"))
            .arg("--data-dir")
            .arg(self.data())
            .arg("--rotate-key")
            .output()
            .expect("wirecenterd starts");
        if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    /// A controller with a node, its pools and nothing else.
    pub(crate) async fn with_office() -> Self {
        let controller = Self::start().await;
        let answer = controller.call(Method::POST, "/api/v1/transactions", &office()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        controller
    }

    pub(crate) async fn start_again(&mut self) {
        assert!(self.child.is_none());
        let log = std::fs::File::options().create(true).append(true).open(self.directory.path().join("log"));
        let child = Command::new(env!("CARGO_BIN_EXE_wirecenterd"))
            .arg("--data-dir")
            .arg(self.directory.path().join("data"))
            .arg("--socket")
            .arg(self.socket())
            .args(["--agent-listen", "127.0.0.1:0"])
            .args(self.arguments)
            .stdin(Stdio::null())
            .stderr(log.expect("a log"))
            .spawn()
            .expect("wirecenterd starts");
        self.child = Some(child);
        for _ in 0..2000 {
            if UnixStream::connect(self.socket()).await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
            let ended = self.child.as_mut().and_then(|child| child.try_wait().expect("can be waited for"));
            assert!(ended.is_none(), "wirecenterd ended: {}", self.log());
        }
        panic!("wirecenterd does not listen: {}", self.log());
    }

    /// Where it listens for agents since its last start.
    pub(crate) fn agents(&self) -> String {
        let log = self.log();
        let (_, after) = log.rsplit_once("agents=").expect("it says where");
        after.split_whitespace().next().expect("an address").to_owned()
    }

    /// Where it serves the API over TLS since its last start.
    pub(crate) fn api(&self) -> String {
        let log = self.log();
        let (_, after) = log.rsplit_once("api=").expect("it says where");
        after.split_whitespace().next().expect("an address").to_owned()
    }

    /// The certificate of the office's authority.
    pub(crate) fn ca(&self) -> PathBuf {
        self.directory.path().join("data/ca/office-ca.pem")
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("api.sock")
    }

    /// As `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("running");
        child.kill().expect("can be killed");
        child.wait().expect("can be waited for");
    }

    /// As a service manager stops it; gives back whether it ended well.
    pub(crate) fn terminate(&mut self) -> bool {
        let mut child = self.child.take().expect("running");
        let pid = nix::unistd::Pid::from_raw(child.id().try_into().expect("a pid"));
        nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("can be told");
        child.wait().expect("can be waited for").success()
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.socket()).await.expect("connects")
    }

    pub(crate) async fn call(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.client().await.call(method, path, &[], body.to_string()).await.expect("answers")
    }

    /// The first administrator's token, as it was shown.
    pub(crate) fn first_token(&self) -> String {
        let log = self.log();
        let shown: Vec<_> = log.lines().map(str::trim).filter(|line| line.starts_with("wct_")).collect();
        assert_eq!(shown.len(), 1, "shown once: {log}");
        shown[0].to_owned()
    }

    /// As whoever has the token.
    pub(crate) async fn call_as(&self, token: &str, method: Method, path: &str, body: &Value) -> Answer {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", authorization.as_str())];
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.client().await.call(method, path, &headers, body).await.expect("answers")
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.client().await.call(Method::GET, path, &[], String::new()).await.expect("answers")
    }

    /// The revision of the whole store.
    pub(crate) async fn revision(&self) -> u64 {
        self.get("/api/v1/nodes?limit=1").await.json()["metadata"]["resourceVersion"]
            .as_u64()
            .expect("a revision")
    }

    /// One of the figures at `/metrics`.
    pub(crate) async fn figure(&self, name: &str) -> u64 {
        let text = self.get("/metrics").await.body;
        let text = std::str::from_utf8(&text).expect("text").to_owned();
        let line =
            text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {text}"));
        line.trim().parse().expect("a number")
    }
}

impl Drop for Controller {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // It may have ended by itself.
            let _: std::io::Result<()> = child.kill();
            let _: std::io::Result<_> = child.wait();
        }
    }
}

impl Client {
    pub(crate) async fn connect(socket: &Path) -> Result<Self, String> {
        let stream = UnixStream::connect(socket).await.map_err(|e| e.to_string())?;
        let (sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    pub(crate) async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<hyper::Response<Incoming>, String> {
        self.0.ready().await.map_err(|e| e.to_string())?;
        let mut request = Request::builder().method(method).uri(path).header("host", "wirecenter");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        self.0.send_request(request).await.map_err(|e| e.to_string())
    }

    pub(crate) async fn call(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let response = self.send(method, path, headers, body).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn etag(&self) -> &str {
        self.headers["etag"].to_str().expect("text")
    }

    /// The pointers, or parameters, that a problem names.
    pub(crate) fn places(&self) -> Vec<String> {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
        }
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        let place = |error: &Value| {
            assert!(error["detail"].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
            error["pointer"].as_str().or(error["parameter"].as_str()).expect("a place").to_owned()
        };
        errors.iter().map(place).collect()
    }
}

fn apply(object: &Value) -> Value {
    json!({"op": "apply", "object": object})
}

/// A transaction that makes a node with two access ports and pools.
pub(crate) fn office() -> Value {
    let pool = |name: &str, spec: Value| {
        apply(&json!({"kind": "AddressPool", "metadata": {"name": name}, "spec": spec}))
    };
    json!({"operations": [
        apply(&node()),
        pool("inside", json!({"node": "node1", "purpose": "subscriber", "prefix": "100.64.0.0/16", "gateway": "100.64.0.1"})),
        pool("public", json!({"node": "node1", "purpose": "nat", "prefix": "198.51.100.0/24"})),
        pool("business", json!({"node": "node1", "purpose": "routed", "prefix": "203.0.113.0/24"})),
    ]})
}

pub(crate) fn node() -> Value {
    json!({"kind": "Node", "metadata": {"name": "node1"}, "spec": {
        "loopback": "192.0.2.129",
        "ports": [
            {"name": "access0", "role": "access", "outerTpid": "0x88a8"},
            {"name": "access1", "role": "access"},
            {"name": "core0", "role": "core", "addresses": ["192.0.2.2/30"]},
        ],
        "routes": [{"prefix": "0.0.0.0/0", "via": "192.0.2.1"}],
    }})
}

pub(crate) fn subscriber(name: &str, s_vid: u16, c_vid: u16) -> Value {
    json!({"kind": "Subscriber", "metadata": {"name": name}, "spec": {
        "access": {"node": "node1", "port": "access0", "sVid": s_vid, "cVid": c_vid},
        "bundle": {"rateUp": "20M", "rateDown": "100M"},
    }})
}

/// `target` with a merge patch on it.
pub(crate) fn edited(mut target: Value, patch: Value) -> Value {
    xos_model::merge_patch(&mut target, patch);
    target
}
