//! The policers under a flood, by a clock that is simulated: what passes is the rate, whatever it is.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times and counts far below 2^52, as numbers with a fraction and back"
)]

use map_abi::{Burst, Limits, Rate};
use packet_logic::{DropReason, HostPacket, HostTables, Verdict};
use proptest::prelude::*;

use crate::{ACCESS, CORE, EXTERNAL, INSIDE, Kind, down, from_core, from_home, home, office, packet, up};

/// Bytes of a frame of the flood as a rate counts them, with the subscriber's two tags.
const FRAME: u64 = 64;
/// Payload that makes a tagged UDP frame as long as that.
const PAYLOAD: [u8; 14] = [7; 14];
/// How many frames a burst has at most here, so that it is soon used up.
const BURST_FRAMES_MAX: u64 = 2000;
/// Frames of a measurement.
const FRAMES: u64 = 6000;
const REMOTE: ([u8; 4], u16) = ([9, 9, 9, 9], 53);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// A rate as it is asked for.
#[derive(Clone, Copy, Debug)]
struct Asked {
    bits_per_second: u64,
    burst_us: u32,
}

impl Asked {
    /// Nanoseconds that a frame takes at the rate.
    fn frame_ns(self) -> f64 {
        (FRAME * 8) as f64 * 1e9 / self.bits_per_second as f64
    }

    /// The tolerance as it is kept, in units of 2^16 ns.
    fn burst_ns(self) -> f64 {
        (u64::from(self.burst_us) * 1000).div_ceil(1 << 16) as f64 * f64::from(1 << 16)
    }
}

fn limits(committed: Option<Asked>, peak: Asked) -> Limits {
    let rate = |asked: Asked| Rate::of(asked.bits_per_second);
    Limits {
        committed: committed.map_or(Rate::UNLIMITED, rate),
        committed_burst: committed.map_or(Burst::default(), |asked| Burst::of_us(asked.burst_us)),
        peak: rate(peak),
        peak_burst: Burst::of_us(peak.burst_us),
    }
}

/// One flow of one subscriber, one frame after another at even distances.
struct Flood {
    tables: HostTables,
    frame: Vec<u8>,
    way: Way,
    /// How late the recent clock is on each of two CPUs that take turns.
    ticks_ns: [u64; 2],
    sent: u64,
    elapsed_ns: f64,
}

/// What became of frames.
#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    green: u64,
    yellow: u64,
    ns: f64,
}

impl Flood {
    fn new(way: Way, limits: Limits, ticks_ns: [u64; 2]) -> Self {
        let tables = office();
        tables.set_limits(home(), Limits::default(), Limits::default());
        let sent = packet(Kind::Udp, true, (INSIDE, 5000), REMOTE, 9, &PAYLOAD);
        let mut first = HostPacket::new(&from_home(&sent), ACCESS);
        assert_eq!(up(&mut first, &tables), Verdict::Redirect(1));
        let out = first.bytes();
        let port = u16::from_be_bytes([out[34], out[35]]);
        let frame = match way {
            Way::Up => from_home(&sent),
            Way::Down => from_core(&packet(Kind::Udp, false, REMOTE, (EXTERNAL, port), 9, &PAYLOAD)),
        };
        tables.set_limits(home(), limits, limits);
        Self { tables, frame, way, ticks_ns, sent: 0, elapsed_ns: 0.0 }
    }

    /// The next frame, `after_ns` after the one before; `None`: it was beyond the peak rate. Else whether it is green.
    fn next(&mut self, after_ns: f64) -> Option<bool> {
        let before = self.elapsed_ns as u64;
        self.elapsed_ns += after_ns;
        self.tables.advance_ns(self.elapsed_ns as u64 - before);
        self.tables.set_tick_ns(self.ticks_ns[usize::from(!self.sent.is_multiple_of(2))]);
        self.sent += 1;
        let (verdict, refusal, out) = match self.way {
            Way::Up => {
                let mut packet = HostPacket::new(&self.frame, ACCESS);
                (up(&mut packet, &self.tables), DropReason::RateUp, packet.bytes())
            }
            Way::Down => {
                let mut packet = HostPacket::new(&self.frame, CORE);
                (down(&mut packet, &self.tables), DropReason::RateDown, packet.bytes())
            }
        };
        match verdict {
            Verdict::Redirect(1) if self.way == Way::Up => Some(true),
            // The outer tag's bit that it may be dropped (IEEE 802.1Q, DEI).
            Verdict::Redirect(0) if self.way == Way::Down => Some(out[14] & 0x10 == 0),
            verdict => {
                assert_eq!(verdict, Verdict::Drop(refusal));
                None
            }
        }
    }

    /// Until the burst is used up: the first frame that is refused.
    fn drain(&mut self, after_ns: f64) -> Passed {
        let mut passed = Passed::default();
        while let Some(is_green) = self.next(after_ns) {
            passed.add(is_green, after_ns);
            assert!(passed.green + passed.yellow < 4 * BURST_FRAMES_MAX, "the burst never ends");
        }
        passed
    }

    fn measure(&mut self, after_ns: f64) -> Passed {
        let mut passed = Passed::default();
        for _ in 0..FRAMES {
            passed.ns += after_ns;
            if let Some(is_green) = self.next(after_ns) {
                passed.add(is_green, 0.0);
            }
        }
        passed
    }
}

impl Passed {
    fn add(&mut self, is_green: bool, ns: f64) {
        self.green += u64::from(is_green);
        self.yellow += u64::from(!is_green);
        self.ns += ns;
    }
}

