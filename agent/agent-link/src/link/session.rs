//! The agent's side of a stream.

use std::{collections::BTreeMap, pin::pin, time::Duration};

use net_types::Generation;
use node_state::{Resource, ResourceKey, Version};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};

use super::{Ended, LinkConfig, LinkError};
use crate::{
    Chunk, Holdings, LinkState, Node, Outcome, REMOVED, Received,
    limits::{BODY_BYTES_MAX, CHUNK_ITEMS_MAX, COUNTERS_EVERY, GREETING, MESSAGE_BYTES_MAX, PROTOCOL},
    wire::{
        Applied, Changes, Counters, FromAgent, FromController, Held, Hello, Inventory, Refused,
        ResourceOutcome, check_key, error_text, from_agent, from_controller, link_client::LinkClient,
    },
};

type Outbound = mpsc::Sender<FromAgent>;

/// What is in a chunk, and what is wrong with it already.
struct Checked {
    nonce: u64,
    chunk: Chunk,
    /// The chunk is the last of its generation.
    moves_to: Option<Generation>,
    rejected: Vec<Outcome>,
}

/// Holds a stream until it ends, or the certificate is due for renewal. Sets `greeted` once the controller has answered.
pub(super) async fn run<N: Node>(
    config: &LinkConfig,
    node: &N,
    channel: Channel,
    renewal: Duration,
    greeted: &mut bool,
) -> Result<Ended, LinkError> {
    let holdings = node.holdings().await;
    let mut generation = holdings.generation;
    let (outbound, messages) = mpsc::channel(2);
    let mut client = LinkClient::new(channel)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let introduce = introduce(config, holdings, &outbound);
    let (reply, introduced) = tokio::join!(client.session(ReceiverStream::new(messages)), introduce);
    let mut inbound = reply?.into_inner();
    // Only a broken stream takes no messages; what broke it, the stream itself says below.
    drop(introduced);
    let mut renewal = pin!(sleep(renewal));
    let mut silence = pin!(sleep(GREETING));
    let mut takes_counters = false;
    let mut counters = interval(COUNTERS_EVERY);
    counters.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let changes = tokio::select! {
            () = &mut renewal => return Ok(Ended::Renewal),
            () = &mut silence, if !*greeted => {
                return Err(LinkError::Connect("it does not answer the inventory".into()));
            }
            outcomes = node.news() => {
                send_news(&outbound, generation, outcomes).await?;
                continue;
            }
            _ = counters.tick(), if takes_counters => {
                send_counters(&outbound, node.counters()).await?;
                continue;
            }
            heard = hear(&mut inbound) => match heard? {
                Some(changes) => changes,
                None => return Ok(Ended::Closed),
            },
        };
        takes_counters = changes.takes_counters;
        let checked = match check(changes, generation) {
            Ok(checked) => checked,
            Err(error) => return Err(refuse(&outbound, &mut inbound, error).await),
        };
        if !*greeted {
            *greeted = true;
            node.state(LinkState::Connected);
        }
        let Checked { nonce, chunk, moves_to, rejected } = checked;
        let mut outcomes = node.apply(chunk).await.map_err(LinkError::Keep)?;
        generation = moves_to.unwrap_or(generation);
        outcomes.extend(rejected);
        send(&outbound, applied(nonce, generation, outcomes)).await?;
    }
}

/// Says who we are and what we hold.
async fn introduce(config: &LinkConfig, holdings: Holdings, outbound: &Outbound) -> Result<(), LinkError> {
    let hello = Hello {
        protocol: PROTOCOL,
        node: config.node.to_string(),
        agent_version: config.agent_version.clone(),
        generation: holdings.generation.0,
    };
    send(outbound, from_agent::Message::Hello(hello)).await?;
    let mut resources = holdings.resources.into_iter().peekable();
    loop {
        let held = resources.by_ref().take(CHUNK_ITEMS_MAX);
        let held = held.map(|(key, version, result)| Held::from_ours(&key, version, result.err())).collect();
        let more = resources.peek().is_some();
        send(outbound, from_agent::Message::Inventory(Inventory { held, more })).await?;
        if !more {
            return Ok(());
        }
    }
}

