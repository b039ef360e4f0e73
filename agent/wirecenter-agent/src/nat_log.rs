//! The node's NAT log: what the kernel's NAT does, to a collector.
//!
//! Whose a public port was is told by blocks of ports, each when it came and when it went, and with one to one NAT by the
//! address that all ports are of (an address binding: RFC 8158, section 5.4). What was told is on the disk,
//! so that an agent that starts again tells neither twice nor forgets what went meanwhile. Told means handed to the
//! network: a block is told again where that failed, and after a crash in between. What the network itself loses,
//! nobody tells again (RFC 8158 has no record of what is); the sequence numbers show the collector that it was lost.
//!
//! Mappings, where they are told of too, are told once, and counted where there was no room. While no agent is there they
//! wait in the kernel's ring; what an agent that is killed took from it within the last second is lost.

mod queue;

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use fastpath::{MappingEvent, NatBlock};
use ipfix::{
    AddressBinding, BibEntry, Config, Event, Exporter, NatEvent, PortBlock, PortRange, Progress, Quota,
    Realm, Session,
};
use net_types::Name;
use serde::Serialize;

pub(crate) use queue::BlockChange;
use queue::Queue;

use crate::{effects::Effects, store::Store};

/// After the socket had no room.
const BLOCKED_PAUSE: Duration = Duration::from_millis(10);
/// After something could not be sent.
const ERROR_PAUSE: Duration = Duration::from_secs(5);

/// What was told, to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// Collector and observation domain: another one knows of nothing.
    pub(crate) to: String,
    /// By first port.
    pub(crate) blocks: HashMap<Name, Vec<NatBlock>>,
}

/// What the log says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogStatus {
    pub(crate) collector: String,
    /// Whether mappings are told of too.
    pub(crate) per_flow: bool,
    /// Blocks, and whole addresses, that the collector was told of and that are not gone since.
    pub(crate) blocks: usize,
    /// Comings and goings of blocks that it was not told of yet.
    pub(crate) waiting: usize,
    /// Datagrams, templates among them.
    pub(crate) messages: u64,
    pub(crate) records: u64,
    /// Records that found no room, in the kernel's ring or here.
    pub(crate) dropped: u64,
    /// Records in datagrams that could not be sent.
    pub(crate) failed: u64,
}

pub(crate) struct NatLog {
    queue: Queue,
    exporting: Option<Exporting>,
}

/// With a collector.
struct Exporting {
    log: node_state::NatLog,
    exporter: Exporter,
    /// Not to be tried again before.
    pause: Option<Instant>,
    error: Option<String>,
    /// The kernel's count of lost events that the exporter knows of.
    events_lost: u64,
}

impl NatLog {
    pub(crate) fn new(told: Told) -> Self {
        Self { queue: Queue::new(told), exporting: None }
    }

    /// Tells whom the node's state says, or nobody.
    pub(crate) fn configure(
        &mut self,
        wanted: Option<node_state::NatLog>,
        store: &Store,
        effects: &impl Effects,
    ) {
        let Some(log) = wanted else {
            self.exporting = None;
            return;
        };
        if let Some(exporting) = &mut self.exporting
            && (exporting.log.collector, exporting.log.observation_domain)
                == (log.collector, log.observation_domain)
        {
            exporting.log = log;
            return;
        }
        self.queue.tell(format!("{} {}", log.collector, log.observation_domain), store);
        self.exporting = Some(Exporting {
            log,
            exporter: Exporter::new(Config::new(log.observation_domain)),
            pause: None,
            error: None,
            events_lost: effects.losses().events,
        });
    }

