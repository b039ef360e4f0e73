//! What was seen on the nodes, written into the objects that it is about.

use intent_store::Stopped;
use jiff::Timestamp;
use net_types::Name;
use node_state::{Resource, Version};
use office_plan::session;
use xos_model::{
    Condition, ConditionStatus, NodeSpec, NodeStatus, READY, Subscriber, SubscriberSpec, set_condition,
};

use super::{Admission, Effect, Office, Rejection, read_object};

/// What became of a subscriber's session on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOutcome {
    pub subscriber: Name,
    /// Which session it was: a newer one may be on its way.
    pub version: Version,
    pub outcome: Result<(), String>,
}

/// What is known of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeReport {
    pub connected: bool,
    pub agent_version: Option<String>,
    /// The revision of the intent that the node was last given.
    pub generation: u64,
    /// The revision that is in its kernel.
    pub programmed_generation: u64,
    /// Why the node is not as it should be, in a word and in a sentence.
    pub trouble: Option<(&'static str, String)>,
}

/// Subscribers whose status is written in one transaction.
const CHUNK: usize = 500;

impl Office {
    /// Writes what became of sessions on `node`: `Ready` turns true only if it is the session that follows from the
    /// subscriber as it is now.
    pub async fn sessions_reported(&self, node: &Name, outcomes: Vec<SessionOutcome>) -> Result<(), Stopped> {
        // Most of what is reported after a reconnection is known already.
        let mut news = outcomes.into_iter().filter(|outcome| !self.is_known(outcome)).peekable();
        while news.peek().is_some() {
            let chunk: Vec<_> = news.by_ref().take(CHUNK).collect();
            let node = node.clone();
            let written = self.admit(false, move |admission| {
                for outcome in &chunk {
                    admission.session_reported(&node, outcome)?;
                }
                Ok(())
            });
            log(written.await?);
        }
        Ok(())
    }

    /// Says of subscribers whose session has changed by no change of theirs that the new one is not yet in the kernel.
    pub async fn sessions_rederived(&self, subscribers: Vec<Name>) -> Result<(), Stopped> {
        for chunk in subscribers.chunks(CHUNK).map(<[Name]>::to_vec) {
            let written = self.admit(false, move |admission| {
                for name in &chunk {
                    if let Some(mut subscriber) = admission.load::<SubscriberSpec>(name)? {
                        let node = &subscriber.spec.access.node;
                        let message = format!("waiting for node {node} to put it in its kernel");
                        let ready = (ConditionStatus::False, "Progressing", message.as_str());
                        if note(&mut subscriber.status.conditions, ready, admission.now) {
                            admission.store(subscriber, Effect::Configured);
                        }
                    }
                }
                Ok(())
            });
            log(written.await?);
        }
        Ok(())
    }

    pub async fn node_reported(&self, name: &Name, report: NodeReport) -> Result<(), Stopped> {
        let name = name.clone();
        let written = self.admit(false, move |admission| {
            let Some(mut node) = admission.load::<NodeSpec>(&name)? else { return Ok(()) };
            let before = node.status.clone();
            let NodeReport { connected, agent_version, generation, programmed_generation, trouble } = report;
            node.status = NodeStatus {
                connected,
                agent_version: agent_version.or(before.agent_version.clone()),
                generation: generation.max(before.generation),
                programmed_generation,
                last_seen: if connected || before.connected { Some(admission.now) } else { before.last_seen },
                ..before.clone()
            };
            let ready = match &trouble {
                None if connected => (ConditionStatus::True, "Programmed", "all of it is in the kernel"),
                None => (ConditionStatus::Unknown, "Disconnected", "the node's agent is not connected"),
                Some((word, sentence)) if connected => (ConditionStatus::False, *word, sentence.as_str()),
                Some((word, sentence)) => (ConditionStatus::Unknown, *word, sentence.as_str()),
            };
            note(&mut node.status.conditions, ready, admission.now);
            // The time alone is no news.
            let news = NodeStatus { last_seen: before.last_seen, ..node.status.clone() } != before;
            if news {
                admission.store(node, Effect::Configured);
            }
            Ok(())
        });
        log(written.await?);
        Ok(())
    }

    fn is_known(&self, outcome: &SessionOutcome) -> bool {
        let Some(subscriber) = read_object::<SubscriberSpec>(&self.store, &outcome.subscriber) else {
            return true;
        };
        // Only the transaction knows for certain whether the version is the latest; until it does, it is news.
        let ready = subscriber.status.conditions.iter().find(|condition| condition.kind == READY);
        outcome.outcome.is_ok() && ready.is_some_and(|ready| ready.status == ConditionStatus::True)
    }
}

impl Admission<'_, '_> {
    fn session_reported(&mut self, node: &Name, report: &SessionOutcome) -> Result<(), Rejection> {
        let Some(mut subscriber) = self.load::<SubscriberSpec>(&report.subscriber)? else { return Ok(()) };
        if subscriber.spec.access.node != *node || self.version(&subscriber)? != Some(report.version) {
            return Ok(());
        }
        let message;
        let ready = match &report.outcome {
            Ok(()) => {
                message = format!("in the kernel of node {node}");
                (ConditionStatus::True, "Programmed", message.as_str())
            }
            Err(error) => (ConditionStatus::False, "Refused", error.as_str()),
        };
        if note(&mut subscriber.status.conditions, ready, self.now) {
            self.store(subscriber, Effect::Configured);
        }
        Ok(())
    }

    fn version(&mut self, subscriber: &Subscriber) -> Result<Option<Version>, Rejection> {
        let pools = self.pools(&subscriber.spec.access.node)?;
        Ok(session(subscriber, &pools).map(|session| Resource::Session(session).version()))
    }
}

/// Sets `Ready`, and says whether that was news.
fn note(
    conditions: &mut Vec<Condition>,
    (status, reason, message): (ConditionStatus, &str, &str),
    now: Timestamp,
) -> bool {
    let before = conditions.clone();
    set_condition(conditions, READY, status, reason, message, now);
    *conditions != before
}

fn log(written: Result<(), Rejection>) {
    if let Err(rejection) = written {
        tracing::error!(%rejection, "a status could not be written");
    }
}
