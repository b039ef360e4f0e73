//! The lab's own processes; `lab::Lab` starts them.

use std::{net::SocketAddr, path::PathBuf};

use anyhow::{Context, Result};
use clap::Parser;

/// Processes of the Wirecenter lab: not for use by hand
#[derive(Debug, Parser)]
enum Command {
    /// Tag and untag frames between homes and a node
    Olt {
        /// File with the lines and their tags, in JSON
        #[arg(long)]
        config: PathBuf,
    },
    /// Serve a page that tells the client its address
    Web {
        #[arg(long, required = true)]
        listen: Vec<SocketAddr>,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    match Command::parse() {
        Command::Olt { config } => {
            let text = std::fs::read(&config).with_context(|| format!("read {}", config.display()))?;
            let config =
                serde_json::from_slice(&text).with_context(|| format!("parse {}", config.display()))?;
            lab::olt::run(config).await
        }
        Command::Web { listen } => lab::web::run(listen).await,
    }
}
