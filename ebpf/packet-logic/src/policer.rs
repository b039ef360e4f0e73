//! Rates: the virtual scheduling algorithm of ITU-T I.371, annex A (GCRA), once for each of two rates, which makes the
//! colour-blind marker of RFC 2698: above the peak rate a packet is red, above the committed one yellow.

use core::ptr::NonNull;

use map_abi::{Burst, Limits, Meter, PuntReason, Rate, Session};

use crate::{
    Tables,
    live::{Field, field},
    vlan::DROP_ELIGIBLE,
};

/// How often a packet tries again when another CPU moved the same subscriber's clock.
const TRIES: usize = 3;

/// Ten packets a second of a subscriber go to user space, after twenty at once.
const PUNT: Rate = Rate(100_000_000);
const PUNT_BURST: Burst = Burst::of_us(1_900_000);
/// Packets for the portal, 32 a second after 64 at once, and apart from the others, so that a subscriber whose web is
/// redirected still gets a lease: a browser's six connections to a host (five packets each: SYN, ACK, request, ACK, FIN)
/// fit in twice. Half of that is kept from HTTPS, which programs try all the time, and which is only refused.
const PORTAL: Rate = Rate(31_250_000);
const WEB_BURST: Burst = Burst::of_us(63 * 31_250);
const SECURE_WEB_BURST: Burst = Burst::of_us(31 * 31_250);
/// With which length a packet costs 100 ms, or 31.25 ms: 2^16, since a rate's unit is ns / 2^16.
const PUNT_LEN: u64 = 1 << 16;

/// Of a packet that may pass.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Green,
    /// Beyond what is committed: to be dropped first where there is too much.
    Yellow,
}

impl Colour {
    /// What the tags of a frame say of it.
    #[inline(always)]
    pub(crate) fn tag_bits(self) -> u16 {
        if self == Self::Yellow { DROP_ELIGIBLE } else { 0 }
    }
}

/// The colour of a packet of `len` bytes, which is accounted for; `None`: it is beyond the peak rate. With an `exempt` of all
/// ones it has no limits, with 0 those that there are.
#[inline(always)]
pub(crate) fn colour<T: Tables>(
    tables: &T,
    (limits, exempt): (Field<Limits>, u32),
    meter: NonNull<Meter>,
    len: u64,
    now_ns: u64,
) -> Option<Colour> {
    let Limits { committed_burst, peak_burst, committed, peak } = limits.get();
    let (committed, peak) = (Rate(committed.0 & !exempt), Rate(peak.0 & !exempt));
    if !conforms(tables, field!(meter, peak_arrival_q6), (peak, peak_burst), len, now_ns) {
        return None;
    }
    let arrival_q6 = field!(meter, committed_arrival_q6);
    let is_green = conforms(tables, arrival_q6, (committed, committed_burst), len, now_ns);
    Some(if is_green { Colour::Green } else { Colour::Yellow })
}

/// Whether a packet of `len` bytes keeps to the rate; if so, it is accounted for.
///
/// `now_ns` is of the recent clock: it only ever lags, so it can refuse too much but never too little, and a refusal
/// is checked against the exact clock.
#[inline(always)]
pub(crate) fn conforms<T: Tables>(
    tables: &T,
    arrival_q6: Field<u64>,
    (rate, burst): (Rate, Burst),
    len: u64,
    now_ns: u64,
) -> bool {
    if rate == Rate::UNLIMITED {
        return true;
    }
    let cost_q6 = (len * u64::from(rate.0)) >> 10;
    let mut now_q6 = now_ns << 6;
    for _ in 0..TRIES {
        let expected_q6 = arrival_q6.get();
        if expected_q6 > now_q6 + burst.q6() {
            now_q6 = tables.now_ns() << 6;
            if expected_q6 > now_q6 + burst.q6() {
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
    conforms(tables, field!(session, punt_arrival_q6), (PUNT, PUNT_BURST), PUNT_LEN, tables.recent_ns())
}

/// The same of a session in the walled garden, whose web has a limit of its own.
#[inline(always)]
pub(crate) fn may_punt_in_garden<T: Tables>(
    tables: &T,
    session: NonNull<Session>,
    reason: PuntReason,
) -> bool {
    let burst = match reason {
        PuntReason::Web => WEB_BURST,
        PuntReason::SecureWeb => SECURE_WEB_BURST,
        _ => return may_punt(tables, session),
    };
    let arrival_q6 = field!(session, portal_arrival_q6);
    conforms(tables, arrival_q6, (PORTAL, burst), PUNT_LEN, tables.recent_ns())
}
