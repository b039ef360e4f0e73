//! Sessions whose ports are exhausted, and what becomes of them.

use fastpath::{Extension, KernelEvent, NatBlock};
use serde::Serialize;

use super::{Reconciler, blocking, since_1970};
use crate::effects::Effects;

/// How often sessions asked for further ports, since the agent began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OverflowCounts {
    /// Blocks that were given.
    pub(crate) given: u64,
    /// Nothing was given, for the session had its quota. Each asks twice a minute at most.
    pub(crate) over_quota: u64,
    /// Nothing was given, for none was free on its public address.
    pub(crate) none_free: u64,
}

impl<E: Effects> Reconciler<E> {
    pub(super) fn hear_nat(&mut self, events: &[KernelEvent]) {
        let now = since_1970();
        let mut mappings = Vec::new();
        for event in events {
            match *event {
                KernelEvent::Mapping(mapping) => mappings.push(mapping),
                KernelEvent::PortsExhausted { session } => self.extend_nat(session),
            }
        }
        self.nat_log.mappings(&mappings, now);
    }

    /// A session's ports are exhausted: it gets more, or is counted among those that got none.
    fn extend_nat(&mut self, session: u32) {
        let now = since_1970();
        match blocking(|| self.effects.extend_nat(session)) {
            Ok(None) => {}
            Ok(Some((subscriber, Extension::Given(block)))) => {
                self.overflow.given += 1;
                let NatBlock { external, first_port, ports, .. } = block;
                tracing::info!(%subscriber, %external, first_port, ports, "a further port block is given");
                self.nat_log.compare(std::iter::once(&subscriber), &self.effects, now);
            }
            Ok(Some((subscriber, Extension::Quota { blocks }))) => {
                self.overflow.over_quota += 1;
                tracing::warn!(%subscriber, blocks, "ports and the quota of port blocks are exhausted");
                self.nat_log.over_quota(&self.effects.nat_blocks(&subscriber), now);
            }
            Ok(Some((subscriber, Extension::NoneFree))) => {
                self.overflow.none_free += 1;
                tracing::warn!(%subscriber, "ports are exhausted, and none is left to lend");
            }
            Err(error) => tracing::error!(session, error, "no further port block can be given"),
        }
        self.status.overflow(self.overflow);
    }

    /// Takes back what further port blocks are not used any more.
    pub(super) fn reclaim_nat(&mut self) {
        match self.effects.reclaim_nat() {
            Ok(subscribers) => {
                self.nat_log.compare(subscribers.iter(), &self.effects, since_1970());
            }
            Err(error) => tracing::error!(error, "port blocks that nobody uses cannot be taken back"),
        }
    }
}
