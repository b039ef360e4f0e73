//! Homes, and the records of flows and rules that lie among them: what each line is, its session says.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    path::Path,
};

use map_abi::{
    Chunk, HomeRef, LINE_BYTES, LINES_PER_CHUNK, LINES_PER_UNIT, RulesRef, UNIT_INDICES_PER_CHUNK,
    UNITS_PER_CHUNK,
};

use super::{
    arrays::ArrayCopy,
    description::RecordLayout,
    pages::{OldPages, survey},
    plan::{Lost, Op, Plan},
};
use crate::{clerk::Clerk, error::OpenError, paged::Growing};

const CHUNK_BYTES: usize = size_of::<Chunk>();
/// Where the lines of a chunk begin.
const LINES_AT: usize = CHUNK_BYTES - LINES_PER_CHUNK as usize * LINE_BYTES;
const WORDS_PER_LINE: usize = LINE_BYTES / 8;

/// What lies in a line: one of `KINDS`, several times if it is shorter than a line.
pub(crate) const KINDS: [&str; 7] = ["Up", "Down", "Six", "NatEntry", "FlowEntry", "RuleDefaults", "Rule"];
const UP: u8 = 0;
const DOWN: u8 = 1;
const SIX: u8 = 2;
const MAPPINGS: u8 = 3;
const FLOWS: u8 = 4;
const DEFAULTS: u8 = 5;
const RULE: u8 = 6;
/// Names of rules.
const TEXT: u8 = 7;
/// Of no session.
const NOTHING: u8 = 8;

/// Further port blocks of a session that are looked for: beyond that, they lead in a circle.
const BLOCKS_MAX: usize = 64;

/// By line of a chunk.
type Kinds = [u8; LINES_PER_CHUNK as usize];

pub(crate) struct HomesCopy {
    old: OldPages,
    new: Growing<Chunk>,
    plans: Vec<Plan>,
    kinds: BTreeMap<u32, Box<Kinds>>,
    /// What was seen at the look before, as it was.
    seen: BTreeMap<u32, Vec<u8>>,
    pub(crate) mappings: u64,
    pub(crate) flows: u64,
}

/// What each line of each chunk is, by the sessions.
fn kinds(
    sessions: &ArrayCopy,
    (layout, six): (&RecordLayout, &RecordLayout),
    pages: &OldPages,
) -> BTreeMap<u32, Box<Kinds>> {
    let mut kinds: BTreeMap<u32, Box<Kinds>> = BTreeMap::new();
    let mut record = vec![0; sessions.old.row_bytes()];
    let of_home = |line: usize| [UP, DOWN, SIX].get(line).copied().unwrap_or(MAPPINGS);
    for row in 0..sessions.old.rows() {
        if !sessions.old.read(row, &mut record) || layout.number(&record, "in_use") == 0 {
            continue;
        }
        let rules = layout.number(&record, "rules");
        // A rule's record: its reference is in the lower half of the word, how many rules there are in the byte after.
        let count = usize::try_from(rules >> 32 & 0xff).unwrap_or(0);
        let of_rules = |line: usize| match line {
            0 => DEFAULTS,
            line if line <= count => RULE,
            _ => TEXT,
        };
        mark(&mut kinds, reference(layout.number(&record, "home")), of_home);
        mark(&mut kinds, reference(layout.number(&record, "flows")), |_| FLOWS);
        mark(&mut kinds, reference(rules), of_rules);
        for block in blocks(pages, six, reference(layout.number(&record, "overflow"))) {
            mark(&mut kinds, block, of_home);
        }
    }
    kinds
}

fn reference(bits: u64) -> HomeRef {
    HomeRef::from_bits(u32::try_from(bits & 0xffff_ffff).unwrap_or(0))
}

