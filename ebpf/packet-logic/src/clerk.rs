//! What user space has written into homes and pages, which it cannot map: see `map_abi::Poke`.

use core::ptr::NonNull;

use map_abi::{
    Chunk, LINES_PER_CHUNK, LINES_PER_UNIT, LinePage, NatPorts, PEEK_WORDS_MAX, POKES_MAX,
    UNIT_INDICES_PER_CHUNK, WIPES_MAX, poke_table,
};

use crate::{
    Packet, Tables,
    frame::opaque_size,
    home::Home,
    live::{Field, value},
};

const NO_SUCH_PLACE: u64 = u64::MAX;

/// Stores what a frame of `Poke`s says, and puts what was there in its place.
#[inline(always)]
pub fn poke<P: Packet, T: Tables>(packet: &P, tables: &T) {
    for n in 0..POKES_MAX {
        let Some(order) = packet.frame().window::<16>(n * 16) else { return };
        let page = order.raw32::<0>();
        let word = usize::from(order.raw16::<4>());
        let new = order.raw64::<8>();
        let old = match order.raw16::<6>() {
            poke_table::HOMES => chunk_word(tables, page, word).map(|field| replace(field, new)),
            poke_table::HOMES_ADD => chunk_word(tables, page, word).map(|field| add(field, new)),
            poke_table::LINES => line_word(tables, page, word).map(|field| replace_half(field, new)),
            poke_table::NAT_PORTS => ports_word(tables, page, word).map(|field| replace_half(field, new)),
            table => tables.counter(table, page).map(|counter| add(value(counter), new)),
        };
        order.set_raw64::<8>(old.unwrap_or(NO_SUCH_PLACE));
    }
}

#[inline(always)]
fn replace(field: Field<u64>, new: u64) -> u64 {
    let old = field.get();
    if old != new {
        field.set(new);
    }
    old
}

#[inline(always)]
fn add(field: Field<u64>, more: u64) -> u64 {
    let old = field.get();
    field.add(more);
    old
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the lower half is what counts")]
fn replace_half(field: Field<u32>, new: u64) -> u64 {
    let old = field.get();
    if old != new as u32 {
        field.set(new as u32);
    }
    u64::from(old)
}

/// The word of a value, if it has so many.
#[inline(always)]
fn word_of<V, W: Copy>(start: NonNull<V>, word: usize, words: usize) -> Option<Field<W>> {
    let at = opaque_size(word);
    if at >= words {
        return None;
    }
    // SAFETY: the value has `words` words, as the callers know.
    Some(value(unsafe { start.cast::<W>().add(at) }))
}

#[inline(always)]
fn chunk_word<T: Tables>(tables: &T, page: u32, word: usize) -> Option<Field<u64>> {
    const WORDS: usize = LINES_PER_CHUNK as usize * 8;
    let chunk: NonNull<Chunk> = tables.chunk(page)?;
    // SAFETY: the lines are inside the chunk.
    word_of(unsafe { chunk.cast::<u64>().add(1) }, word, WORDS)
}

#[inline(always)]
fn line_word<T: Tables>(tables: &T, page: u32, word: usize) -> Option<Field<u32>> {
    word_of(tables.line_page(page)?, word, size_of::<LinePage>() / 4)
}

#[inline(always)]
fn ports_word<T: Tables>(tables: &T, page: u32, word: usize) -> Option<Field<u32>> {
    word_of(tables.nat_ports(page)?, word, size_of::<NatPorts>() / 4)
}

/// Reads what a frame that begins with a `Peek` asks for into the rest of it.
#[inline(always)]
pub fn peek<P: Packet, T: Tables>(packet: &P, tables: &T) {
    let Some(order) = packet.frame().window::<8>(0) else { return };
    let (page, word) = (order.raw32::<0>(), usize::from(order.raw16::<4>()));
    let is_read = match order.raw16::<6>() {
        poke_table::HOMES => tables.chunk(page).map(|chunk| copy(packet, chunk, word)),
        poke_table::LINES => tables.line_page(page).map(|page| copy(packet, page, word)),
        poke_table::NAT_PORTS => tables.nat_ports(page).map(|page| copy(packet, page, word)),
        _ => None,
    };
    if is_read.is_some() {
        order.set_raw16::<6>(0);
    }
}

#[inline(always)]
fn copy<P: Packet, V>(packet: &P, from: NonNull<V>, word: usize) {
    for n in 0..PEEK_WORDS_MAX {
        let Some(to) = packet.frame().window::<8>(8 + n * 8) else { return };
        let Some(field) = word_of::<V, u64>(from, word + n, size_of::<V>() / 8) else { return };
        to.set_raw64::<0>(field.get());
    }
}

/// Fills the units that a frame names with zeros.
#[inline(always)]
pub fn wipe<P: Packet, T: Tables>(packet: &P, tables: &T) {
    for n in 0..WIPES_MAX {
        let Some(order) = packet.frame().window::<4>(n * 4) else { return };
        let unit = order.raw32::<0>();
        if unit % UNIT_INDICES_PER_CHUNK == UNIT_INDICES_PER_CHUNK - 1 || unit == 0 {
            continue;
        }
        let Some(home) = Home::find(tables, unit) else { continue };
        for line in 0..LINES_PER_UNIT {
            let Some(bucket) = home.bucket(line) else { continue };
            for word in 0..8 {
                // SAFETY: a line has eight words.
                value(unsafe { bucket.cast::<u64>().add(word) }).set(0);
            }
        }
    }
}
