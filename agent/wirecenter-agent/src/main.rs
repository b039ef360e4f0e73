//! Makes a node look like its desired state, and keeps it so.
//!
//! ```text
//! controller ◄── agent_link::Link ── LinkedNode ── requests ──► Reconciler ──► Effects: rtnetlink, eBPF maps, frames
//!                                        Store (redb): written before anything takes effect  ◄──┘
//! ```
//!
//! It starts from its disk, with or without a controller, and leaves the kernel as it is when it ends: packets flow on.

mod devices;
mod effects;
mod extended;
mod linked_node;
mod nat_log;
mod options;
mod punts;
mod reconcile;
mod status;
mod store;

use std::{sync::Arc, time::Instant};

use agent_link::{Link, LinkConfig, LinkState};
use anyhow::Context as _;
use clap::Parser as _;
use sd_notify::NotifyState;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::{mpsc, watch},
};

use crate::{
    effects::Node, linked_node::LinkedNode, options::Options, reconcile::Reconciler, status::StatusFile,
    store::Store,
};

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(&options.log))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    // One thread for the effects and one for the link: neither waits for the other.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("the runtime cannot be made")?;
    runtime.block_on(run(options))
}

async fn run(options: Options) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut terminate = signal(SignalKind::terminate()).context("signals cannot be heard")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("signals cannot be heard")?;
    let (store, kept) = Store::open(&options.state_dir)?;
    let store = Arc::new(store);
    let effects = Node::open(&options).context("the node's kernel cannot be used")?;
    let (link_state, link_states) = watch::channel(LinkState::Connecting);
    let status = StatusFile::new(&options, link_states).context("the status cannot be written")?;
    let (requests, inbox) = mpsc::channel(8);
    let mut reconciler = Reconciler::new(store.clone(), kept, effects, status);
    let news = reconciler.news();
    reconciler.start(started).await;
    let reconciling = tokio::spawn(reconciler.run(inbox));
    notify(&[NotifyState::Ready]);

    let config = LinkConfig {
        controller: options.controller.clone(),
        node: options.node.clone(),
        agent_version: VERSION.into(),
        backoff_min: options.reconnect_min.into(),
        backoff_max: options.reconnect_max.into(),
    };
    let token_file = options.join_token_file.clone();
    let node = Arc::new(LinkedNode { token_file, store, requests, news, link_state });
    let link = tokio::spawn(async move { match Link::new(config, node).run().await {} });
    tokio::select! {
        _ = terminate.recv() => tracing::info!("told to end; packets flow on"),
        _ = interrupt.recv() => tracing::info!("interrupted; packets flow on"),
    }
    notify(&[NotifyState::Stopping]);
    link.abort();
    // That it was cancelled is what was asked for.
    let _ = link.await;
    // The last sender of requests went with the link: the reconciler ends after what it is doing.
    reconciling.await.context("the reconciler failed")
}

/// Tells systemd, if it asked to be told.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
