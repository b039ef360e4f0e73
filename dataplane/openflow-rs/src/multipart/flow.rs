use alloc::vec::Vec;

use crate::{
    Cookie, DecodeError, FlowModFlags, GroupId, Instruction, PortNo, TableId, Version,
    message::{get_importance, put_importance},
    oxm::{FlowCounters, Match, get_or_none, put_or_none},
    wire::{Reader, Wire, Writer, layout},
};

/// Which flows (OpenFlow 1.3.5, section 7.3.5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowStatsRequest {
    /// [`TableId::ALL`] for every one.
    pub table: TableId,
    /// Those that output there, unless it is [`PortNo::ANY`].
    pub out_port: PortNo,
    /// Those that use it, unless it is [`GroupId::ANY`].
    pub out_group: GroupId,
    pub cookie: Cookie,
    /// Where it has ones, the flow's cookie is `cookie`.
    pub cookie_mask: Cookie,
    /// Those that match the same or less.
    pub matching: Match,
}

layout!(FlowStatsRequest { table, 3, out_port, out_group, 4, cookie, cookie_mask, matching });

impl Default for FlowStatsRequest {
    /// Every one.
    fn default() -> Self {
        Self {
            table: TableId::ALL,
            out_port: PortNo::ANY,
            out_group: GroupId::ANY,
            cookie: 0,
            cookie_mask: 0,
            matching: Match::new(),
        }
    }
}

/// A flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlowStats {
    pub table: TableId,
    pub priority: u16,
    /// Seconds.
    pub idle_timeout: u16,
    /// Seconds.
    pub hard_timeout: u16,
    pub flags: FlowModFlags,
    /// OpenFlow 1.4, and 0 before.
    pub importance: u16,
    pub cookie: Cookie,
    pub counters: FlowCounters,
    pub matching: Match,
    pub instructions: Vec<Instruction>,
}

impl FlowStats {
    /// Since OpenFlow 1.5 (section 7.3.5.2 there, `struct ofp_flow_desc`).
    fn get_with_list(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.skip(2)?;
        let table = Wire::get(r)?;
        r.skip(1)?;
        let (priority, idle_timeout, hard_timeout) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        let (flags, importance, cookie) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        let matching = Wire::get(r)?;
        let counters = FlowCounters::get_list(r)?;
        let instructions = Wire::get(r)?;
        Ok(Self {
            table,
            priority,
            idle_timeout,
            hard_timeout,
            flags,
            importance,
            cookie,
            counters,
            matching,
            instructions,
        })
    }

    fn put_with_list(&self, w: &mut Writer<'_>) {
        w.zeros(2);
        self.table.put(w);
        w.zeros(1);
        u16::put_all(&[self.priority, self.idle_timeout, self.hard_timeout], w);
        self.flags.put(w);
        self.importance.put(w);
        self.cookie.put(w);
        self.matching.put(w);
        self.counters.put_list(w);
    }

    fn get_before_1_5(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let table = Wire::get(r)?;
        r.skip(1)?;
        let mut counters = FlowCounters::default();
        counters.get_duration(r)?;
        let (priority, idle_timeout, hard_timeout) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        let flags = Wire::get(r)?;
        let importance = get_importance(r)?;
        r.skip(2)?;
        let cookie = Wire::get(r)?;
        counters.get_totals(r)?;
        let (matching, instructions) = (Wire::get(r)?, Wire::get(r)?);
        Ok(Self {
            table,
            priority,
            idle_timeout,
            hard_timeout,
            flags,
            importance,
            cookie,
            counters,
            matching,
            instructions,
        })
    }

    fn put_before_1_5(&self, w: &mut Writer<'_>) {
        self.table.put(w);
        w.zeros(1);
        self.counters.put_duration(w);
        u16::put_all(&[self.priority, self.idle_timeout, self.hard_timeout], w);
        self.flags.put(w);
        put_importance(self.importance, w);
        w.zeros(2);
        self.cookie.put(w);
        self.counters.put_totals(w);
        self.matching.put(w);
    }
}

impl Wire for FlowStats {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("FlowStats");
        let start = r.offset();
        let len = Wire::get(r)?;
        let r = &mut r.sub_from(start, len)?;
        if r.version() < Version::V1_5 { Self::get_before_1_5(r) } else { Self::get_with_list(r) }
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("FlowStats");
        let start = w.position();
        let at = w.length_here();
        self.counters.check_version(w);
        if w.version() < Version::V1_5 {
            self.put_before_1_5(w);
        } else {
            self.put_with_list(w);
        }
        self.instructions.put(w);
        w.writing("FlowStats");
        w.set_length(at, start);
    }
}

/// What flows have counted together (section 7.3.5.3); `None` where they have not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AggregateStats {
    pub packets: Option<u64>,
    pub bytes: Option<u64>,
    pub flows: Option<u32>,
}

impl Wire for AggregateStats {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("AggregateStats");
        if r.version() >= Version::V1_5 {
            let FlowCounters { packets, bytes, flows, .. } = FlowCounters::get_list(r)?;
            return Ok(Self { packets, bytes, flows });
        }
        let mut counters = FlowCounters::default();
        counters.get_totals(r)?;
        let flows = get_or_none(&u32::MAX, r)?;
        r.skip(4)?;
        Ok(Self { packets: counters.packets, bytes: counters.bytes, flows })
    }

    fn put(&self, w: &mut Writer<'_>) {
        w.writing("AggregateStats");
        let Self { packets, bytes, flows } = *self;
        let counters = FlowCounters { packets, bytes, flows, ..FlowCounters::default() };
        if w.version() >= Version::V1_5 {
            return counters.put_list(w);
        }
        counters.put_totals(w);
        put_or_none(&u32::MAX, flows.as_ref(), w);
        w.zeros(4);
    }
}
