//! Rates: the virtual scheduling algorithm of ITU-T I.371, annex A (GCRA).

use core::ptr::NonNull;

use map_abi::{Policer, Session};

use crate::{
    Tables,
    live::{Field, field},
};

/// How often a packet tries again when another CPU moved the same subscriber's clock.
const TRIES: usize = 3;

/// Ten packets a second of a subscriber go to user space, after twenty at once.
const PUNT: Policer = Policer { ns_per_byte_q16: 100_000_000, burst_ns: 1_900_000_000 };
/// With which length a packet costs 100 ms: 2^16, since the policer's unit is ns / 2^16.
const PUNT_LEN: u64 = 1 << 16;

/// Whether a packet of `len` bytes keeps to the rate; if so, it is accounted for.
///
/// The recent clock is used first: it only ever lags, so it can refuse too much but never too little, and a refusal
/// is checked against the exact clock.
#[inline(always)]
pub(crate) fn conforms<T: Tables>(tables: &T, arrival_q6: Field<u64>, policer: Policer, len: u64) -> bool {
    if policer.ns_per_byte_q16 == 0 {
        return true;
    }
    let cost_q6 = (len * u64::from(policer.ns_per_byte_q16)) >> 10;
    let burst_q6 = u64::from(policer.burst_ns) << 6;
    let mut now_q6 = tables.recent_ns() << 6;
    for _ in 0..TRIES {
        let expected_q6 = arrival_q6.get();
        if expected_q6 > now_q6 + burst_q6 {
            now_q6 = tables.now_ns() << 6;
            if expected_q6 > now_q6 + burst_q6 {
                return false;
            }
        }
        let from_q6 = if expected_q6 > now_q6 { expected_q6 } else { now_q6 };
        if arrival_q6.replace(expected_q6, from_q6 + cost_q6) {
            return true;
        }
    }
    false
}

/// Whether one more packet of the session may go to user space.
#[inline(always)]
pub(crate) fn may_punt<T: Tables>(tables: &T, session: NonNull<Session>) -> bool {
    conforms(tables, field!(session, cold.punt_arrival_q6), PUNT, PUNT_LEN)
}
