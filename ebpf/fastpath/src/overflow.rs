//! Further port blocks, which come when a session's own is full and go when nothing is in them.
//!
//! Which there are, the kernel's maps say: the session has the first, and each the next. A block is complete before its
//! ports lead to it, these do before its session has it, and the session before its home; on the way back the other way
//! round. So whatever a process leaves behind in the middle, the next one finds it and can put it right.

use std::collections::{BTreeMap, BTreeSet};

use map_abi::{HomeRef, OVERFLOW_BLOCKS_MAX, OverflowShare, Six, UNIT_INDICES_PER_CHUNK};
use net_types::Name;
use node_plan::forwarding::{is_idle, overflow_block};
use zerocopy::IntoBytes;

use crate::{
    clerk::Clerk,
    error::ApplyError,
    fastpath::Fastpath,
    homes,
    log::NatBlock,
    mapped::{Writer, put_words},
    reach::Reach,
    sessions::{LINE_WORDS, Sessions, words_of},
    sys,
    tables::Tables,
};

/// The word of `Six` that says whether user space was told that the block is full.
const TOLD_WORD: u32 = 2 * LINE_WORDS + 2;
/// The word of `Six` with the next block and the home.
const NEXT_WORD: u32 = 2 * LINE_WORDS + 4;

/// A further block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) record: HomeRef,
    /// The first of its groups of 64 ports.
    pub(crate) first: u16,
}

/// What came of a session's ports being exhausted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extension {
    /// It has a further block.
    Given(NatBlock),
    /// It has as many as it may have.
    Quota { blocks: u32 },
    /// None is free on its public address.
    NoneFree,
}

/// Which sessions have further blocks, and who is to be told again that it may ask.
#[derive(Debug, Default)]
pub(crate) struct Overflow {
    /// By index of the session, the newest block first.
    pub(crate) held: BTreeMap<u32, Vec<Held>>,
    denied: BTreeSet<u32>,
    /// A process before this one may have taken in what its session asked for, and not have answered.
    is_surveyed: bool,
}

impl Sessions {
    /// Finds the blocks that a session has; what is not as this program writes it is no block.
    pub(crate) fn survey_overflow(
        &mut self,
        tables: &Tables,
        writer: &mut Writer,
        clerk: &mut Clerk,
        index: u32,
    ) {
        let session = tables.session(index);
        let mut found: Vec<Held> = Vec::new();
        let mut at = session.overflow;
        while !at.is_none() && found.len() < OVERFLOW_BLOCKS_MAX as usize {
            let chunk = self.homes.pages.read(at.unit() / UNIT_INDICES_PER_CHUNK);
            let block = chunk.as_deref().and_then(|chunk| homes::further(chunk, at, session.home));
            let Some((first, next)) = block else { break };
            if !self.units.take_at(at.unit(), at.order()) {
                break;
            }
            found.push(Held { record: at, first });
            at = next;
        }
        if found.is_empty() && session.overflow.is_none() {
            return;
        }
        let last = found.last().map(|held| held.record);
        self.overflow.held.insert(index, found);
        if let Some(last) = last {
            clerk.poke_home(last, NEXT_WORD, word_of(HomeRef::NONE, session.home));
        }
        self.lead_to_blocks(tables, writer, clerk, index);
    }

    /// Makes the session and its home lead to the first of its blocks.
    fn lead_to_blocks(&mut self, tables: &Tables, writer: &mut Writer, clerk: &mut Clerk, index: u32) {
        let first = self.overflow.held.get(&index).and_then(|held| held.first());
        let first = first.map_or(HomeRef::NONE, |held| held.record);
        let session = tables.session(index);
        set_blocks(tables, writer, index, first, session.overflow_share);
        if !session.home.is_none() {
            clerk.poke_home(session.home, NEXT_WORD, word_of(first, HomeRef::NONE));
        }
    }

    /// Where ports lead that are a session's further ones: the session, the block and which of its units.
    pub(crate) fn block_with(&self, record_unit: u32) -> Option<(u32, Held)> {
        let mut all =
            self.overflow.held.iter().flat_map(|(index, held)| held.iter().map(|one| (*index, *one)));
        all.find(|(_, held)| held.record.unit() == record_unit)
    }

