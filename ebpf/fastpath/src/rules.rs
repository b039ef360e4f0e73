//! The rules of a session's firewall, which change as a whole: a new record takes the place of the one before.

use map_abi::{HomeRef, Line, RulesRef, UNIT_INDICES_PER_CHUNK};
use node_plan::forwarding::{RuleRecord, rule_record};
use node_state::{NatFiltering, Session};

use crate::{error::ApplyError, fastpath::Fastpath, homes, sessions::Sessions};

impl Sessions {
    /// The lines of a record as they are now.
    fn record(&self, record: HomeRef) -> Vec<Line> {
        if record.is_none() {
            return Vec::new();
        }
        let chunk = self.homes.pages.read(record.unit() / UNIT_INDICES_PER_CHUNK);
        let lines = chunk.as_deref().and_then(|chunk| homes::lines(chunk, record));
        lines.map(<[Line]>::to_vec).unwrap_or_default()
    }
}

impl Fastpath {
    /// The rules of a session: those that it has, if they are the same, or a record that is written but which nothing leads
    /// to yet.
    pub(crate) fn rules_for(&mut self, session: &Session, index: u32) -> Result<RulesRef, ApplyError> {
        let held = self.tables.session(index).rules;
        if session.firewall.is_none() {
            return Ok(RulesRef::NONE);
        }
        let wanted = rule_record(session)?;
        // No rules are what a filter of NAT goes by: what begins inside may be.
        let is_filtered = session.nat_filtering != NatFiltering::EndpointIndependent;
        if wanted.is_none() && held.count() == 0 && (!held.is_none() || !is_filtered) {
            return Ok(held);
        }
        // What the record held for another may still have to be wiped.
        self.clerk.flush()?;
        let lines = self.sessions.record(held.record());
        if wanted.as_ref().is_some_and(|wanted| wanted.is_in(&lines)) {
            return Ok(held);
        }
        let generation = held.generation() % RulesRef::GENERATION_MAX + 1;
        // Flows of the generation that comes round are not told from those of the last time.
        if generation < held.generation() {
            self.clerk.wipe(self.tables.session(index).flows);
        }
        let Some(mut wanted) = wanted else { return Ok(RulesRef::new(HomeRef::NONE, 0, generation)) };
        let record = self.sessions.take_home(wanted.order())?;
        wanted.count_on(&lines);
        self.write_rules(record, &wanted);
        Ok(RulesRef::new(record, wanted.count(), generation))
    }

    fn write_rules(&mut self, record: HomeRef, wanted: &RuleRecord) {
        let words = wanted.lines().iter().flat_map(|line| line.words);
        for (at, word) in (0..).zip(words).filter(|(_, word)| *word != 0) {
            self.clerk.poke_home(record, at, word);
        }
    }
}
