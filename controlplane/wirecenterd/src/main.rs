//! The office's controller.
//!
//! One store, and two ways in: the API on a unix socket (and over TLS, if asked for), and the link that the nodes' agents dial. Between them the
//! feed keeps what each node should look like in step with the store. No packet ever comes by here.

mod args;
mod desk;
mod feed;
mod keys;
mod listener;
mod nodes;
mod socket;

use std::{io::IsTerminal as _, path::Path, sync::Arc};

use anyhow::Context as _;
use clap::Parser as _;
use intent_store::{Options, RocksEngine, Store, WriterHandle};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use args::Args;
use desk::Desk;
use feed::Feed;
use nodes::Nodes;

/// How long what is still going on may take when the controller ends.
const END_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(8);

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let colours = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).with_writer(std::io::stderr).init();
    if let Some(backup) = &args.restore {
        return restore(&args, backup);
    }
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

fn restore(args: &Args, backup: &Path) -> anyhow::Result<()> {
    socket::make_private_directory(&args.data_dir)?;
    let manifest = intent_store::restore(backup, &args.data_dir.join("store"))?;
    tracing::info!(revision = manifest.revision, objects = manifest.objects, "restored");
    Ok(())
}

fn open_store(args: &Args) -> anyhow::Result<(Store, WriterHandle)> {
    let directory = args.data_dir.join("store");
    socket::make_private_directory(&args.data_dir)?;
    let engine =
        RocksEngine::open(&directory).with_context(|| format!("the store in {}", directory.display()))?;
    let options = Options { audit_max: args.audit_keep.get(), ..Options::default() };
    Store::open(engine, options).with_context(|| format!("the store in {}", directory.display()))
}

async fn run(args: &Args, store: Store) -> anyhow::Result<()> {
    let office = api::Office::new(store.clone()).with_keyring(keys::open(&args.data_dir)?);
    let nodes = Arc::new(Nodes::default());
    let mut feed = Feed::new(office.clone(), nodes.clone());
    feed.load().context("deriving the nodes' desired state")?;
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
    let http = tokio::spawn(api::serve(
        api::Listeners { local, remote },
        api::Http::new(office, token_text, args.rate_limit()),
        ending.clone().cancelled_owned(),
    ));
    let feed = tokio::spawn(feed.run());
    let (mut link, mut feed) = (link, feed);
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
        ended = &mut feed => Err(match ended {
            Ok(error) => error,
            Err(error) => error.into(),
        }),
    };
    tracing::info!("ending");
    let _: std::io::Result<()> = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    ending.cancel();
    feed.abort();
    let both = async {
        let _: Result<_, _> = http.await;
        if !link.is_finished() {
            let _: Result<_, _> = link.await;
        }
    };
    if tokio::time::timeout(END_TIMEOUT, both).await.is_err() {
        tracing::warn!("connections were still open at the end");
    }
    let _: std::io::Result<()> = std::fs::remove_file(&args.socket);
    outcome
}
