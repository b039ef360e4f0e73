//! The policers of the loaded programs under floods, by the clock that the programs go by.
//!
//! Nothing here depends on how fast or how loaded the machine is. From a packet that was refused to a later one that was,
//! a policer lets through what the rate gives in the time between them, give or take a packet, unless no packet came
//! for as long as the burst: then it is measured again. A machine that cannot send as much as the rate has no packet
//! refused.
#![expect(clippy::cast_precision_loss, reason = "times and counts far below 2^52")]

use fastpath::{Fastpath, Harness, Inspector, ProgramOf, Sighting, Watch};
use node_state::{NodeState, Resource};

use crate::world::{ACCESS_MAC, CORE_MAC, World, now_ns, settle};

const BURST_US: u32 = 50_000;
const BURST_NS: u64 = 1000 * BURST_US as u64;
/// A clock that is late by a tick (100 Hz at the slowest) is so once, where the burst begins.
const TICK_NS: u64 = 10_000_000;
/// How often a measurement begins anew after a pause.
const ATTEMPTS: usize = 50;
/// Packets of a flood, at first and at most.
const PACKETS: u32 = 100_000;
const PACKETS_MAX: u32 = 12_800_000;
/// A flood that lasts longer than this without a packet refused is slower than the rate.
const FLOOD_NS: u64 = 8 * BURST_NS;

/// A rate, and what its packets count.
#[derive(Clone, Copy, Debug)]
struct Rate {
    bits_per_second: u64,
    frame_bytes: u16,
}

impl Rate {
    /// How long that many packets take.
    fn ns(self, packets: u64) -> f64 {
        (packets * u64::from(self.frame_bytes) * 8) as f64 * 1e9 / self.bits_per_second as f64
    }

    /// Between the first and the last packet to which it was not granted; false: they are too near each other to say.
    ///
    /// A packet's time is taken before the policer's, so that a machine that stops in between makes it seem early. So
    /// this is a complaint, of which it takes several.
    fn is_kept(self, [first, last]: [Sighting; 2]) -> Option<Result<(), String>> {
        let at_least = last.after_ns.saturating_sub(first.before_ns) as f64 - self.ns(1);
        let at_most = (last.before_ns - first.after_ns) as f64 + self.ns(1);
        if at_most - at_least > at_least / 100.0 {
            return None;
        }
        let granted = last.granted - first.granted;
        let taken = self.ns(granted);
        // A thousandth for the rounding of what a packet costs.
        if at_least * 0.999 <= taken && taken <= at_most * 1.001 {
            return Some(Ok(()));
        }
        Some(Err(format!("{granted} packets take {taken} ns, not {at_least} to {at_most}: {self:?}")))
    }

    /// Never more than the burst and what the time gives.
    fn assert_no_more(self, packets: u64, elapsed_ns: u64) {
        let most = (elapsed_ns + BURST_NS + TICK_NS) as f64 * 1.001 + self.ns(2);
        assert!(self.ns(packets) <= most, "{packets} packets in {elapsed_ns} ns: {self:?}");
    }
}

/// The benchmark's first subscriber, flooded from one CPU or two.
struct Line {
    fastpath: Fastpath,
    inspector: Inspector,
    floods: Vec<Harness>,
    /// Last, so that the pins go when nobody uses them any more.
    _world: World,
}

