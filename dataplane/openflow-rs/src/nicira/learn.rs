use alloc::vec::Vec;

use super::{LearnSpec, Subfield};
use crate::{
    Cookie, DecodeError, Problem, TableId,
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
