//! Homes, read out of a copy of their chunk.

use map_abi::{
    Chunk, Down, ENTRIES_PER_BUCKET, HEADER_LINES, HomeRef, LINES_PER_UNIT, Line, Meter, Six,
    UNIT_INDICES_PER_CHUNK, Up, flags,
};
use zerocopy::{FromBytes, IntoBytes};

/// The lines of a home.
pub(crate) fn lines(chunk: &Chunk, home: HomeRef) -> Option<&[Line]> {
    let first = (home.unit() % UNIT_INDICES_PER_CHUNK * LINES_PER_UNIT) as usize;
    chunk.lines.get(first..first + (home.units() * LINES_PER_UNIT) as usize)
}

fn header(chunk: &Chunk, home: HomeRef) -> Option<(Up, Down)> {
    let [up, down, ..] = lines(chunk, home)? else { return None };
    Some((Up::read_from_bytes(up.as_bytes()).ok()?, Down::read_from_bytes(down.as_bytes()).ok()?))
}

/// What was counted up and down.
pub(crate) fn meters(chunk: &Chunk, home: HomeRef) -> Option<(Meter, Meter)> {
    header(chunk, home).map(|(up, down)| (up.meter, down.meter))
}

/// Bytes and packets, up and down.
pub(crate) fn counted(chunk: &Chunk, home: HomeRef) -> Option<[u64; 4]> {
    meters(chunk, home).map(|(up, down)| [up.bytes, up.packets, down.bytes, down.packets])
}

/// The session that a home says it is of.
pub(crate) fn session(chunk: &Chunk, home: HomeRef) -> Option<u32> {
    header(chunk, home).map(|(_, down)| down.owner.session())
}

/// The first group of ports of a further port block of a home, and the next block; `None`: it is none.
pub(crate) fn further(chunk: &Chunk, block: HomeRef, home: HomeRef) -> Option<(u16, HomeRef)> {
    let [up, down, six, ..] = lines(chunk, block)? else { return None };
    let (up, down) = (Up::read_from_bytes(up.as_bytes()).ok()?, Down::read_from_bytes(down.as_bytes()).ok()?);
    let six = Six::read_from_bytes(six.as_bytes()).ok()?;
    (down.flags & flags::OVERFLOW != 0 && six.home == home).then_some((up.first_port / 64, six.overflow))
}

/// How many of a home's mappings are in use (those that ran out but were not reclaimed yet included).
pub(crate) fn mappings(chunk: &Chunk, home: HomeRef) -> u32 {
    let Some(lines) = lines(chunk, home) else { return 0 };
    let entries = lines[HEADER_LINES as usize..].iter().flat_map(|line| {
        // An entry is two words, of which the first begins with its key.
        line.words.chunks(line.words.len() / ENTRIES_PER_BUCKET as usize).map(|entry| entry[0])
    });
    entries.map(|word| u32::from(word & u64::from(u32::MAX) != 0)).sum()
}