/// Further port blocks, the first of which the session says, and of the others each the one before.
fn blocks(pages: &OldPages, six: &RecordLayout, first: HomeRef) -> Vec<HomeRef> {
    let mut found = Vec::new();
    let mut at = first;
    while !at.is_none() && found.len() < BLOCKS_MAX {
        found.push(at);
        let (chunk, unit) = (at.unit() / UNIT_INDICES_PER_CHUNK, at.unit() % UNIT_INDICES_PER_CHUNK);
        let Some(page) = pages.read(chunk).filter(|_| unit < UNITS_PER_CHUNK) else { break };
        let line = (unit * LINES_PER_UNIT) as usize + usize::from(SIX);
        at = reference(six.number(HomesCopy::line(&page, line), "overflow"));
    }
    found
}

fn mark(kinds: &mut BTreeMap<u32, Box<Kinds>>, home: HomeRef, of: impl Fn(usize) -> u8) {
    let (chunk, unit) = (home.unit() / UNIT_INDICES_PER_CHUNK, home.unit() % UNIT_INDICES_PER_CHUNK);
    if home.is_none() || home.order() > map_abi::HOME_ORDER_MAX || unit + home.units() > UNITS_PER_CHUNK {
        return;
    }
    let lines = kinds.entry(chunk).or_insert_with(|| Box::new([NOTHING; LINES_PER_CHUNK as usize]));
    let first = (unit * LINES_PER_UNIT) as usize;
    for (line, kind) in
        lines.iter_mut().skip(first).take((home.units() * LINES_PER_UNIT) as usize).enumerate()
    {
        *kind = of(line);
    }
}

impl HomesCopy {
    /// `layouts` are those that sessions and `Six` had, and `plans` are those of `KINDS`, in order.
    pub(crate) fn open(
        (old, new): (&Path, &Path),
        sessions: &ArrayCopy,
        layouts: (&RecordLayout, &RecordLayout),
        plans: Vec<Plan>,
    ) -> Result<Self, OpenError> {
        // `RulesRef` is what `kinds` takes apart.
        const { assert!(size_of::<RulesRef>() == 8) };
        let old = OldPages::open::<Chunk>(old, CHUNK_BYTES)?;
        Ok(Self {
            kinds: kinds(sessions, layouts, &old),
            old,
            new: Growing::open(new)?,
            plans,
            seen: BTreeMap::new(),
            mappings: 0,
            flows: 0,
        })
    }

    fn line(chunk: &[u8], line: usize) -> &[u8] {
        let at = LINES_AT + line * LINE_BYTES;
        chunk.get(at..at + LINE_BYTES).unwrap_or_default()
    }

    fn converted(&self, kind: u8, line: &[u8]) -> [u8; LINE_BYTES] {
        let mut to = [0; LINE_BYTES];
        match self.plans.get(usize::from(kind)) {
            Some(plan) => {
                let pieces = line.chunks_exact(plan.old_bytes()).zip(to.chunks_exact_mut(plan.new_bytes()));
                pieces.for_each(|(from, to)| plan.convert(from, to));
            }
            None if kind == TEXT => to.copy_from_slice(line),
            None => {}
        }
        to
    }

    fn chunk_converted(&self, chunk: u32, from: &[u8]) -> Vec<u8> {
        let mut to = vec![0; CHUNK_BYTES];
        let Some(kinds) = self.kinds.get(&chunk) else { return to };
        for (line, kind) in kinds.iter().enumerate().filter(|(_, kind)| **kind != NOTHING) {
            let at = LINES_AT + line * LINE_BYTES;
            to[at..at + LINE_BYTES].copy_from_slice(&self.converted(*kind, Self::line(from, line)));
        }
        to
    }

    /// The first look: whole chunks.
    pub(crate) fn copy(&mut self) -> Result<(), OpenError> {
        let held = self.old.held.clone();
        for index in held {
            let name = map_abi::map::HOMES;
            let page = self.old.read(index).ok_or(OpenError::Unread { name, index })?;
            self.seen.insert(index, page);
        }
        let seen = std::mem::take(&mut self.seen);
        let pages = seen.iter().map(|(index, page)| (*index, self.chunk_converted(*index, page)));
        let pages: Vec<_> = pages.collect();
        self.new.fill(pages).map_err(survey)?;
        self.seen = seen;
        Ok(())
    }

