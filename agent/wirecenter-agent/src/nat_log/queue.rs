//! Which blocks of ports the collector knows of, and what it is yet to be told.

use std::collections::VecDeque;

use fastpath::NatBlock;
use ipfix::Event;
use net_types::Name;

use super::{Told, of_block};
use crate::store::Store;

/// Told at a time: together in one datagram, which leaves or does not.
const PORTION: usize = 48;
/// Changes that wait at most. Beyond that, blocks are looked at again when the next comparison is made.
const WAITING_MAX: usize = 1 << 20;

/// A block that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BlockChange {
    pub(crate) subscriber: Name,
    pub(crate) block: NatBlock,
    /// It came.
    pub(crate) is_held: bool,
    /// When that was seen, in milliseconds since the Unix epoch.
    pub(crate) observed_ms: u64,
}

pub(super) struct Queue {
    /// As if all that waits had been told.
    told: Told,
    waiting: VecDeque<BlockChange>,
    /// With the exporter.
    leaving: Vec<BlockChange>,
    /// Gone out, and not yet on the disk.
    unkept: Vec<BlockChange>,
}

impl Queue {
    pub(super) fn new(told: Told) -> Self {
        Self { told, waiting: VecDeque::new(), leaving: Vec::new(), unkept: Vec::new() }
    }

    /// Whom to tell from now on; another one than before knows of nothing.
    pub(super) fn tell(&mut self, to: String, store: &Store) {
        // What an exporter before this one had not sent, this one is to send.
        self.failed();
        if self.told.to == to {
            return;
        }
        if let Err(error) = tokio::task::block_in_place(|| store.tell_anew(&to)) {
            tracing::error!(%error, "what the NAT log tells cannot be kept, and will be told again");
        }
        *self = Self::new(Told { to, ..Told::default() });
    }

    pub(super) fn subscribers(&self) -> impl Iterator<Item = &Name> {
        self.told.blocks.keys()
    }

    /// What went is told first, since another may have it by now.
    pub(super) fn compare<'a>(
        &mut self,
        subscribers: impl Iterator<Item = &'a Name>,
        held: impl Fn(&Name) -> Vec<NatBlock>,
        observed_ms: u64,
    ) {
        if self.waiting.len() >= WAITING_MAX {
            return;
        }
        let mut came = Vec::new();
        for subscriber in subscribers {
            let held = held(subscriber);
            let told = self.told.blocks.get(subscriber).map_or(&[][..], Vec::as_slice);
            if held == told {
                continue;
            }
            let change =
                |block, is_held| BlockChange { subscriber: subscriber.clone(), block, is_held, observed_ms };
            let gone = told.iter().filter(|block| !held.contains(block));
            self.waiting.extend(gone.map(|block| change(*block, false)));
            came.extend(held.iter().filter(|block| !told.contains(block)).map(|block| change(*block, true)));
            if held.is_empty() {
                self.told.blocks.remove(subscriber);
            } else {
                self.told.blocks.insert(subscriber.clone(), held);
            }
        }
        self.waiting.extend(came);
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next portion to go out, unless one is on its way.
    pub(super) fn next(&mut self) -> Vec<Event> {
        if self.leaving.is_empty() {
            self.leaving.extend(self.waiting.drain(..PORTION.min(self.waiting.len())));
            return self.leaving.iter().filter_map(of_block).collect();
        }
        Vec::new()
    }

    /// What was on its way has gone out.
    pub(super) fn left(&mut self) {
        self.unkept.append(&mut self.leaving);
    }

    /// What was on its way may not have gone out.
    pub(super) fn failed(&mut self) {
        for change in self.leaving.drain(..).rev() {
            self.waiting.push_front(change);
        }
    }

    /// Keeps on the disk what has gone out.
    pub(super) fn keep(&mut self, store: &Store) {
        if self.unkept.is_empty() {
            return;
        }
        match tokio::task::block_in_place(|| store.keep_told(&self.unkept)) {
            Ok(()) => self.unkept.clear(),
            // It is tried again with what comes next; a restart before that tells it again.
            Err(error) => tracing::error!(%error, "what the NAT log told cannot be kept"),
        }
    }

    /// Blocks that the collector knows of, when all is told that waits; and how many changes wait.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.told.blocks.values().map(Vec::len).sum(), self.waiting.len() + self.leaving.len())
    }
}
