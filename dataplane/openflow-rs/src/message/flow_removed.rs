use crate::{
    Cookie, DecodeError, TableId, Version,
    oxm::{FlowCounters, Match},
    wire::{Reader, Wire, Writer, open},
};

open! {
    /// Why a flow is gone (`OFPRR_*`).
    FlowRemovedReason: u8 {
        IDLE_TIMEOUT = 0,
        HARD_TIMEOUT = 1,
        DELETE = 2,
        /// Its group is gone.
        GROUP_DELETE = 3,
        /// Its meter is gone; OpenFlow 1.4.
        METER_DELETE = 4,
        /// For want of room; OpenFlow 1.4.
        EVICTION = 5,
    }
}

/// A flow is gone (OpenFlow 1.3.5, section 7.4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRemoved {
    pub cookie: Cookie,
    pub priority: u16,
    pub reason: FlowRemovedReason,
    pub table: TableId,
    /// Seconds.
    pub idle_timeout: u16,
    /// Seconds.
    pub hard_timeout: u16,
    pub counters: FlowCounters,
    pub matching: Match,
}

impl Wire for FlowRemoved {
    fn get(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.reading("FlowRemoved");
        if r.version() >= Version::V1_5 {
            let (table, reason, priority) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
            let (idle_timeout, hard_timeout, cookie) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
            let matching = Wire::get(r)?;
            let counters = FlowCounters::get_list(r)?;
            return Ok(Self {
                cookie,
                priority,
                reason,
                table,
                idle_timeout,
                hard_timeout,
                counters,
                matching,
            });
        }
        let (cookie, priority, reason, table) = (Wire::get(r)?, Wire::get(r)?, Wire::get(r)?, Wire::get(r)?);
        let mut counters = FlowCounters::default();
        counters.get_duration(r)?;
        let (idle_timeout, hard_timeout) = (Wire::get(r)?, Wire::get(r)?);
        counters.get_totals(r)?;
        let matching = Wire::get(r)?;
        Ok(Self { cookie, priority, reason, table, idle_timeout, hard_timeout, counters, matching })
    }

    fn put(&self, w: &mut Writer<'_>) {
        let Self { cookie, priority, reason, table, idle_timeout, hard_timeout, counters, matching } = self;
        w.writing("FlowRemoved");
        counters.check_version(w);
        if w.version() >= Version::V1_5 {
            table.put(w);
            reason.put(w);
            u16::put_all(&[*priority, *idle_timeout, *hard_timeout], w);
            cookie.put(w);
            matching.put(w);
            return counters.put_list(w);
        }
        cookie.put(w);
        priority.put(w);
        reason.put(w);
        table.put(w);
        counters.put_duration(w);
        u16::put_all(&[*idle_timeout, *hard_timeout], w);
        counters.put_totals(w);
        matching.put(w);
    }
}
