//! The sample service of the XOS paper's section 3.2: a volume for each tenant, mounted in each new instance of it.
//!
//! It is a service outside the controller, and knows of it nothing but the protocol of the plug-in `http`. Below `--dir`:
//!
//! | path | what |
//! |---|---|
//! | `journal` | what it was asked for, a JSON object a line, on disk before anything is done or answered |
//! | `volumes/TENANCY/` | the tenancy's volume; `label` in it says whose it is |
//! | `instances/INSTANCE/TENANCY/` | where the instance has it: bind mounts, in a mount namespace of the service's own |
//! | `done` | what it really did: `mount INSTANCE/TENANCY`, `unmount INSTANCE/TENANCY` |
//!
//! A mount lives as long as the process, and a start makes from the journal what there should be. A tenant may say
//! `sizeMib` in its attributes, at most 1024.

mod journal;
mod mounts;
mod server;
mod state;

use std::{net::SocketAddr, path::PathBuf, rc::Rc};

use anyhow::Context as _;
use clap::Parser as _;

#[derive(clap::Parser)]
#[command(version)]
struct Args {
    /// Where the API is; the port that was taken is told on standard output.
    #[arg(long, value_name = "ADDR:PORT")]
    listen: SocketAddr,
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Who has this token may ask.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// While this file is there, nothing is answered that has been done: a controller that is killed then does not know.
    #[arg(long, value_name = "FILE")]
    hold: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let token = std::fs::read_to_string(&args.token_file).context("the token")?.trim().to_owned();
    mounts::private_namespace().context("a mount namespace of its own")?;
    let state = state::State::open(&args.dir)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // The namespace is this thread's.
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = tokio::net::TcpListener::bind(args.listen).await.context("listening")?;
        println!("{}", listener.local_addr()?);
        server::serve(listener, Rc::new(server::Server::new(state, &token, args.hold))).await
    })
}
