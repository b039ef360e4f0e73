//! Trouble and whom it reaches: an object's error is shown at all that wait for it, until it is overcome.

use super::{
    Id, Scheduler,
    unit::{Blocker, Cause, State},
};

impl Scheduler {
    /// Brings what is shown of a unit to what is so; whoever waits for it follows.
    pub(super) fn refresh(&mut self, id: Id) {
        let cause = self.cause(id).map(Box::new);
        let unit = &mut self.units[id];
        if unit.shown == cause {
            return;
        }
        let fresh = unit.shown.is_none();
        unit.shown = cause;
        let node = unit.node;
        let mut waiters = std::mem::take(&mut unit.waiters);
        waiters.retain(|waiter| {
            self.units.get(*waiter).is_some_and(|unit| unit.state == State::Blocked(Blocker::Unit(id)))
        });
        waiters.sort_unstable();
        waiters.dedup();
        self.refresh.extend(&waiters);
        self.units[id].waiters = waiters;
        self.touch(node);
        if fresh {
            self.draw_waiters(id);
        }
    }

    fn cause(&self, id: Id) -> Option<Cause> {
        let unit = &self.units[id];
        if let Some(text) = &unit.trouble {
            return Some(Cause { on: None, root: None, text: text.clone() });
        }
        let queue = &self.queues[unit.back_end];
        if queue.is_absent() {
            let text = format!("{} has something of it, and is not there", queue.name);
            return Some(Cause { on: None, root: None, text: text.into() });
        }
        match unit.state {
            State::Blocked(Blocker::Node(node)) => {
                let node = &self.graph.nodes[node];
                let text = if node.meta.is_some() { "is being deleted" } else { "does not exist" };
                Some(Cause { on: Some(node.key.clone()), root: None, text: text.into() })
            }
            // The object's own trouble is shown already.
            State::Blocked(Blocker::Unit(on)) if self.units[on].node == unit.node => None,
            State::Blocked(Blocker::Unit(on)) => {
                let key = &self.graph.nodes[self.units[on].node].key;
                if let Some(shown) = &self.units[on].shown {
                    let root = shown.root.as_ref().or(shown.on.as_ref()).filter(|root| *root != key);
                    return Some(Cause {
                        on: Some(key.clone()),
                        root: root.cloned(),
                        text: shown.text.clone(),
                    });
                }
                // In deletion: what stands on it is not going.
                let stays = self.goal(id).is_none() && self.goal(on).is_some();
                stays.then(|| Cause { on: Some(key.clone()), root: None, text: "still stands on it".into() })
            }
            _ => None,
        }
    }

    /// A unit that waits for something that is merely slow is shown to wait for what is in trouble.
    fn draw_waiters(&mut self, id: Id) {
        let unit = &self.units[id];
        let mut drawn = Vec::new();
        for &(relation, from) in &self.graph.nodes[unit.node].into {
            for &user in &self.graph.nodes[from].units {
                let State::Blocked(Blocker::Unit(on)) = self.units[user].state else { continue };
                let declared = self.queues[self.units[user].back_end].needs(relation).is_some();
                let calm = on != id && self.units.get(on).is_some_and(|on| on.shown.is_none());
                let current = || {
                    let edges = &self.graph.nodes[from].out;
                    edges.iter().any(|out| out.to == unit.node && out.relation == relation && !out.held)
                };
                if declared && calm && current() && self.goal(user).is_some() && self.stands_on(user, id) {
                    drawn.push(user);
                }
            }
        }
        for user in drawn {
            self.set_state(user, State::Blocked(Blocker::Unit(id)));
            self.units[id].waiters.push(user);
            self.refresh.push_back(user);
        }
    }
}
