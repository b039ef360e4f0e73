//! The controller's side of a stream.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::SystemTime,
};

use net_types::Generation;
use node_state::ResourceKey;
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use tonic::{Status, Streaming};

use crate::{
    NodeTable, Office, Outcome, Report,
    limits::{CHUNK_ITEMS_MAX, GREETING, WINDOW_CHUNKS},
    table::{Batch, Cursor, Signal},
    tls::Peer,
    wire::{
        Applied, Changes, FromAgent, FromController, Greeting, Holding, Refused, ResourceOutcome, Upsert,
        from_agent, from_controller,
    },
};

pub(super) struct Session<O> {
    pub(super) office: Arc<O>,
    pub(super) peer: Peer,
    pub(super) table: Arc<NodeTable>,
    pub(super) inbound: Streaming<FromAgent>,
    pub(super) outbound: mpsc::Sender<Result<FromController, Status>>,
    pub(super) end: CancellationToken,
}

/// How far the exchange has come.
struct Progress {
    cursor: Cursor,
    nonce: u64,
    /// Nonces of chunks that are not answered, oldest first.
    unanswered: VecDeque<u64>,
}

impl<O: Office> Session<O> {
    /// Runs the stream to its end once the node's seat is free.
    pub(super) async fn run(mut self, seat: Arc<tokio::sync::Mutex<()>>) {
        let end = self.end.clone();
        let _seat = tokio::select! {
            () = end.cancelled() => return,
            seat = seat.lock_owned() => seat,
        };
        let greeted = tokio::select! {
            () = end.cancelled() => Err(Status::aborted("another stream of the node has taken over")),
            greeted = self.greeted() => greeted,
        };
        let node = self.peer.node.clone();
        let (greeting, holding) = match greeted {
            Ok(greeted) => greeted,
            Err(status) => {
                tracing::warn!(%node, reason = status.message(), "stream refused");
                return self.say_goodbye(status);
            }
        };
        let Greeting { agent_version, generation, .. } = greeting;
        tracing::info!(%node, agent_version, %generation, held = holding.versions.len(), "agent connected");
        self.report(Report::Connected { agent_version, programmed: generation }).await;
        let status = self.exchange(generation, holding).await;
        self.table.set_counters(BTreeMap::new());
        tracing::info!(%node, reason = status.message(), "agent disconnected");
        self.report(Report::Disconnected { reason: status.message().into() }).await;
        self.say_goodbye(status);
    }

    async fn greeted(&mut self) -> Result<(Greeting, Holding), Status> {
        let Some(from_agent::Message::Hello(hello)) = self.hear_in_time().await? else {
            return Err(Status::invalid_argument("the first message must be a hello"));
        };
        let greeting = hello.check()?;
        if greeting.node != self.peer.node {
            let (said, certified) = (&greeting.node, &self.peer.node);
            let text = format!("the agent says that it is {said}, its certificate that it is {certified}");
            return Err(Status::permission_denied(text));
        }
        let mut holding = Holding::default();
        loop {
            let Some(from_agent::Message::Inventory(inventory)) = self.hear_in_time().await? else {
                return Err(Status::invalid_argument("the inventory must follow the hello"));
            };
            holding.add(inventory.held)?;
            if !inventory.more {
                return Ok((greeting, holding));
            }
        }
    }

    async fn hear_in_time(&mut self) -> Result<Option<from_agent::Message>, Status> {
        let heard = timeout(GREETING, self.inbound.message()).await;
        let heard = heard.map_err(|_| Status::deadline_exceeded("the agent does not introduce itself"))?;
        Ok(heard?.and_then(|m| m.message))
    }

