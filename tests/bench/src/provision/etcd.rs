//! The rival: a real etcd of one member on the same disk, asked over a unix socket as the controller is.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use hyper_util::rt::TokioIo;
use prost::Message;
use tempfile::TempDir;
use tokio::{net::UnixStream, task::JoinSet};
use tonic::{
    Request, client::Grpc, codegen::http::uri::PathAndQuery, transport::Channel, transport::Endpoint,
};

use crate::machine;

const VALUE_BYTES: usize = 1024;
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// Of etcd's `etcdserverpb.PutRequest` what a plain put needs.
#[derive(Message)]
struct PutRequest {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// Of its answer nothing: that it came is enough.
#[derive(Message)]
struct PutResponse {}

/// A running etcd; killed when dropped.
struct Etcd {
    directory: TempDir,
    child: Child,
}

/// `puts` plain puts of 1 KiB, by `clients` that each send one after another. Returns puts a second, each of them
/// acknowledged when it is on disk.
pub(super) fn puts(clients: usize, puts: u32) -> Result<f64> {
    let etcd = Etcd::start()?;
    let runtime = tokio::runtime::Runtime::new().context("starting threads")?;
    runtime.block_on(async {
        let mut connections = Vec::new();
        for _ in 0..clients {
            connections.push(connect(etcd.socket()).await?);
        }
        let next = std::sync::Arc::new(AtomicU32::new(0));
        let started = Instant::now();
        let mut tasks = JoinSet::new();
        for mut client in connections {
            let next = next.clone();
            tasks.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= puts {
                        return Ok(());
                    }
                    put(&mut client, number).await?;
                }
            });
        }
        while let Some(done) = tasks.join_next().await {
            let outcome: Result<()> = done.context("a client ended")?;
            outcome?;
        }
        Ok(f64::from(puts) / started.elapsed().as_secs_f64())
    })
}

async fn connect(socket: PathBuf) -> Result<Grpc<Channel>> {
    let connector = tower::service_fn(move |_| {
        let socket = socket.clone();
        async move { UnixStream::connect(socket).await.map(TokioIo::new) }
    });
    // The address is only what the requests are said to be for.
    let channel = Endpoint::from_static("http://etcd").connect_with_connector(connector).await;
    Ok(Grpc::new(channel.context("connecting to etcd")?))
}

async fn put(client: &mut Grpc<Channel>, number: u32) -> Result<()> {
    let put = PutRequest { key: format!("subscribers/sub-{number}").into(), value: vec![b'x'; VALUE_BYTES] };
    client.ready().await.context("waiting for etcd")?;
    let codec = tonic_prost::ProstCodec::<PutRequest, PutResponse>::default();
    let path = PathAndQuery::from_static("/etcdserverpb.KV/Put");
    client.unary(Request::new(put), path, codec).await.context("a put to etcd")?;
    Ok(())
}

impl Etcd {
    /// Starts it, and returns when it takes puts.
    fn start() -> Result<Self> {
        let directory = machine::disk()?;
        // etcd makes sockets of what looks like host and port, in its working directory.
        let program = std::env::var_os("WIRECENTER_ETCD").context("WIRECENTER_ETCD says where etcd is")?;
        let child = Command::new(program)
            .current_dir(directory.path())
            .args(["--data-dir", "data", "--log-level", "error"])
            .args(["--listen-client-urls", "unix://client:1", "--advertise-client-urls", "unix://client:1"])
            .args(["--listen-peer-urls", "unix://peer:1"])
            .args(["--initial-advertise-peer-urls", "http://127.0.0.1:1"])
            .args(["--initial-cluster", "default=http://127.0.0.1:1"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("starting etcd")?;
        let mut etcd = Self { directory, child };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("starting a thread")?;
        let started = Instant::now();
        while started.elapsed() < START_TIMEOUT {
            if is_up(&runtime, &etcd.socket()) {
                return Ok(etcd);
            }
            if let Some(status) = etcd.child.try_wait()? {
                bail!("etcd ended: {status}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("etcd does not answer")
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("client:1")
    }
}

fn is_up(runtime: &tokio::runtime::Runtime, socket: &Path) -> bool {
    runtime
        .block_on(async {
            let mut client = connect(socket.into()).await?;
            put(&mut client, 0).await
        })
        .is_ok()
}

impl Drop for Etcd {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _: std::io::Result<()> = self.child.kill();
        let _: std::io::Result<_> = self.child.wait();
    }
}