/// As many frames as the rate has in the time: rounding takes or gives a thousandth, either end of the time a frame.
fn assert_rate(frames: u64, asked: Asked, ns: f64) {
    let due = ns / asked.frame_ns();
    let frames = frames as f64;
    assert!((frames - due).abs() <= due / 1000.0 + 2.0, "{frames} frames where {due} are due: {asked:?}");
    // What the margin above is for is small beside what is measured.
    assert!((frames - due).abs() <= due / 100.0, "{frames} frames are not within 1 % of {due}: {asked:?}");
}

/// Never more than the burst and what the time gives; the clock may be late by a tick when it begins.
fn assert_no_more_than(frames: u64, asked: Asked, ns: f64, tick_ns: u64) {
    let most = (ns + asked.burst_ns() + tick_ns as f64) / asked.frame_ns() * 1.001 + 2.0;
    assert!(frames as f64 <= most, "{frames} frames where {most} may pass: {asked:?}");
}

/// From 1 Mbit/s to 10 Gbit/s, evenly by their logarithm, with a burst that can be used up here.
fn asked() -> impl Strategy<Value = Asked> {
    (0.0..=4.0_f64, 0.0..=1.0_f64).prop_map(|(decades, share)| {
        let bits_per_second = (1e6 * 10_f64.powf(decades)) as u64;
        let longest_us = BURST_FRAMES_MAX * FRAME * 8 * 1_000_000 / bits_per_second;
        let burst_us = (longest_us.min(1_000_000) as f64).powf(share) as u32;
        Asked { bits_per_second, burst_us: burst_us.max(1) }
    })
}

fn way() -> impl Strategy<Value = Way> {
    prop_oneof![Just(Way::Up), Just(Way::Down)]
}

/// The kernel's tick: exact, 1000 Hz, 250 Hz, 100 Hz.
fn tick_ns() -> impl Strategy<Value = u64> {
    prop_oneof![Just(1_u64), Just(1_000_000), Just(4_000_000), Just(10_000_000)]
}

/// Distance of a flood's frames: some times the rate, and none so far from the next that a short burst runs over.
fn distance(asked: Asked, times: f64) -> f64 {
    (asked.frame_ns() / times).min(60_000.0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_flood_passes_at_the_rate_exactly(
        asked in asked(), way in way(), ticks in [tick_ns(), tick_ns()], times in 1.5..6.0_f64,
    ) {
        let mut flood = Flood::new(way, limits(None, asked), ticks);
        let after_ns = distance(asked, times);
        let tick = ticks[0].max(ticks[1]);
        let burst = flood.drain(after_ns);
        assert_no_more_than(burst.green, asked, burst.ns, tick);
        // The burst is there at the start: what passed before the first refusal is no less.
        let least = (burst.ns + asked.burst_ns()) / asked.frame_ns() * 0.999 - 2.0;
        prop_assert!(burst.green as f64 >= least, "{} frames of a burst of {least}", burst.green);
        let passed = flood.measure(after_ns);
        assert_rate(passed.green, asked, passed.ns);
        prop_assert_eq!(passed.yellow, 0, "without a committed rate nothing is marked");
        // After a pause there is one burst again, and no more.
        flood.next(5e9);
        let again = flood.drain(after_ns);
        assert_no_more_than(again.green, asked, again.ns, tick);
    }

    #[test]
    fn of_two_rates_each_is_exact(
        peak in asked(), share in 0.05..0.9_f64, ticks in [tick_ns(), tick_ns()], times in 1.5..4.0_f64,
    ) {
        let bits_per_second = ((peak.bits_per_second as f64 * share) as u64).max(200_000);
        // As the office plans it: a burst is never shorter than a frame takes at its rate.
        let frame_us = (FRAME * 8 * 1_000_000).div_ceil(bits_per_second) as u32;
        let committed = Asked { bits_per_second, burst_us: peak.burst_us.max(frame_us) };
        let mut flood = Flood::new(Way::Down, limits(Some(committed), peak), ticks);
        let after_ns = distance(peak, times);
        // Both bursts are used up when one frame was refused and one marked.
        flood.drain(after_ns);
        while flood.next(after_ns) != Some(false) {}
        let passed = flood.measure(after_ns);
        assert_rate(passed.green + passed.yellow, peak, passed.ns);
        let due = passed.ns / committed.frame_ns();
        prop_assert!(
            (passed.green as f64 - due).abs() <= due / 1000.0 + 2.0,
            "{} green where {due} are due", passed.green
        );
    }

    #[test]
    fn another_rate_holds_at_once(
        (first, second) in (asked(), asked()), way in way(), tick in tick_ns(), times in 1.5..6.0_f64,
    ) {
        let mut flood = Flood::new(way, limits(None, first), [tick, 1]);
        flood.drain(distance(first, times));
        let both = limits(None, second);
        flood.tables.set_limits(home(), both, both);
        // A longer burst is granted, of a shorter one what was taken already is missing: a pause of no more than that.
        let after_ns = distance(second, times);
        let pause = (first.burst_ns() + first.frame_ns() - second.burst_ns()).max(0.0);
        flood.next(pause);
        let burst = flood.drain(after_ns);
        assert_no_more_than(burst.green, second, burst.ns + pause, tick);
        let passed = flood.measure(after_ns);
        assert_rate(passed.green, second, passed.ns);
    }
}

/// Where a frame takes longer than the burst, frames pass all the same, at that rate, for as long as it goes on.
#[test]
fn at_one_megabit_it_neither_starves_nor_leaks() {
    let asked = Asked { bits_per_second: 1_000_000, burst_us: 1 };
    for tick in [1, 4_000_000, 10_000_000] {
        for way in [Way::Up, Way::Down] {
            let mut flood = Flood::new(way, limits(None, asked), [tick, tick]);
            flood.drain(10_000.0);
            for _ in 0..20 {
                let passed = flood.measure(20_000.0);
                assert_rate(passed.green, asked, passed.ns);
            }
        }
    }
}