/// With rates up and down in bits per second, and the committed one down.
fn office(peak: u64, committed: Option<u64>) -> NodeState {
    let limit = |rate: u64| format!(r#"{{"rate":"{rate}","burstUs":{BURST_US}}}"#);
    let committed = committed.map_or("null".to_owned(), limit);
    let session = format!(
        r#"{{"kind":"session","subscriber":"s0","port":"access0","tags":{{"sVid":1,"cVid":1}},"state":"active","mac":"02:00:00:00:00:01","lease":"100.64.0.2/10","gateway":"100.64.0.1","network":"100.64.0.2/32","dnsServers":[],"leaseSeconds":3600,"nat":{{"address":"198.18.0.0","firstPort":1024,"ports":64}},"rateUp":{peak},"rateDown":{peak},"committedDown":{committed}}}"#,
        peak = limit(peak)
    );
    [
        r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#,
        r#"{"kind":"port","name":"core0","role":"core","mtu":1500,"addresses":["192.0.2.2/30"]}"#,
        r#"{"kind":"route","prefix":"0.0.0.0/0","target":{"via":{"gateway":"192.0.2.1","port":"core0"}}}"#,
        r#"{"kind":"route","prefix":"198.18.0.0/24","target":"natPool"}"#,
        &session,
    ]
    .iter()
    .map(|text| Resource::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")))
    .collect()
}

impl Line {
    fn new(cpus: usize) -> Self {
        let world = World::new();
        let mut fastpath = world.office(&office(1_000_000, None));
        let ports = ((world.access, ACCESS_MAC), (world.core, CORE_MAC));
        let mut floods = Vec::new();
        for _ in 0..cpus {
            let mut harness = Harness::new(&mut fastpath, ports.0, ports.1).expect("loads");
            harness.prepare(1, 1).expect("a mapping");
            floods.push(harness);
        }
        let inspector = Inspector::open(&world.pin_dir).expect("pinned");
        Self { fastpath, inspector, floods, _world: world }
    }

    /// Packets passed and refused so far.
    fn counted(&self, which: ProgramOf) -> (u64, u64) {
        let views = self.inspector.sessions();
        let traffic = if which == ProgramOf::AccessPorts { views[0].up } else { views[0].down };
        (traffic.packets, traffic.drops)
    }

    /// From every CPU at once; each packet is counted once.
    fn flood(&mut self, which: ProgramOf, rate: Rate, packets: u32) -> Vec<Watch> {
        let before = self.counted(which);
        let begin_ns = now_ns();
        let watches: Vec<Watch> = std::thread::scope(|scope| {
            let send = |flood: &mut Harness| {
                // Two tags and the headers up to UDP's.
                flood.set_payload(rate.frame_bytes - 50);
                flood.flood(which, packets).expect("runs")
            };
            let running: Vec<_> =
                self.floods.iter_mut().map(|flood| scope.spawn(move || send(flood))).collect();
            running.into_iter().map(|flood| flood.join().expect("ends")).collect()
        });
        let elapsed_ns = now_ns() - begin_ns;
        let after = self.counted(which);
        let (passed, refused) = (after.0 - before.0, after.1 - before.1);
        assert_eq!(passed + refused, u64::from(packets) * self.floods.len() as u64);
        let seen: u64 = watches.iter().map(|watch| watch.green + watch.yellow).sum();
        assert!((seen..=seen + self.floods.len() as u64).contains(&passed), "{seen} seen, {passed} counted");
        rate.assert_no_more(passed, elapsed_ns);
        watches
    }

    /// Holds floods to a rate and, if there is one, to the committed rate below it; false: the machine is not fast
    /// enough to exceed it.
    fn holds(&mut self, which: ProgramOf, peak: Rate, committed: Option<Rate>) -> bool {
        let (mut packets, mut complaints) = (PACKETS, Vec::new());
        for _ in 0..ATTEMPTS {
            let begin_ns = now_ns();
            let watch = self.flood(which, peak, packets)[0];
            if watch.longest_gap_ns >= BURST_NS {
                continue;
            }
            let mut kept = vec![peak.is_kept(watch.not_passed)];
            kept.extend(committed.map(|committed| committed.is_kept(watch.not_green)));
            if kept.iter().all(Option::is_some) {
                let Some(complaint) = kept.into_iter().flatten().find_map(Result::err) else { return true };
                complaints.push(complaint);
                assert!(complaints.len() < 3, "{complaints:#?}");
            } else if watch.red == 0 && now_ns() - begin_ns > FLOOD_NS {
                return false;
            } else {
                packets = (packets * 2).min(PACKETS_MAX);
            }
        }
        panic!("this machine pauses for {BURST_US} us again and again: {complaints:?}");
    }
}

const WAYS: [ProgramOf; 2] = [ProgramOf::AccessPorts, ProgramOf::CorePorts];
/// A frame of 64 bytes as it is counted, with both tags, and a full one.
const SHORT: u16 = 72;
const FULL: u16 = 1522;

/// From 1 Mbit/s to 10 Gbit/s, up and down, each set while the flood before has used all up.
#[test]
fn a_flood_passes_at_the_rate_and_a_change_of_it_holds_at_once() {
    let mut line = Line::new(1);
    let mut exceeded = Vec::new();
    for (bits_per_second, frame_bytes) in [
        (1_000_000, SHORT),
        (100_000_000, SHORT),
        (10_000_000, SHORT),
        (1_000_000_000, SHORT),
        (10_000_000_000, SHORT),
        (10_000_000_000, FULL),
        (1_000_000, SHORT),
    ] {
        settle(&mut line.fastpath, &office(bits_per_second, None));
        for which in WAYS {
            if line.holds(which, Rate { bits_per_second, frame_bytes }, None) {
                exceeded.push((bits_per_second, frame_bytes, which));
            }
        }
    }
    println!("rates that this machine could exceed: {exceeded:?}");
    for which in WAYS {
        assert!(exceeded.contains(&(1_000_000, SHORT, which)), "{exceeded:?}");
    }
}

/// Towards the subscriber, what is beyond the committed rate is marked, and what is beyond the peak rate dropped.
#[test]
fn both_of_two_rates_are_kept_to() {
    let mut line = Line::new(1);
    for (committed, peak) in [(1_000_000, 3_000_000), (20_000_000, 50_000_000), (100_000_000, 1_000_000_000)]
    {
        settle(&mut line.fastpath, &office(peak, Some(committed)));
        let rate = |bits_per_second| Rate { bits_per_second, frame_bytes: SHORT };
        let exceeded = line.holds(ProgramOf::CorePorts, rate(peak), Some(rate(committed)));
        println!("{committed} and {peak} bits per second, exceeded: {exceeded}");
    }
}

/// Two CPUs take from one subscriber's tokens: neither takes what the other took, and none is left.
#[test]
fn two_cpus_share_a_rate() {
    let mut line = Line::new(2);
    for bits_per_second in [1_000_000, 100_000_000, 1_000_000_000] {
        settle(&mut line.fastpath, &office(bits_per_second, None));
        let rate = Rate { bits_per_second, frame_bytes: SHORT };
        for which in WAYS {
            // That no more passes than should, and all is counted, is what `flood` sees to.
            let watches = line.flood(which, rate, 20 * PACKETS);
            let passed: u64 = watches.iter().map(|watch| watch.green).sum();
            for watch in watches {
                let [first, last] = watch.not_passed;
                if watch.longest_gap_ns < BURST_NS && watch.red > 0 {
                    let due_ns = last.after_ns.saturating_sub(first.before_ns).saturating_sub(BURST_NS);
                    assert!(rate.ns(passed + 2) >= due_ns as f64 * 0.999, "{passed} packets: {watch:?}");
                }
            }
        }
    }
}
