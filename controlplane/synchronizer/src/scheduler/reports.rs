//! What objects' statuses are to say.

use super::{
    Id, NOWHERE, Scheduler,
    unit::{State, Unit},
};
use crate::{DEPENDENCY_NOT_READY, ErrorEntry, Report, SYNCED, report::condition};

/// Errors that are kept of an object.
pub const HISTORY_MAX: usize = 16;

impl Scheduler {
    pub(super) fn touch(&mut self, node: Id) {
        if !std::mem::replace(&mut self.graph.nodes[node].dirty, true) {
            self.dirty.push(node);
        }
    }

    pub(super) fn remember(&mut self, node: Id, entry: ErrorEntry) {
        let history = &mut self.graph.nodes[node].history;
        let excess = (history.len() + 1).saturating_sub(HISTORY_MAX);
        history.drain(..excess);
        history.push(entry);
    }

    /// One report for each object of which something has changed since the last time.
    pub fn take_reports(&mut self) -> Vec<Report> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty.into_iter().filter_map(|id| self.report(id)).collect()
    }

    fn report(&mut self, id: Id) -> Option<Report> {
        let node = self.graph.nodes.get_mut(id)?;
        node.dirty = false;
        let meta = node.meta.clone()?;
        let at = self.epoch + self.now;
        let node = &self.graph.nodes[id];
        let units = || node.units.iter().map(|unit| &self.units[*unit]);
        let causes = || units().filter_map(|unit| unit.shown.as_ref());
        let own = causes().find(|cause| cause.on.is_none());
        let settled = units().all(|unit| unit.settled);
        let (ok, reason, message) = if let Some(own) = own {
            let failed = units().any(|unit| unit.trouble.is_some());
            (false, if failed { "Failed" } else { "BackEndAbsent" }, own.text.to_string())
        } else if settled {
            let has = |unit: &Unit| unit.holding.is_some() || !unit.is_effect() && unit.concerned;
            let kept = units().any(|unit| unit.back_end != NOWHERE && has(unit));
            let reason = if kept { "Synced" } else { "NotNeeded" };
            let message = if kept { "every back end has it" } else { "no back end needs it" };
            (true, reason, message.into())
        } else if let Some(on) = causes().find_map(|cause| cause.on.as_ref()) {
            (false, "Waiting", format!("waits for {on}"))
        } else if let Some(unit) = units().find(|unit| matches!(unit.state, State::Awaiting(_))) {
            let back_end = &self.queues[unit.back_end].name;
            (false, "Pending", format!("{back_end} has it and has not yet acknowledged it"))
        } else {
            (false, "Progressing", "on its way to the back ends".into())
        };
        let (waits, why, what) = match causes().find(|cause| cause.on.is_some()) {
            Some(cause) => {
                let on = cause.on.as_ref().map_or_else(String::new, ToString::to_string);
                let root =
                    cause.root.as_ref().map_or_else(String::new, |root| format!(" (because of {root})"));
                let why = if meta.deleting { "DependantRemains" } else { "DependencyNotReady" };
                (true, why, format!("{on}{root}: {}", cause.text))
            }
            None => (false, "Ready", "nothing that it depends on is in trouble".into()),
        };
        let conditions = vec![
            condition(SYNCED, ok, reason, message, at),
            condition(DEPENDENCY_NOT_READY, waits, why, what, at),
        ];
        let released = meta.deleting && settled && units().all(|unit| !unit.holds());
        let enacted = node.enacted || waits || units().any(|unit| unit.back_end != NOWHERE);
        let acting = || units().filter(|unit| unit.is_effect() && unit.back_end != NOWHERE);
        let digest = match (acting().next(), acting().nth(1)) {
            (Some(unit), None) if settled => unit.holding.as_ref().and_then(|holding| holding.digest),
            _ => None,
        };
        let (key, errors) = (node.key.clone(), node.history.clone());
        self.graph.nodes[id].enacted = enacted;
        Some(Report {
            key,
            uid: meta.uid,
            generation: meta.generation,
            conditions,
            errors,
            enacted,
            digest,
            released,
        })
    }
}