    fn give_block(
        &mut self,
        (tables, writer, clerk): (&Tables, &mut Writer, &mut Clerk),
        index: u32,
        first: u16,
    ) -> Result<(), ApplyError> {
        let session = tables.session(index);
        let reach = Reach::of(&session);
        let Some(nat) = reach.nat else { return Ok(()) };
        let address = tables.nat_address(nat.address).ok_or(ApplyError::NoNatPool(nat.address))?;
        let record = self.take_home(session.home.order())?;
        // What the record held for another may still have to be wiped.
        clerk.flush()?;
        let (up, down, six) = overflow_block(&session, index, first);
        let lines = [words_of::<8>(up.as_bytes()), words_of(down.as_bytes()), words_of(six.as_bytes())];
        for (at, word) in (0..).zip(lines.into_iter().flatten()).filter(|(_, word)| *word != 0) {
            clerk.poke_home(record, at, word);
        }
        for n in 0..record.units() {
            clerk.poke_ports(address, u32::from(first) + n, record.ports(n).to_bits());
        }
        if let Err(error) = clerk.flush() {
            self.give_back_home(record);
            return Err(error);
        }
        let groups = u16::try_from(record.units()).unwrap_or(u16::MAX);
        self.by_ports.insert((nat.address, first), (groups, index));
        self.overflow.held.entry(index).or_default().insert(0, Held { record, first });
        self.lead_to_blocks(tables, writer, clerk, index);
        Ok(())
    }

    /// Takes blocks from a session; their mappings are forgotten.
    pub(crate) fn take_blocks(
        &mut self,
        (tables, writer, clerk): (&Tables, &mut Writer, &mut Clerk),
        index: u32,
        which: impl Fn(&Held) -> bool,
    ) {
        let Some(held) = self.overflow.held.remove(&index) else { return };
        let (gone, stay): (Vec<Held>, Vec<Held>) = held.into_iter().partition(which);
        let session = tables.session(index);
        for pair in stay.windows(2) {
            clerk.poke_home(pair[0].record, NEXT_WORD, word_of(pair[1].record, session.home));
        }
        if let Some(last) = stay.last() {
            clerk.poke_home(last.record, NEXT_WORD, word_of(HomeRef::NONE, session.home));
        }
        if !stay.is_empty() {
            self.overflow.held.insert(index, stay);
        }
        self.lead_to_blocks(tables, writer, clerk, index);
        let nat = Reach::of(&session).nat;
        for Held { record, first } in gone {
            if let Some(nat) = nat {
                self.by_ports.remove(&(nat.address, first));
                if let Some(address) = tables.nat_address(nat.address) {
                    (0..record.units()).for_each(|n| clerk.poke_ports(address, u32::from(first) + n, 0));
                }
            }
            clerk.wipe(record);
            self.give_back_home(record);
        }
    }

    /// The first group of as many free ones as a block needs.
    fn free_groups(&self, reach: &Reach, share: OverflowShare, groups: u32) -> Option<u16> {
        let nat = reach.nat?;
        let all = share.groups();
        let mut firsts = all.clone().step_by(groups as usize).take_while(|first| first + groups <= all.end);
        let is_free = |first: u32| {
            u16::try_from(first * 64).is_ok_and(|first_port| {
                let wanted = Reach { nat: Some(crate::reach::HeldNat { first_port, ..nat }), ..*reach };
                self.with_ports(&wanted, 0).is_none()
            })
        };
        firsts.find(|first| is_free(*first)).and_then(|first| u16::try_from(first).ok())
    }

    /// Lets the kernel tell again that a session's ports are exhausted.
    fn rearm(tables: &Tables, clerk: &mut Clerk, index: u32) {
        let session = tables.session(index);
        if session.home.is_none() || session.overflow_share.blocks() == 0 {
            return;
        }
        let six = Six {
            delegated_len: session.delegated_len,
            is_on: session.has_ipv6,
            flows: session.flows,
            ..Six::default()
        };
        clerk.poke_home(session.home, TOLD_WORD, words_of::<8>(six.as_bytes())[2]);
    }
}

/// Stores which further blocks a session has, and where they come from.
pub(crate) fn set_blocks(
    tables: &Tables,
    writer: &mut Writer,
    index: u32,
    first: HomeRef,
    share: OverflowShare,
) {
    let share: u32 = zerocopy::transmute!(share);
    let word = u64::from(first.to_bits()) | u64::from(share) << 32;
    put_words!(writer, tables.sessions.at(index), [word], overflow);
}