    /// Sends what differs and then what changes, until something ends the stream; returns what.
    async fn exchange(&mut self, generation: Generation, mut holding: Holding) -> Status {
        let mut signals = self.table.signals();
        let (cursor, right) = self.table.compare(&holding.versions);
        self.report_right(generation, &mut holding, right).await;
        drop(holding);
        let mut progress = Progress { cursor, nonce: 0, unanswered: VecDeque::new() };
        let left = self.peer.validity.left(SystemTime::now()).unwrap_or_default();
        let mut expiry = std::pin::pin!(sleep(left));
        let end = self.end.clone();
        loop {
            if *signals.borrow_and_update() == Signal::Closed {
                return Status::permission_denied("the node has been deleted");
            }
            if let Err(status) = self.send_what_fits(&mut progress).await {
                return status;
            }
            let heard = tokio::select! {
                () = end.cancelled() => {
                    return Status::unavailable("the controller is stopping, or another stream of the node has taken over");
                }
                () = &mut expiry => return Status::unauthenticated("the agent's certificate has expired"),
                // The sender lives as long as the table, which we hold.
                _ = signals.changed() => continue,
                heard = self.inbound.message() => heard,
            };
            let applied = match heard {
                Ok(Some(FromAgent { message: Some(from_agent::Message::Applied(applied)) })) => applied,
                Ok(Some(FromAgent { message: Some(from_agent::Message::Counters(counters)) })) => {
                    match counters.check() {
                        Ok(counters) => self.table.set_counters(counters),
                        Err(status) => return status,
                    }
                    continue;
                }
                Ok(Some(FromAgent { message: Some(from_agent::Message::Refused(Refused { reason })) })) => {
                    return match crate::wire::check_error(reason) {
                        Ok(reason) => Status::failed_precondition(format!("the agent refused: {reason}")),
                        Err(status) => status,
                    };
                }
                Ok(Some(_)) => return Status::invalid_argument("message out of order"),
                Ok(None) => return Status::ok("the agent ended the stream"),
                Err(status) => return status,
            };
            if let Err(status) = self.applied(&mut progress, applied).await {
                return status;
            }
        }
    }

    async fn send_what_fits(&mut self, progress: &mut Progress) -> Result<(), Status> {
        while progress.unanswered.len() < WINDOW_CHUNKS {
            let batch = self.table.next(&mut progress.cursor);
            let Some(batch) = batch.map_err(|e| Status::aborted(e.to_string()))? else { return Ok(()) };
            progress.nonce += 1;
            progress.unanswered.push_back(progress.nonce);
            let message = from_controller::Message::Changes(changes(progress.nonce, batch));
            let sent = self.outbound.send(Ok(FromController { message: Some(message) })).await;
            sent.map_err(|_| Status::unavailable("the connection is gone"))?;
        }
        Ok(())
    }

    async fn applied(&mut self, progress: &mut Progress, applied: Applied) -> Result<(), Status> {
        let Applied { nonce, generation, outcomes } = applied;
        if nonce != 0 && progress.unanswered.pop_front() != Some(nonce) {
            return Err(Status::invalid_argument("an answer to what was not asked"));
        }
        let results: Vec<Outcome> =
            outcomes.into_iter().map(ResourceOutcome::check).collect::<Result<_, _>>()?;
        self.report(Report::Applied { generation: Generation(generation), results }).await;
        Ok(())
    }

    /// Tells the office what is there already: it may have missed the agent's word, or have forgotten it.
    async fn report_right(&mut self, generation: Generation, holding: &mut Holding, right: Vec<ResourceKey>) {
        let mut right = right.into_iter().peekable();
        while right.peek().is_some() {
            let results = right.by_ref().take(CHUNK_ITEMS_MAX).map(|key| {
                let result = holding.errors.remove(&key).map_or(Ok(()), Err);
                let version = holding.versions[&key];
                (key, version, result)
            });
            let results = results.collect();
            self.report(Report::Applied { generation, results }).await;
        }
    }

    async fn report(&self, report: Report) {
        self.office.report(&self.peer.node, report).await;
    }

    /// Ends the stream with a reason, if the agent still listens.
    fn say_goodbye(&self, status: Status) {
        if status.code() != tonic::Code::Ok {
            let _ = self.outbound.try_send(Err(status));
        }
    }
}

fn changes(nonce: u64, batch: Batch) -> Changes {
    let Batch { generation, upserts, removes, more } = batch;
    let upsert = |(key, version, body): (ResourceKey, node_state::Version, bytes::Bytes)| Upsert {
        key: key.as_str().into(),
        version: version.0,
        body,
    };
    Changes {
        nonce,
        generation: generation.0,
        upserts: upserts.into_iter().map(upsert).collect(),
        removes: removes.into_iter().map(|key| key.as_str().into()).collect(),
        more,
        takes_counters: true,
    }
}