    /// Compares the blocks that subscribers have in the kernel with what was told.
    pub(crate) fn compare<'a>(
        &mut self,
        subscribers: impl Iterator<Item = &'a Name>,
        effects: &impl Effects,
        now: Duration,
    ) {
        if self.exporting.is_some() {
            self.queue.compare(subscribers, |subscriber| effects.nat_blocks(subscriber), millis(now));
        }
    }

    /// The same for `subscribers` and all that were told of.
    pub(crate) fn compare_all<'a>(
        &mut self,
        subscribers: impl Iterator<Item = &'a Name>,
        effects: &impl Effects,
        now: Duration,
    ) {
        if self.exporting.is_some() {
            let mut all: Vec<Name> = self.queue.subscribers().cloned().collect();
            all.extend(subscribers.cloned());
            self.compare(all.iter(), effects, now);
        }
    }

    /// Takes what the kernel told of mappings.
    pub(crate) fn mappings(&mut self, events: &[MappingEvent], now: Duration) {
        let Some(Exporting { log, exporter, .. }) = &mut self.exporting else { return };
        if log.per_flow {
            for event in events {
                exporter.push(&of_mapping(event, now));
            }
        }
    }

    /// A subscriber has as many ports as it may have, all of them in use.
    pub(crate) fn over_quota(&mut self, held: &[NatBlock], now: Duration) {
        let Some(Exporting { exporter, .. }) = &mut self.exporting else { return };
        let Some(user) = held.first().map(|block| block.inside) else { return };
        let max = held.iter().map(|block| u32::from(block.ports)).sum();
        let nat = NatEvent::QuotaExceeded(Quota::EntriesPerUser { max, user });
        exporter.push(&Event { observed_ms: millis(now), nat });
    }

    /// Sends what is due, and keeps on the disk what was told with it.
    pub(crate) fn pump(&mut self, store: &Store, effects: &mut impl Effects, now: Duration) {
        let Some(exporting) = &mut self.exporting else { return };
        if exporting.pause.is_some_and(|until| Instant::now() < until) {
            return;
        }
        exporting.pause = None;
        loop {
            let failed = exporting.exporter.statistics().failed;
            let sent = effects.export(exporting.log.collector.address(), &mut exporting.exporter, now);
            match sent {
                Ok(Progress::Done) => {
                    exporting.error = None;
                    self.queue.left();
                    let events = self.queue.next();
                    if events.is_empty() {
                        break;
                    }
                    for event in &events {
                        exporting.exporter.push(event);
                    }
                    exporting.exporter.flush();
                }
                Ok(Progress::Blocked) => {
                    exporting.pause = Some(Instant::now() + BLOCKED_PAUSE);
                    break;
                }
                Err(error) => {
                    tracing::warn!(%error, "the NAT log's collector cannot be told");
                    exporting.error = Some(error);
                    exporting.pause = Some(Instant::now() + ERROR_PAUSE);
                    exporting.exporter.refresh();
                    if exporting.exporter.statistics().failed > failed {
                        self.queue.failed();
                    }
                    break;
                }
            }
        }
        self.queue.keep(store);
    }

    /// Sends whatever there is, before the agent ends.
    pub(crate) fn finish(&mut self, store: &Store, effects: &mut impl Effects, now: Duration) {
        if let Some(exporting) = &mut self.exporting {
            exporting.exporter.flush();
        }
        self.pump(store, effects, now);
    }

    /// How long [`Self::pump`] has nothing to do; `None`: for ever.
    pub(crate) fn wait(&self, now: Duration) -> Option<Duration> {
        let exporting = self.exporting.as_ref()?;
        Some(match exporting.pause {
            Some(until) => until.saturating_duration_since(Instant::now()),
            None if self.queue.is_waiting() => Duration::ZERO,
            None => exporting.exporter.wait(now),
        })
    }

    /// Why the collector cannot be told, if it cannot.
    pub(crate) fn error(&self) -> Option<String> {
        self.exporting.as_ref()?.error.clone()
    }

    /// What to say of it. `events_lost`: the kernel's count, which the collector is told of too.
    pub(crate) fn status(&mut self, events_lost: u64) -> Option<LogStatus> {
        let Exporting { log, exporter, events_lost: known, .. } = self.exporting.as_mut()?;
        exporter.lost(events_lost.saturating_sub(*known));
        *known = events_lost;
        let ipfix::Statistics { messages, records, dropped, failed } = exporter.statistics();
        let (blocks, waiting) = self.queue.counts();
        let (collector, per_flow) = (log.collector.to_string(), log.per_flow);
        Some(LogStatus { collector, per_flow, blocks, waiting, messages, records, dropped, failed })
    }
}

fn millis(now: Duration) -> u64 {
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// A mapping serves all destinations, and is told of as the session (RFC 8158, section 5.6.1) that it was made for.
fn of_mapping(event: &MappingEvent, now: Duration) -> Event {
    let MappingEvent { is_made, age, protocol, inside, external, remote, .. } = *event;
    let session = Session {
        binding: BibEntry { protocol, internal: inside, external },
        destination: remote,
        translated_destination: remote,
        origin: Realm::Internal,
    };
    let nat = if is_made { NatEvent::SessionCreate(session) } else { NatEvent::SessionDelete(session) };
    Event { observed_ms: millis(now.saturating_sub(age)), nat }
}

/// The record of a block, or of a whole address, that came or went.
fn of_block(change: &BlockChange) -> Option<Event> {
    let NatBlock { inside, external, first_port, ports } = change.block;
    let nat = if change.block.is_whole() {
        let binding = AddressBinding { internal: inside, external };
        if change.is_held {
            NatEvent::AddressBindingCreate(binding)
        } else {
            NatEvent::AddressBindingDelete(binding)
        }
    } else {
        let ports = PortRange::new(first_port, ports).ok()?;
        let block = PortBlock { internal: inside, external, ports };
        if change.is_held {
            NatEvent::PortBlockAllocation(block)
        } else {
            NatEvent::PortBlockDeallocation(block)
        }
    };
    Some(Event { observed_ms: change.observed_ms, nat })
}

#[cfg(test)]
mod tests;
