//! Port forwards among a home's mappings, which the kernel makes and forgets meanwhile: all others stay as they are.
//!
//! A forward lies in its outside port's place, for packets from outside. Packets from inside look in the line that the
//! inside port's hash says; if that is another one, a second entry lies there, at the cost of that place's own port.

use std::collections::BTreeSet;

use map_abi::{
    ENTRIES_PER_BUCKET, HEADER_LINES, LINES_PER_UNIT, Line, entry_state, mapping_key, mapping_line,
};
use node_state::{Nat, PortForward, Session};

use super::session::{NatError, home_order};

/// Port forwards of a session at most.
pub const FORWARDS_MAX: usize = 16;

const _: () =
    assert!(Nat::HEAD as u32 == HEADER_LINES * ENTRIES_PER_BUCKET, "the places of the header's lines");

/// Words of eight bytes that an entry has.
const ENTRY_WORDS: usize = 2;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ForwardError {
    #[error("portForwards are {0}; at most {FORWARDS_MAX} are possible")]
    TooMany(usize),
    #[error("portForwards: only a session with nat has ports to forward")]
    NoNat,
    #[error("{0}")]
    Nat(#[from] NatError),
    #[error("portForwards: {port} is not one of the ports that can be forwarded, {first} to {last}")]
    Port { port: u16, first: u32, last: u32 },
    #[error("portForwards: port {0} is forwarded twice")]
    Twice(u16),
    #[error("portForwards: the inside port {0} has two outside ports")]
    InsideTwice(u16),
    #[error(
        "portForwards: the inside port {0} shares its place with those of too many others; choose another"
    )]
    NoPlace(u16),
}

/// A port forward as the maps have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forward {
    key: u32,
    /// Which of the block's ports is the outside one.
    offset: u32,
    /// Where packets from inside look for it.
    line: u32,
}

impl Forward {
    fn is_found(self) -> bool {
        self.offset / ENTRIES_PER_BUCKET == self.line
    }
}

/// The port forwards of a session.
pub fn forwards(session: &Session) -> Result<Vec<Forward>, ForwardError> {
    let wanted = &session.port_forwards;
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    if wanted.len() > FORWARDS_MAX {
        return Err(ForwardError::TooMany(wanted.len()));
    }
    let nat = session.nat.ok_or(ForwardError::NoNat)?;
    let order = home_order(session)?;
    let (from, ports) = (u32::from(nat.first_port), u32::from(nat.ports));
    let first = from + u32::from(Nat::HEAD);
    let mut forwards: Vec<Forward> = Vec::new();
    for PortForward { protocol, port, to_port } in wanted {
        if !(first..from + ports).contains(&u32::from(*port)) {
            return Err(ForwardError::Port { port: *port, first, last: from + ports - 1 });
        }
        let key = mapping_key(protocol.number(), *to_port);
        let offset = u32::from(*port) - from;
        if forwards.iter().any(|other| other.offset == offset) {
            return Err(ForwardError::Twice(*port));
        }
        if forwards.iter().any(|other| other.key == key) {
            return Err(ForwardError::InsideTwice(*to_port));
        }
        forwards.push(Forward { key, offset, line: mapping_line(key, order) });
    }
    for (forward, wanted) in forwards.iter().zip(wanted) {
        let in_line = |other: &&Forward| {
            other.offset / ENTRIES_PER_BUCKET == forward.line || other.line == forward.line
        };
        if forwards.iter().filter(in_line).count() > ENTRIES_PER_BUCKET as usize {
            return Err(ForwardError::NoPlace(wanted.to_port));
        }
    }
    Ok(forwards)
}

/// What to write, in order, by the number of the word in its home, so that of a home's mappings these are port forwards
/// and no others are. `lines` are the home's as they are now.
///
/// A mapping goes only if its place is needed: the outside port's, or one in the line of the inside port. There, what is
/// free goes first, and then what was idle longest.
pub fn forward_words(forwards: &[Forward], lines: &[Line]) -> Vec<(u32, u64)> {
    let mut taken: BTreeSet<u32> = forwards.iter().map(|forward| forward.offset).collect();
    let mut places: Vec<(u32, Forward)> = forwards.iter().map(|forward| (forward.offset, *forward)).collect();
    for forward in forwards.iter().filter(|forward| !forward.is_found()) {
        let first = forward.line * ENTRIES_PER_BUCKET;
        let free = (first..first + ENTRIES_PER_BUCKET).filter(|place| !taken.contains(place));
        if let Some(place) = free.min_by_key(|place| reluctance(entry(lines, *place), *forward)) {
            taken.insert(place);
            places.push((place, *forward));
        }
    }
    let entries = HEADER_LINES * ENTRIES_PER_BUCKET
        ..u32::try_from(lines.len()).unwrap_or(LINES_PER_UNIT) * ENTRIES_PER_BUCKET;
    let mut words = Vec::new();
    for place in entries.filter(|place| !taken.contains(place)) {
        if is_forward(entry(lines, place)) {
            let at = place * 2;
            words.extend([(at + 1, overflow(place)), (at, 0)]);
        }
    }
    for (place, forward) in places {
        if !is_this(entry(lines, place), forward) {
            let at = place * 2;
            let second =
                u64::from(forward.offset) | u64::from(entry_state::FORWARD) << STATE_SHIFT | overflow(place);
            // For a moment it is nobody's, so that nothing goes wrong by what was there.
            words.extend([(at, 0), (at + 1, second), (at, forward.key.into())]);
        }
    }
    words
}

const STATE_SHIFT: u32 = 16;
const OVERFLOW_SHIFT: u32 = 24;

/// Whether some key of a line had to go to another is in the line's first entry. It is said to be so, for it may be.
fn overflow(place: u32) -> u64 {
    u64::from(place.is_multiple_of(ENTRIES_PER_BUCKET)) << OVERFLOW_SHIFT
}

/// Key, and second word.
fn entry(lines: &[Line], place: u32) -> (u32, u64) {
    let (line, place) = ((place / ENTRIES_PER_BUCKET) as usize, (place % ENTRIES_PER_BUCKET) as usize);
    let Some(line) = lines.get(line) else { return (0, 0) };
    let [first, second] = [0, 1].map(|word| line.words[place * ENTRY_WORDS + word]);
    (u32::try_from(first & u64::from(u32::MAX)).unwrap_or(0), second)
}

fn is_forward((key, second): (u32, u64)) -> bool {
    key != 0 && second >> STATE_SHIFT & 0xff == u64::from(entry_state::FORWARD)
}

fn is_this(entry: (u32, u64), forward: Forward) -> bool {
    is_forward(entry) && entry.0 == forward.key && entry.1 & 0xffff == u64::from(forward.offset)
}

/// The less, the sooner a place is given to a forward. One that has the forward's own inside port must go in any case.
fn reluctance(entry: (u32, u64), forward: Forward) -> (u8, u64) {
    let (key, second) = entry;
    match entry {
        _ if is_this(entry, forward) => (0, 0),
        _ if key == forward.key => (1, 0),
        _ if key == 0 => (2, 0),
        _ if is_forward(entry) => (3, 0),
        _ => (4, second >> 32),
    }
}

#[cfg(test)]
mod tests;
