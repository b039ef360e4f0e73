//! The agent's end.

mod backoff;
pub(crate) mod connect;
mod credentials;
mod session;

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use net_types::Name;

use crate::{LinkState, Node};
use backoff::Backoff;

/// Whom to talk to, and as whom.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// `HOST:PORT` of the controller.
    pub controller: String,
    pub node: Name,
    pub agent_version: String,
    /// The pause before the second try; it doubles with each further one.
    pub backoff_min: Duration,
    pub backoff_max: Duration,
}

/// The agent's end of the link.
#[derive(Debug)]
pub struct Link<N> {
    config: LinkConfig,
    node: Arc<N>,
}

/// Why a stream, or the attempt at one, ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("cannot reach the controller: {0}")]
    Connect(String),
    #[error("{}", describe(.0))]
    Status(#[from] tonic::Status),
    #[error("the controller's message makes no sense: {0}")]
    Protocol(String),
    #[error("the controller is stale: it speaks of generation {theirs}, the node is at {ours} already")]
    Stale { theirs: net_types::Generation, ours: net_types::Generation },
    #[error("cannot join: {0}")]
    Token(String),
    #[error("the node's identity cannot be used: {0}")]
    Identity(String),
    #[error("cannot be kept on the node: {0}")]
    Keep(String),
}

fn describe(status: &tonic::Status) -> String {
    format!("the controller said: {} ({:?})", status.message(), status.code())
}

/// How a stream ended that did nothing wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    /// The certificate is due for renewal: connect again at once.
    Renewal,
    /// The controller ended it.
    Closed,
}

impl<N: Node> Link<N> {
    pub const fn new(config: LinkConfig, node: Arc<N>) -> Self {
        Self { config, node }
    }

    /// Keeps the node in touch with its controller. It never returns: drop it to stop.
    pub async fn run(self) -> std::convert::Infallible {
        let mut backoff = Backoff::new(self.config.backoff_min, self.config.backoff_max);
        loop {
            self.node.state(LinkState::Connecting);
            let mut greeted = false;
            let error = match self.attempt(&mut greeted).await {
                Ok(Ended::Renewal) => continue,
                Ok(Ended::Closed) => "the controller ended the stream".into(),
                Err(error) => error.to_string(),
            };
            if greeted {
                backoff.reset();
            }
            let pause = backoff.next();
            tracing::warn!(controller = self.config.controller, error, ?pause, "not connected");
            self.node.state(LinkState::Waiting { error });
            tokio::time::sleep(pause).await;
        }
    }

    /// Joins or renews where that is due, then holds a stream until it ends.
    async fn attempt(&self, greeted: &mut bool) -> Result<Ended, LinkError> {
        let identity = self.identity().await?;
        let validity = credentials::validity(&identity)?;
        let mut channel = connect::connect(&self.config.controller, &identity).await?;
        let mut renewal = validity.until_renewal(SystemTime::now());
        if renewal.is_zero() {
            match self.renew(channel.clone(), &identity).await {
                Ok(()) => return Ok(Ended::Renewal),
                Err(error) if validity.left(SystemTime::now()).is_none() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "the certificate cannot be renewed yet");
                    renewal = RENEWAL_RETRY;
                    // The failed call may have cost the connection.
                    channel = connect::connect(&self.config.controller, &identity).await?;
                }
            }
        }
        session::run(&self.config, &*self.node, channel, renewal, greeted).await
    }
}

/// Until a renewal that failed is tried again.
const RENEWAL_RETRY: Duration = Duration::from_mins(5);
