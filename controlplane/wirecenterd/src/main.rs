//! The office's controller.
//!
//! One store, and two ways in: the API on a unix socket (and over TLS, if asked for), and the link that the nodes' agents
//! dial. Between them the synchronizer brings what is wanted to whoever does it, the nodes first of all. No packet ever
//! comes by here.

mod args;
mod keys;
mod listener;
mod nodes;
mod restore;
mod socket;
mod vault;

use std::{io::IsTerminal as _, sync::Arc};

use anyhow::Context as _;
use back_ends::{Controllers, OpenSecret, Plugins};
use clap::Parser as _;
use intent_store::{Options, RocksEngine, Store, WriterHandle};
use synchronizer::{BackEnd, Config, Runner, StoreError};
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinError,
};
use tokio_util::sync::CancellationToken;

use args::Args;
use nodes::{BACK_END, Desk, Nodes, NodesPlugin};

/// How long what is still going on may take when the controller ends.
const END_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(8);

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    if let Some(backup) = &args.restore {
        return restore::restore(&args.data_dir, backup);
    }
    restore::finish(&args.data_dir).context("ending a restore that was cut off")?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting threads")?;
    let (store, writer) = open_store(&args)?;
    let outcome = runtime.block_on(async {
        if args.rotate_key { keys::rotate(&args.data_dir, store).await } else { run(&args, store).await }
    });
    runtime.shutdown_timeout(END_TIMEOUT);
    WriterHandle::join(writer);
    outcome
}

fn open_store(args: &Args) -> anyhow::Result<(Store, WriterHandle)> {
    let directory = args.data_dir.join("store");
    socket::make_private_directory(&args.data_dir)?;
    let engine =
        RocksEngine::open(&directory).with_context(|| format!("the store in {}", directory.display()))?;
    let options = Options { audit_max: args.audit_keep.get(), ..Options::default() };
    Store::open(engine, options).with_context(|| format!("the store in {}", directory.display()))
}

/// Of the jitter of back-offs: another at each start, so that controllers do not fall into step.
fn seed() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(())
}

/// Why the synchronizer is no more, which nobody has asked it to.
fn ended(outcome: Result<Result<(), StoreError>, JoinError>) -> anyhow::Error {
    match outcome {
        Ok(Ok(())) => anyhow::anyhow!("the synchronizer ended by itself"),
        Ok(Err(error)) => anyhow::Error::from(error).context("following the store"),
        Err(error) => error.into(),
    }
}

async fn run(args: &Args, store: Store) -> anyhow::Result<()> {
    let plugins = Plugins::default();
    let office = api::Office::new(store.clone())
        .with_keyring(keys::open(&args.data_dir)?)
        .with_back_ends(plugins.names(), [BACK_END, back_ends::BACK_END]);
    let intent = Arc::new(api::Intent::new(office.clone()));
    let (runner, control) = Runner::new(intent, Config { seed: seed(), ..Config::default() });
    let nodes = Arc::new(Nodes::new(office.clone(), control.clone()));
    let secrets = office.clone();
    let open_secret: OpenSecret =
        Arc::new(move |secret, key| secrets.open_secret(secret, key).map_err(|error| error.to_string()));
    let controllers = Controllers::new(plugins, open_secret, control.clone(), [BACK_END]);
    let runner = runner.with(BACK_END, NodesPlugin(nodes.clone())).with(back_ends::BACK_END, controllers);
    let mut runner = tokio::spawn(runner.run());
    // An agent that saw half of its node's desired state would take down the other half.
    if control.drained(&BackEnd::new(BACK_END)).await.is_err() {
        return Err(ended(runner.await).context("deriving the nodes' desired state"));
    }
    let counted: api::Counted = {
        let nodes = nodes.clone();
        Arc::new(move || nodes.counted())
    };
    let desk = Arc::new(Desk::new(office.clone(), nodes));
    desk.open().await.context("writing that no node is connected yet")?;

    let authority =
        Arc::new(agent_link::Authority::open(args.data_dir.join("ca")).context("the office's CA")?);
    let vouching = authority.clone();
    let token_text: api::TokenText =
        Arc::new(move |node, secret| vouching.token(node, secret).map_err(|error| error.to_string()));
    let agents = tokio::net::TcpListener::bind(args.agent_listen)
        .await
        .with_context(|| format!("listening for agents on {}", args.agent_listen))?;
    office.found().await?.context("making the services of a central office")?;
    // Nobody can come before there is somebody who may let them in.
    office.first_administrator(std::io::stderr()).await.context("making the first administrator")?;
    let local = socket::bind(&args.socket)?;
    let remote = listener::open(args, &authority).await?;
    let agents_at = agents.local_addr().context("listening for agents")?;
    tracing::info!(
        socket = %args.socket.display(), agents = %agents_at, revision = store.revision(), "ready"
    );
    // Without a service manager there is nobody to tell.
    let _: std::io::Result<()> = sd_notify::notify(&[sd_notify::NotifyState::Ready]);

    let ending = CancellationToken::new();
    let link = tokio::spawn(agent_link::serve(agents, authority, desk, ending.clone().cancelled_owned()));
    let vault = Arc::new(vault::Vault { data_dir: args.data_dir.clone() });
    let http = tokio::spawn(api::serve(
        api::Listeners { local, remote },
        api::Http::new(office, vault, control.clone(), token_text, counted, args.rate_limit()),
        ending.clone().cancelled_owned(),
    ));
    let mut link = link;
    let mut terminate = signal(SignalKind::terminate()).context("handling SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("handling SIGINT")?;
    let outcome = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        () = store.stopped() => Err(anyhow::anyhow!("the store has stopped: a commit failed")),
        ended = &mut link => Err(match ended {
            Ok(Ok(())) => anyhow::anyhow!("the link to the agents ended by itself"),
            Ok(Err(error)) => error.into(),
            Err(error) => error.into(),
        }),
        outcome = &mut runner => Err(ended(outcome)),
    };
    tracing::info!("ending");
    let _: std::io::Result<()> = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    ending.cancel();
    let both = async {
        let _: Result<_, _> = http.await;
        if !link.is_finished() {
            let _: Result<_, _> = link.await;
        }
        // Last: what the agents said to the end is still written.
        let _: Result<_, _> = control.shutdown();
        if !runner.is_finished() {
            let _: Result<_, _> = runner.await;
        }
    };
    if tokio::time::timeout(END_TIMEOUT, both).await.is_err() {
        tracing::warn!("connections were still open at the end");
    }
    let _: std::io::Result<()> = std::fs::remove_file(&args.socket);
    outcome
}
