//! The node as the link sees it.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use agent_link::{Chunk, Holdings, Identity, JoinToken, LinkState, Node, Outcome};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    reconcile::{News, Request},
    store::Store,
};

pub(crate) struct LinkedNode {
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) store: Arc<Store>,
    pub(crate) requests: mpsc::Sender<Request>,
    pub(crate) news: Arc<News>,
    pub(crate) link_state: watch::Sender<LinkState>,
}

impl LinkedNode {
    /// Asks the reconciler, which ends only after the link.
    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, String> {
        let (reply, answer) = oneshot::channel();
        let ended = || "the agent is ending".to_owned();
        self.requests.send(request(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())
    }
}

impl Node for LinkedNode {
    fn join_token(&self) -> Result<JoinToken, String> {
        let file =
            self.token_file.as_ref().ok_or("the node has not joined, and there is no --join-token-file")?;
        let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        text.parse().map_err(|e| format!("{}: {e}", file.display()))
    }

    fn identity(&self) -> Option<Identity> {
        let identity = self.store.identity();
        identity.inspect_err(|error| tracing::error!(%error, "the identity cannot be read")).ok()?
    }

    async fn keep_identity(&self, identity: Identity, new_office: bool) -> Result<(), String> {
        self.ask(|reply| Request::KeepIdentity { identity, new_office, reply }).await?
    }

    async fn holdings(&self) -> Holdings {
        match self.ask(|reply| Request::Holdings { reply }).await {
            Ok(holdings) => holdings,
            // The link is about to be ended too; until then it must not say that the node has nothing.
            Err(_) => std::future::pending().await,
        }
    }

    async fn apply(&self, chunk: Chunk) -> Result<Vec<Outcome>, String> {
        self.ask(|reply| Request::Apply { chunk, reply }).await?
    }

    async fn news(&self) -> Vec<Outcome> {
        self.news.take().await
    }

    fn counters(&self) -> BTreeMap<String, u64> {
        self.news.counters()
    }

    fn state(&self, state: LinkState) {
        self.link_state.send_replace(state);
    }
}
