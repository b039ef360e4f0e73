//! What became of an action.

use std::time::Duration;

use super::{
    BackEndId, Digest, Id, Scheduler, Ticket,
    dispatch::Action,
    unit::{Holding, Run, State, Task},
};
use crate::{BackEnd, ErrorEntry, Failure, Key, Made, Outcome, Retry};

#[derive(Clone, Debug)]
pub struct Completion {
    pub ticket: Ticket,
    /// Of the object as it was read for the action.
    pub generation: u64,
    pub ended: Ended,
}

#[derive(Clone, Debug)]
pub enum Ended {
    Outcome(Outcome),
    TimedOut(Duration),
    /// The call was given up because its back end goes: it may have been done or not.
    Stopped,
    /// Nothing was done, and why.
    NotBegun(String),
    /// Nothing was done: the object is no longer the one that the work was for. The feed will say so.
    Superseded,
}

impl Scheduler {
    /// A call has ended.
    pub fn complete(&mut self, back_end: BackEndId, completions: Vec<Completion>, now: Duration) {
        self.now = now;
        self.queues[back_end.0].calls -= 1;
        for Completion { ticket, generation, ended } in completions {
            let unit = self.units.get_mut(ticket.unit);
            if let Some(unit) = unit
                && unit.run.as_ref().is_some_and(|run| run.ticket == ticket.number)
                && let Some(run) = unit.run.take()
            {
                self.end(ticket.unit, &run, generation, ended);
            }
        }
        self.process();
    }

    fn end(&mut self, id: Id, run: &Run, generation: u64, ended: Ended) {
        self.step += 1;
        let took = self.now.saturating_sub(run.started);
        let unit = &mut self.units[id];
        unit.moved = self.step;
        let metrics = &mut self.queues[unit.back_end].metrics;
        metrics.action.record(took);
        let changed = std::mem::take(&mut unit.dirty);
        self.set_state(id, State::Idle);
        let failure = match ended {
            Ended::NotBegun(message) => Some(Failure { message, retry: Retry::BackOff }),
            Ended::Superseded => {
                if !changed {
                    // The feed has not said it yet.
                    self.set_state(id, State::BackOff(None));
                }
                None
            }
            Ended::Outcome(Outcome::Done(made)) => {
                self.succeed(id, run, generation, made, true);
                None
            }
            Ended::Outcome(Outcome::Pending(made)) => {
                let early = self.units[id].early.take().filter(|early| made.digest == Some(early.0));
                self.succeed(id, run, generation, made, early.as_ref().is_some_and(|early| early.1.is_ok()));
                let failure = early.and_then(|early| early.1.err());
                if failure.is_some() {
                    self.doubt(id, run);
                }
                failure
            }
            Ended::Outcome(Outcome::Failed(failure)) => {
                self.doubt(id, run);
                Some(failure)
            }
            Ended::Outcome(Outcome::Untouched(failure)) => {
                // What was about to be told is recorded, and is taken back only by telling.
                if run.action == Action::Tell {
                    self.doubt(id, run);
                }
                Some(failure)
            }
            Ended::Stopped => {
                self.doubt(id, run);
                None
            }
            Ended::TimedOut(limit) => {
                let unit = &self.units[id];
                self.queues[unit.back_end].metrics.timeouts += 1;
                self.doubt(id, run);
                Some(Failure { message: format!("no answer within {limit:?}"), retry: Retry::BackOff })
            }
        };
        match failure {
            Some(failure) => self.fail(id, generation, &failure, changed),
            None => self.push(id),
        }
        // Of the object's own, those that are told of its instances wait for its actions to end, however.
        let node = self.units[id].node;
        self.push_all(&self.graph.nodes[node].units.clone());
    }

    fn succeed(&mut self, id: Id, run: &Run, generation: u64, made: Made, acknowledged: bool) {
        let unit = &mut self.units[id];
        (unit.attempt, unit.trouble) = (0, None);
        match run.action {
            Action::Apply | Action::Adopt => {
                let before = unit.holding.take().filter(|holding| holding.uid == run.uid);
                let found = before.as_ref().is_some_and(|holding| !holding.owned);
                unit.holding = Some(Holding {
                    uid: run.uid.clone(),
                    generation,
                    basis: run.basis,
                    handle: made.handle.or_else(|| before.and_then(|holding| holding.handle)),
                    digest: made.digest,
                    owned: made.owned && !found && run.action == Action::Apply,
                    sure: true,
                    acknowledged,
                });
            }
            Action::Remove | Action::Forget if run.stray => drop(unit.strays.pop()),
            Action::Remove | Action::Forget => {
                unit.holding = None;
                // What it stood on may go, even if it is to be made again.
                self.wake_waiters(id);
            }
            Action::Tell => {
                if let Task::Tell(tell) = &mut unit.task {
                    tell.told.clone_from(&run.telling);
                    tell.doubtful.clear();
                }
            }
        }
    }

