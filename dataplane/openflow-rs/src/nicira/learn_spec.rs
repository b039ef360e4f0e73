use alloc::vec::Vec;

use super::Subfield;
use crate::{
    DecodeError, Problem,
    oxm::{Field, OxmId, Value},
    wire::{Reader, Wire, Writer},
};

/// Something about the flow that is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LearnSpec {
    /// It matches bits of a field.
    Match { to: Subfield, from: LearnSource },
    /// It loads bits of a field.
    Load { to: Subfield, from: LearnSource },
    /// It outputs to the port that is in a field of this packet.
    Output { from: Subfield },
}

/// As many bits as the other side has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LearnSource {
    /// Of a field of this packet, from a bit on.
    Field { field: OxmId, offset: u16 },
    /// Bits in the fewest groups of 16 that hold them.
    Value(Vec<u8>),
}

impl LearnSource {
    /// All of a field of this packet.
    pub const fn field<T>(field: Field<T>) -> Self {
        Self::Field { field: field.id(), offset: 0 }
    }
}

impl LearnSpec {
    /// The flow matches the value that this packet has.
    pub const fn same<T: Value>(field: Field<T>) -> Self {
        Self::Match { to: Subfield::all(field), from: LearnSource::field(field) }
    }

    /// The flow matches what is in another field of this packet, of as many bits.
    pub const fn copied<T: Value>(to: Field<T>, from: Field<T>) -> Self {
        Self::Match { to: Subfield::all(to), from: LearnSource::field(from) }
    }
}

// The header: bit 13 for a value, bits 11 and 12 for what is made of it, the rest for the number of bits.
const SOURCE_VALUE: u16 = 1 << 13;
const MADE_SHIFT: u32 = 11;
const MADE_MASK: u16 = 3 << MADE_SHIFT;
const MATCH: u16 = 0;
const LOAD: u16 = 1 << MADE_SHIFT;
const OUTPUT: u16 = 2 << MADE_SHIFT;
const BITS_MAX: u16 = (1 << MADE_SHIFT) - 1;

fn value_len(bits: u16) -> usize {
    usize::from(bits).div_ceil(16) * 2
}

impl Wire for LearnSpec {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("LearnSpec");
        let at = r.clone();
        let header = u16::get(r)?;
        let bits = header & BITS_MAX;
        let made = header & MADE_MASK;
        let from = match header & !(BITS_MAX | MADE_MASK) {
            SOURCE_VALUE => LearnSource::Value(r.take(value_len(bits))?.to_vec()),
            0 => LearnSource::Field { field: OxmId::get(r)?, offset: Wire::get(r)? },
            _ => return Err(at.wrong()),
        };
        match (made, from) {
            (OUTPUT, LearnSource::Field { field, offset }) => {
                let from = Subfield::new(field, offset, bits).ok_or_else(|| at.wrong())?;
                Ok(Self::Output { from })
            }
            (MATCH | LOAD, from) => {
                let to = OxmId::get(r)?;
                let to = Subfield::new(to, Wire::get(r)?, bits).ok_or_else(|| at.wrong())?;
                Ok(if made == MATCH { Self::Match { to, from } } else { Self::Load { to, from } })
            }
            _ => Err(at.wrong()),
        }
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("LearnSpec");
        match self {
            Self::Match { to, from } => put_spec(MATCH, to, from, w),
            Self::Load { to, from } => put_spec(LOAD, to, from, w),
            Self::Output { from } => {
                (OUTPUT | bits(from, w)).put(w);
                put_place(from.field(), from.offset(), w);
            }
        }
    }

    /// A header of zeros is padding, and the end.
    fn get_all(r: &mut Reader<'_>) -> Result<Vec<Self>, DecodeError> {
        let mut all = Vec::new();
        while r.len() >= 2 && u16::get(&mut r.clone())? != 0 {
            all.push(Self::get(r)?);
        }
        if r.len() >= 8 {
            return Err(r.error("padding of Learn, which is too long"));
        }
        Ok(all)
    }
}

fn put_spec(made: u16, to: &Subfield, from: &LearnSource, w: &mut Writer<'_>) {
    let bits = bits(to, w);
    match from {
        LearnSource::Value(value) => {
            (SOURCE_VALUE | made | bits).put(w);
            if value.len() != value_len(bits) {
                w.fail(Problem::Value);
            }
            value.put(w);
        }
        LearnSource::Field { field, offset } => {
            (made | bits).put(w);
            put_place(*field, *offset, w);
        }
    }
    put_place(to.field(), to.offset(), w);
}

fn bits(of: &Subfield, w: &mut Writer<'_>) -> u16 {
    if of.bits() > BITS_MAX {
        w.fail(Problem::TooLong);
    }
    of.bits()
}

fn put_place(field: OxmId, offset: u16, w: &mut Writer<'_>) {
    field.put(w);
    offset.put(w);
}
