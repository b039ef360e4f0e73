//! What was seen of nodes, written into their status.

use intent_store::Stopped;
use jiff::Timestamp;
use net_types::Name;
use xos_model::{Condition, ConditionStatus, KindName, Node, NodeSpec, NodeStatus, READY, set_condition};

use super::{
    Admission, Effect, Office, Rejection,
    events::{Event, Severity},
};

/// The reason that the desk gives when an agent does not take something.
const REFUSED: &str = "Refused";

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

impl Office {
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
            admission.tell_of(&node, &before);
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
}

impl Admission<'_, '_> {
    /// A node has come or gone, or its agent refuses something, or no longer does.
    fn tell_of(&mut self, node: &Node, before: &NodeStatus) {
        let refused = |status: &NodeStatus| {
            let ready = status.conditions.iter().find(|condition| condition.kind == READY)?;
            (ready.reason == REFUSED).then(|| ready.message.clone())
        };
        let told = match (before.connected, node.status.connected) {
            (false, true) => {
                Some((Severity::Normal, "Connected", "the node's agent is connected".to_owned()))
            }
            (true, false) => {
                Some((Severity::Warning, "Disconnected", "the node's agent is not connected".to_owned()))
            }
            _ => match (refused(before), refused(&node.status)) {
                (before, Some(now)) if before.as_ref() != Some(&now) => {
                    Some((Severity::Warning, REFUSED, now))
                }
                _ => None,
            },
        };
        if let Some((severity, reason, message)) = told {
            let about = (KindName::Node, node.name().as_str());
            self.happened(&Event::new(about, severity, (reason, &message), self.now));
        }
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