/// `Six::overflow` and `Six::home`.
fn word_of(next: HomeRef, home: HomeRef) -> u64 {
    u64::from(next.to_bits()) | u64::from(home.to_bits()) << 32
}

impl Fastpath {
    /// Gives a session a further port block, if it may have one. Returns whose session it is; `None`: nobody's, by now.
    pub fn extend_nat(&mut self, index: u32) -> Result<Option<(Name, Extension)>, ApplyError> {
        let Some(name) = self.session_by_index(index) else { return Ok(None) };
        let session = self.tables.session(index);
        let (share, reach) = (session.overflow_share, Reach::of(&session));
        let held = self.sessions.overflow.held.get(&index).map_or(0, Vec::len);
        let blocks = share.blocks();
        if session.home.is_none() || reach.nat.is_none() {
            return Ok(None);
        }
        if held >= blocks as usize {
            self.sessions.overflow.denied.insert(index);
            return Ok(Some((name, Extension::Quota { blocks })));
        }
        let Some(first) = self.sessions.free_groups(&reach, share, session.home.units()) else {
            self.sessions.overflow.denied.insert(index);
            return Ok(Some((name, Extension::NoneFree)));
        };
        let to = (&self.tables, &mut self.writer, &mut self.clerk);
        self.sessions.give_block(to, index, first)?;
        Sessions::rearm(&self.tables, &mut self.clerk, index);
        self.clerk.flush()?;
        let given = self.nat_blocks(&name).into_iter().find(|block| block.first_port == first * 64);
        Ok(given.map(|block| (name, Extension::Given(block))))
    }

    /// Takes back the further port blocks that nothing has used for a while, and lets those ask again who got none. Returns
    /// whose blocks went.
    pub fn reclaim_nat(&mut self) -> Result<Vec<Name>, ApplyError> {
        self.reclaim_nat_at(sys::monotonic_ns())
    }

    /// The same, at a time of the monotonic clock.
    pub fn reclaim_nat_at(&mut self, now_ns: u64) -> Result<Vec<Name>, ApplyError> {
        let mut idle: BTreeMap<u32, Vec<HomeRef>> = BTreeMap::new();
        for (index, held) in &self.sessions.overflow.held {
            for Held { record, .. } in held {
                let chunk = self.sessions.homes.pages.read(record.unit() / UNIT_INDICES_PER_CHUNK);
                let lines = chunk.as_deref().and_then(|chunk| homes::lines(chunk, *record));
                if lines.is_some_and(|lines| is_idle(lines, now_ns)) {
                    idle.entry(*index).or_default().push(*record);
                }
            }
        }
        let mut names = Vec::new();
        for (index, records) in idle {
            let to = (&self.tables, &mut self.writer, &mut self.clerk);
            self.sessions.take_blocks(to, index, |held| records.contains(&held.record));
            names.extend(self.session_by_index(index));
        }
        let mut asks = std::mem::take(&mut self.sessions.overflow.denied);
        if !std::mem::replace(&mut self.sessions.overflow.is_surveyed, true) {
            asks.extend(self.sessions.by_name.values());
        }
        for index in asks {
            Sessions::rearm(&self.tables, &mut self.clerk, index);
        }
        self.clerk.flush()?;
        Ok(names)
    }

    /// Takes away the further blocks of others that are in the way of a session's own.
    pub(crate) fn clear_ports(&mut self, reach: &Reach, own: u32) {
        while let Some(holder) = self.sessions.with_ports(reach, own) {
            let Some(nat) = reach.nat else { return };
            let (first, count) = reach.groups(nat);
            let address = self.tables.reach(holder).nat.map(|nat| nat.address);
            let is_in_the_way = |held: &Held| {
                let groups = u16::try_from(held.record.units()).unwrap_or(u16::MAX);
                address == Some(nat.address) && held.first < first + count && first < held.first + groups
            };
            let blocks = self.sessions.overflow.held.get(&holder);
            if !blocks.is_some_and(|held| held.iter().any(is_in_the_way)) {
                return;
            }
            let to = (&self.tables, &mut self.writer, &mut self.clerk);
            self.sessions.take_blocks(to, holder, is_in_the_way);
        }
    }
}