    /// The effect may be there or not.
    fn doubt(&mut self, id: Id, run: &Run) {
        let unit = &mut self.units[id];
        if let (Action::Tell, Task::Tell(tell)) = (run.action, &mut unit.task) {
            tell.doubtful.extend(run.news.iter().cloned());
        }
        match (run.action, &mut unit.holding) {
            (Action::Tell | Action::Forget, _) => {}
            (Action::Remove, _) if run.stray => {}
            (_, Some(holding)) => (holding.sure, holding.acknowledged) = (false, true),
            (Action::Remove, None) => {}
            (Action::Apply | Action::Adopt, None) => {
                unit.holding = Some(Holding {
                    uid: run.uid.clone(),
                    generation: run.generation,
                    basis: run.basis,
                    handle: None,
                    digest: None,
                    owned: run.action == Action::Apply,
                    sure: false,
                    acknowledged: true,
                });
            }
        }
    }

    fn fail(&mut self, id: Id, generation: u64, failure: &Failure, changed: bool) {
        let unit = &mut self.units[id];
        let queue = &mut self.queues[unit.back_end];
        queue.metrics.errors += 1;
        unit.attempt += 1;
        let entry = ErrorEntry {
            at: self.epoch + self.now,
            back_end: queue.name.as_str().into(),
            attempt: unit.attempt,
            generation,
            message: failure.message.clone(),
        };
        let node = unit.node;
        let text = format!("{}: {}", queue.name, failure.message);
        unit.trouble = Some(text.into());
        let state = if changed {
            // The failure was of what the object no longer is.
            unit.attempt = 0;
            State::Idle
        } else if failure.retry == Retry::OnChange {
            State::BackOff(None)
        } else {
            let key = &self.graph.nodes[node].key;
            let draw = Digest::new(self.seed)
                .text(queue.name.as_str())
                .text(key.kind.as_str())
                .text(key.name.as_str())
                .number(u64::from(unit.attempt));
            let delay = queue.declaration.back_off.delay(unit.attempt, draw.finish());
            State::BackOff(Some(self.now + delay))
        };
        self.set_state(id, state);
        self.remember(node, entry);
        self.touch(node);
        self.push(id);
        self.refresh.push_back(id);
    }

    pub(super) fn fail_acknowledgement(&mut self, id: Id) {
        let unit = &mut self.units[id];
        let limit = self.queues[unit.back_end].declaration.limits.acknowledgement_timeout.unwrap_or_default();
        let message = format!("not acknowledged within {limit:?}");
        self.refuse(id, &Failure { message, retry: Retry::BackOff });
    }

    fn refuse(&mut self, id: Id, failure: &Failure) {
        if let Some(holding) = &mut self.units[id].holding {
            (holding.sure, holding.acknowledged) = (false, true);
            let generation = holding.generation;
            self.fail(id, generation, failure, false);
        }
    }

    /// What was made with this digest works, or not; said of what is not there, or is being changed, it is nothing.
    pub fn acknowledge(
        &mut self,
        back_end: &BackEnd,
        key: &Key,
        digest: u64,
        result: Result<(), Failure>,
        now: Duration,
    ) {
        self.now = now;
        let Some(id) = self.find(back_end, key) else { return };
        let unit = &mut self.units[id];
        let of_this = unit.holding.as_ref().is_some_and(|holding| holding.digest == Some(digest));
        match unit.state {
            State::Running => unit.early = Some(Box::new((digest, result))),
            State::Awaiting(_) | State::Idle | State::BackOff(_) if of_this => match result {
                Ok(()) => self.overcome(id),
                Err(failure) => {
                    unit.settled = false;
                    self.refuse(id, &failure);
                }
            },
            _ => {}
        }
        self.process();
    }

    /// What was in doubt works after all.
    fn overcome(&mut self, id: Id) {
        let unit = &mut self.units[id];
        if let Some(holding) = &mut unit.holding {
            (holding.sure, holding.acknowledged) = (true, true);
        }
        (unit.attempt, unit.trouble) = (0, None);
        if matches!(unit.state, State::BackOff(_)) {
            self.set_state(id, State::Idle);
        }
        self.push(id);
    }

    /// The back end may no longer have the object as it was applied: it is applied again.
    pub fn recheck(&mut self, back_end: &BackEnd, key: &Key, now: Duration) {
        self.now = now;
        if let Some(id) = self.find(back_end, key) {
            if let Some(holding) = &mut self.units[id].holding {
                holding.sure = false;
            }
            self.reset(id);
            self.process();
        }
    }

    fn find(&self, back_end: &BackEnd, key: &Key) -> Option<Id> {
        let at = self.queues.iter().position(|queue| queue.name == *back_end)?;
        let node = &self.graph.nodes[*self.graph.index.get(key)?];
        let is = |unit: &Id| self.units[*unit].back_end == at && self.units[*unit].is_effect();
        node.units.iter().copied().find(is)
    }
}
