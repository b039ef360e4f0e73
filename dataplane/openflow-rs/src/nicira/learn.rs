use alloc::vec::Vec;

use super::Subfield;
use crate::{
    Cookie, DecodeError, Problem, TableId,
    oxm::{Field, OxmId, Value},
    wire::{Reader, Wire, Writer, flags, layout},
};

flags! {
    /// `NX_LEARN_F_*`.
    LearnFlags: u16 {
        /// A message says when the flow is gone.
        SEND_FLOW_REM = 1 << 0,
        /// The flows go with this one.
        DELETE_LEARNED = 1 << 1,
    }
}

/// Makes a flow out of the packet (`struct nx_action_learn`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learn {
    /// Seconds without a packet after which the flow goes; 0 for never.
    pub idle_timeout: u16,
    /// Seconds after which the flow goes; 0 for never.
    pub hard_timeout: u16,
    pub priority: u16,
    pub cookie: Cookie,
    pub flags: LearnFlags,
    pub table: TableId,
    /// Like `idle_timeout`, after a FIN or RST of TCP.
    pub fin_idle_timeout: u16,
    /// Like `hard_timeout`, after a FIN or RST of TCP.
    pub fin_hard_timeout: u16,
    /// What the flow matches and does, in order.
    pub specs: Vec<LearnSpec>,
}

/// What is before the rest of [`Learn`] and of [`Learn2`].
#[derive(Clone, Copy)]
struct Head {
    idle_timeout: u16,
    hard_timeout: u16,
    priority: u16,
    cookie: Cookie,
    flags: u16,
    table: TableId,
    fin_idle_timeout: u16,
    fin_hard_timeout: u16,
}

layout!(Head {
    idle_timeout, hard_timeout, priority, cookie, flags, table, 1, fin_idle_timeout, fin_hard_timeout,
});

/// Of the flags, that a result is written: the action says where.
const WRITE_RESULT: u16 = 1 << 2;

impl Learn {
    fn of(head: Head, specs: Vec<LearnSpec>) -> Self {
        Self {
            idle_timeout: head.idle_timeout,
            hard_timeout: head.hard_timeout,
            priority: head.priority,
            cookie: head.cookie,
            flags: LearnFlags::from_bits_retain(head.flags),
            table: head.table,
            fin_idle_timeout: head.fin_idle_timeout,
            fin_hard_timeout: head.fin_hard_timeout,
            specs,
        }
    }

    fn head(&self, more_flags: u16) -> Head {
        Head {
            idle_timeout: self.idle_timeout,
            hard_timeout: self.hard_timeout,
            priority: self.priority,
            cookie: self.cookie,
            flags: self.flags.bits() | more_flags,
            table: self.table,
            fin_idle_timeout: self.fin_idle_timeout,
            fin_hard_timeout: self.fin_hard_timeout,
        }
    }
}

impl Wire for Learn {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self::of(Wire::get(r)?, Wire::get(r)?))
    }

    fn put(&self, w: &mut Writer<'_>) {
        self.head(0).put(w);
        self.specs.put(w);
    }
}

/// Like [`Learn`], with a limit (`struct nx_action_learn2`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learn2 {
    pub learn: Learn,
    /// How many flows it makes at most; 0 for any number.
    pub limit: u32,
    /// One bit, which says whether the limit was not met.
    pub result: Option<Subfield>,
}

impl Wire for Learn2 {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut head = Head::get(r)?;
        r.reading("Learn2");
        let (limit, offset) = (Wire::get(r)?, Wire::get(r)?);
        r.skip(2)?;
        let result = if head.flags & WRITE_RESULT == 0 {
            None
        } else {
            head.flags &= !WRITE_RESULT;
            Some(Subfield::get_at(r, offset, 1)?)
        };
        Ok(Self { learn: Learn::of(head, Wire::get(r)?), limit, result })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { learn, limit, result } = self;
        w.writing("Learn2");
        if learn.flags.bits() & WRITE_RESULT != 0 || result.is_some_and(|result| result.bits() != 1) {
            w.fail(Problem::Value);
        }
        learn.head(if result.is_some() { WRITE_RESULT } else { 0 }).put(w);
        limit.put(w);
        result.map_or(0, |result| result.offset()).put(w);
        w.zeros(2);
        if let Some(result) = result {
            result.field().put(w);
        }
        learn.specs.put(w);
    }
}

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