async fn hear(inbound: &mut Streaming<FromController>) -> Result<Option<Changes>, LinkError> {
    match inbound.message().await? {
        Some(FromController { message: Some(from_controller::Message::Changes(changes)) }) => {
            Ok(Some(changes))
        }
        Some(FromController { message: None }) => {
            Err(LinkError::Protocol("a message of a kind that this agent does not know".into()))
        }
        None => Ok(None),
    }
}

/// Looks at all of a chunk before any of it is kept. A resource that this agent cannot understand is rejected by
/// itself; the rest goes on.
fn check(changes: Changes, ours: Generation) -> Result<Checked, LinkError> {
    let Changes { nonce, generation, upserts, removes, more, takes_counters: _ } = changes;
    let theirs = Generation(generation);
    if theirs < ours {
        return Err(LinkError::Stale { theirs, ours });
    }
    if nonce == 0 {
        return Err(LinkError::Protocol("nonce 0".into()));
    }
    if upserts.len() + removes.len() > CHUNK_ITEMS_MAX {
        return Err(LinkError::Protocol(format!("a chunk of more than {CHUNK_ITEMS_MAX} items")));
    }
    let key = |key: String| check_key(key).map_err(|e| LinkError::Protocol(e.message().into()));
    let mut rejected = Vec::new();
    let mut received = Vec::with_capacity(upserts.len());
    for upsert in upserts {
        let (key, version) = (key(upsert.key)?, Version(upsert.version));
        match understand(&key, version, &upsert.body) {
            Ok(resource) => received.push(Received { key, version, body: upsert.body, resource }),
            Err(error) => rejected.push((key, version, Err(error))),
        }
    }
    let removes = removes.into_iter().map(key).collect::<Result<Vec<ResourceKey>, _>>()?;
    let moves_to = (!more).then_some(theirs);
    let chunk = Chunk { generation: moves_to.unwrap_or(ours), upserts: received, removes };
    Ok(Checked { nonce, chunk, moves_to, rejected })
}

fn understand(key: &ResourceKey, version: Version, body: &[u8]) -> Result<Resource, String> {
    if body.len() > BODY_BYTES_MAX {
        return Err(format!("the resource has more than {BODY_BYTES_MAX} bytes"));
    }
    if Version::of(body) != version || version == REMOVED {
        return Err("the resource does not have the version that it is said to have".into());
    }
    let resource = Resource::decode(body).map_err(|e| e.to_string())?;
    if resource.key() != *key {
        return Err(format!("the resource is {}, not {key}", resource.key()));
    }
    Ok(resource)
}

async fn send_news(
    outbound: &Outbound,
    generation: Generation,
    outcomes: Vec<Outcome>,
) -> Result<(), LinkError> {
    let mut outcomes = outcomes.into_iter().peekable();
    while outcomes.peek().is_some() {
        let some = outcomes.by_ref().take(CHUNK_ITEMS_MAX).collect();
        send(outbound, applied(0, generation, some)).await?;
    }
    Ok(())
}

async fn send_counters(outbound: &Outbound, counters: BTreeMap<String, u64>) -> Result<(), LinkError> {
    if counters.is_empty() {
        return Ok(());
    }
    send(outbound, from_agent::Message::Counters(Counters::from_ours(counters))).await
}

fn applied(nonce: u64, generation: Generation, outcomes: Vec<Outcome>) -> from_agent::Message {
    let outcomes = outcomes.into_iter().map(ResourceOutcome::from_ours).collect();
    from_agent::Message::Applied(Applied { nonce, generation: generation.0, outcomes })
}

/// Tells the controller why the stream ends, and lets it hang up, so that the word is not lost with the connection.
async fn refuse(outbound: &Outbound, inbound: &mut Streaming<FromController>, error: LinkError) -> LinkError {
    let reason = error_text(Some(error.to_string()));
    if send(outbound, from_agent::Message::Refused(Refused { reason })).await.is_ok() {
        let hung_up = async { while let Ok(Some(_)) = inbound.message().await {} };
        // A controller that does not is left all the same.
        let _ = timeout(Duration::from_secs(5), hung_up).await;
    }
    error
}

async fn send(outbound: &Outbound, message: from_agent::Message) -> Result<(), LinkError> {
    let sent = outbound.send(FromAgent { message: Some(message) }).await;
    sent.map_err(|_| LinkError::Connect("the connection broke".into()))
}