    /// A later one: what has changed meanwhile; in how many lines. `is_in_use`: the programs write to the new ones.
    pub(crate) fn follow(&mut self, clerk: &mut Clerk, is_in_use: bool) -> Result<u64, OpenError> {
        let mut changed = 0;
        let mut seen = std::mem::take(&mut self.seen);
        for (index, earlier) in &mut seen {
            let Some(kinds) = self.kinds.get(index) else { continue };
            let Some(later) = self.old.read(*index) else { continue };
            if *earlier == later {
                continue;
            }
            let mut held: BTreeMap<u32, Option<Box<Chunk>>> = BTreeMap::new();
            for (line, kind) in kinds.iter().enumerate().filter(|(_, kind)| **kind != NOTHING) {
                let (before, after) = (Self::line(earlier, line), Self::line(&later, line));
                if before == after {
                    continue;
                }
                changed += 1;
                let (before, after) = (self.converted(*kind, before), self.converted(*kind, after));
                for (word, op) in self.ops(*kind, &before, &after) {
                    let place = u32::try_from(line * WORDS_PER_LINE + word).unwrap_or(u32::MAX);
                    self.change(clerk, &mut held, is_in_use, (*index, place), op);
                }
            }
            clerk.flush().map_err(survey)?;
            *earlier = later;
        }
        self.seen = seen;
        Ok(changed)
    }

    fn ops(&self, kind: u8, before: &[u8; LINE_BYTES], after: &[u8; LINE_BYTES]) -> Vec<(usize, Op)> {
        let Some(plan) = self.plans.get(usize::from(kind)) else { return Vec::new() };
        let pieces = before.chunks_exact(plan.new_bytes()).zip(after.chunks_exact(plan.new_bytes()));
        let words = plan.new_bytes() / 8;
        pieces
            .enumerate()
            .flat_map(|(n, (before, after))| {
                plan.ops(before, after).into_iter().map(move |(word, op)| (n * words + word, op))
            })
            .collect()
    }

    fn change(
        &self,
        clerk: &mut Clerk,
        held: &mut BTreeMap<u32, Option<Box<Chunk>>>,
        is_in_use: bool,
        (chunk, word): (u32, u32),
        op: Op,
    ) {
        let now = match (op, is_in_use) {
            (Op::Add(count), _) => return clerk.add(chunk, word, count),
            (Op::Replace { from, .. }, false) => from,
            (Op::Max(_), false) => 0,
            (_, true) => {
                let page = match held.entry(chunk) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => entry.insert(self.new.pages.read(chunk)),
                };
                let Some(page) = page else { return };
                page.lines[word as usize / WORDS_PER_LINE].words[word as usize % WORDS_PER_LINE]
            }
        };
        if let Some(value) = op.on(now) {
            clerk.store(chunk, word, value);
        }
    }

    /// What could not be carried over of what was seen last, and how much was.
    pub(crate) fn count(&mut self, lost: &mut Lost) {
        let (mut mappings, mut flows) = (0, 0);
        for (index, page) in &self.seen {
            let Some(kinds) = self.kinds.get(index) else { continue };
            for (line, kind) in kinds.iter().enumerate() {
                let Some(plan) = self.plans.get(usize::from(*kind)) else { continue };
                for record in Self::line(page, line).chunks_exact(plan.old_bytes()) {
                    plan.count_lost(record, lost);
                    // A free entry may still say that its line overflowed.
                    let holds = |of, key| u64::from(*kind == of && plan.number(record, key) != 0);
                    mappings += holds(MAPPINGS, "key");
                    flows += holds(FLOWS, "print");
                }
            }
        }
        (self.mappings, self.flows) = (mappings, flows);
    }
}
