//! What is made only when it is needed: counts of who needs it, by object and back end.

use super::{Id, Scheduler};
use crate::Needs;

impl Scheduler {
    /// Brings a unit's part in the demand to what its goal says; what it needs follows.
    pub(super) fn recount(&mut self, id: Id) {
        let wanted = self.goal(id).is_some();
        self.count(id, wanted);
    }

    pub(super) fn count(&mut self, id: Id, wanted: bool) {
        let mut todo = vec![(id, wanted)];
        while let Some((id, wanted)) = todo.pop() {
            let unit = &mut self.units[id];
            if !unit.is_effect() || std::mem::replace(&mut unit.counted, wanted) == wanted {
                continue;
            }
            let (node, back_end) = (unit.node, unit.back_end);
            let queue = &self.queues[back_end];
            let lazily: Vec<Id> = self.graph.nodes[node]
                .out
                .iter()
                .filter(|out| !out.held && queue.needs(out.relation) == Some(Needs::Lazily))
                .map(|out| out.to)
                .collect();
            for to in lazily {
                let demand = self.demand.entry((to, back_end)).or_default();
                let before = *demand;
                *demand = if wanted { before + 1 } else { before - 1 };
                let flipped = (before == 0) != (*demand == 0);
                if *demand == 0 {
                    self.demand.remove(&(to, back_end));
                }
                if !flipped {
                    continue;
                }
                self.anchor_at(to, back_end);
                if let Some(unit) = self.unit_of(to, back_end, false) {
                    self.reset(unit);
                    todo.push((unit, self.goal(unit).is_some()));
                }
            }
        }
    }
}
