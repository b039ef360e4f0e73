use core::mem::{align_of, offset_of, size_of};

use super::*;

#[test]
fn layout_is_what_the_cache_wants() {
    assert_eq!([size_of::<Up>(), size_of::<Down>(), size_of::<Six>(), size_of::<Line>()], [64; 4]);
    assert_eq!([size_of::<Rule>(), size_of::<RuleDefaults>()], [LINE_BYTES; 2]);
    assert_eq!([0, 1, 2].map(rules_capacity), [7, 15, RULES_MAX]);
    assert_eq!(offset_of!(Six, rules) % 8, 0);
    assert_eq!((offset_of!(Up, limits), offset_of!(Up, meter)), (20, 32));
    assert_eq!((offset_of!(Down, limits), offset_of!(Down, meter)), (20, 32));
    assert_eq!(size_of::<NatEntry>() * ENTRIES_PER_BUCKET as usize, LINE_BYTES);
    assert_eq!(size_of::<FlowEntry>(), size_of::<NatEntry>());
    assert_eq!(offset_of!(FlowEntry, state), offset_of!(NatEntry, state));
    assert_eq!(offset_of!(FlowEntry, last_seen_q30), offset_of!(NatEntry, last_seen_q30));
    assert_eq!(size_of::<Chunk>(), 8 + 31 * 1024);
    assert_eq!((size_of::<Session>(), align_of::<Session>()), (320, 64));
    assert_eq!((offset_of!(Session, name), offset_of!(Session, voice)), (192, 256));
    assert_eq!((size_of::<DhcpProfile>(), size_of::<DhcpScratch>()), (80, 1032 + 2048 + 32));
    assert_eq!(size_of::<LinePage>(), 16 * 1024);
    assert_eq!(size_of::<NatPorts>(), 4 * 1024);
    assert_eq!(size_of::<Poke>(), 16);
    assert_eq!(size_of::<FibLine>(), 64);
    assert_eq!(size_of::<NextHop>(), 32);
    assert_eq!(size_of::<NextHopGroup>(), 128);
    assert_eq!(size_of::<PortEntry>(), 8);
    assert_eq!(size_of::<PortLink>(), 64);
    assert_eq!((size_of::<EventRecord>(), size_of::<NatFlow>()), (64, 24));
    // Fields that the kernel changes with atomic operations.
    assert_eq!(offset_of!(Meter, peak_arrival_q6) % 8, 0);
    assert_eq!(offset_of!(NatEntry, key) % 4, 0);
    assert_eq!((size_of::<Category>(), size_of::<DeviceKey>()), (64, 16));
    assert_eq!((offset_of!(DnsScratch, borders) % 8, offset_of!(DnsScratch, passed) % 8), (0, 0));
    const { assert!(DNS_LOOKED_AT < 512, "an offset in what is looked at has a place in `borders`") };
    // Fields that are read and written as whole words.
    assert_eq!((offset_of!(Session, dhcp_profile) % 8, offset_of!(DhcpScratch, reply) % 8), (0, 0));
}

#[test]
fn references_pack_and_unpack() {
    for (unit, order) in [(1, 0), (72, 3), (UNIT_MAX, 4)] {
        let home = HomeRef::new(unit, order).expect("legal");
        assert_eq!((home.unit(), home.order(), home.units()), (unit, order, 1 << order));
        assert!(!home.is_none());
    }
    for (unit, order) in [(0, 0), (UNIT_MAX + 1, 0), (16, 5)] {
        assert_eq!(HomeRef::new(unit, order), None);
    }
    let ports = HomeRef::new(16, 4).expect("legal").ports(15);
    assert_eq!((ports.unit(), ports.number(), ports.home()), (31, 15, 16));
    let rules = RulesRef::new(HomeRef::new(UNIT_MAX, 2).expect("legal"), 31, 127);
    assert_eq!((rules.record().unit(), rules.record().order()), (UNIT_MAX, 2));
    assert_eq!((rules.count(), rules.generation(), rules.is_none()), (31, 127, false));
    let owner = Owner::new(Owner::SESSION_MAX, 63);
    assert_eq!((owner.session(), owner.port()), (Owner::SESSION_MAX, 63));
    let target = FibTarget::new(FibTarget::KIND_SESSION, FibTarget::INDEX_MAX);
    assert_eq!((target.kind(), target.index()), (FibTarget::KIND_SESSION, FibTarget::INDEX_MAX));
}

#[test]
fn drop_reasons_are_named_once() {
    for (index, reason) in DropReason::ALL.iter().enumerate() {
        assert_eq!(*reason as usize, index);
        let named_so = DropReason::ALL.iter().filter(|r| r.name() == reason.name()).count();
        assert_eq!(named_so, 1, "{}", reason.name());
        assert!(!reason.help().is_empty());
    }
}

#[test]
fn policers_hold_their_rate() {
    for rate in [128_000_u64, 1_000_000, 50_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000] {
        #[expect(clippy::cast_precision_loss, reason = "a test of relative error")]
        let held = 8e9 * 65536.0 / f64::from(Rate::of(rate).0) / rate as f64;
        assert!((held - 1.0).abs() < 1e-4, "{rate}: {held}");
        assert_eq!(Rate::of(rate).bits_per_second(), Some(rate));
    }
    assert_eq!(Rate::UNLIMITED.bits_per_second(), None);
    assert_eq!([0, 65, 66, 4_294_901, u32::MAX].map(|us| Burst::of_us(us).0), [0, 1, 2, 65_535, 65_535]);
}

#[test]
fn a_name_hashes_alike_in_any_case_and_its_parents_come_by_on_the_way() {
    let key = [0x1234_5678_9abc_def1, 0x0fed_cba9_8765_4321];
    let name = b"\x03www\x05Games\x07EXAMPLE";
    let on_the_way = |len: usize| {
        let hash =
            name[name.len() - len..].iter().rev().fold(NameHash::new(key), |hash, byte| hash.after(*byte));
        hash.value()
    };
    for (parent, len) in
        [(&b"\x07example"[..], 8), (b"\x05games\x07example", 14), (b"\x03WWW\x05games\x07example", 18)]
    {
        assert_eq!(NameHash::of(key, parent), on_the_way(len));
    }
    assert_ne!(
        NameHash::of(key, b"\x07example"),
        NameHash::of([7, 8], b"\x07example"),
        "each node has its own"
    );
    // Bytes of a length and of a label are told apart, and what is no letter has no case.
    assert_ne!(NameHash::of(key, b"\x01@"), NameHash::of(key, b"\x01`"));
    assert_ne!(NameHash::of(key, b"\x01["), NameHash::of(key, b"\x01{"));
}

/// Each end and each drop, alone: it comes in where its course begins, through every stage before its own, and no further.
#[test]
fn each_frame_comes_through_the_stages_before_the_one_that_it_ends_in() {
    let in_order = |course: Course| match course {
        Course::UP => &[Stage::Volt, Stage::Vcpe, Stage::Vbng][..],
        _ => &[Stage::Vbng, Stage::Vcpe, Stage::Volt],
    };
    let check = |tally: &Tally, course: Course, stage: Stage, is_forwarded: bool| {
        assert_eq!((tally.frames(), tally.frames_on(course)), (1, 1));
        let last = in_order(course).iter().position(|other| *other == stage).expect("one of them");
        for flow in tally.stages() {
            let place = in_order(course).iter().position(|other| *other == flow.stage).expect("one of them");
            let is_its_way = (flow.direction == Direction::Up) == (course == Course::UP);
            // Whoever turns came all the way up.
            let is_before = course == Course::TURNED && flow.direction == Direction::Up;
            let came_in = is_before || is_its_way && place <= last;
            let ends_here = is_its_way && place == last && !is_forwarded;
            assert_eq!(flow.came_in, u64::from(came_in), "{course:?} {stage:?}: {flow:?}");
            assert_eq!(flow.went_out, u64::from(came_in && !ends_here), "{course:?} {stage:?}: {flow:?}");
            let ended = flow.answered + flow.to_user_space + flow.to_kernel + flow.dropped;
            assert_eq!(ended, u64::from(ends_here), "{course:?} {stage:?}: {flow:?}");
            let is_at_turn = course == Course::TURNED && flow.stage == Stage::Vbng;
            assert_eq!(flow.turned, u64::from(is_at_turn), "{course:?} {stage:?}: {flow:?}");
        }
    };
    for course in Course::ALL {
        for end in End::ALL {
            let mut tally = Tally::default();
            tally.ends[end.index(course) as usize] += 1;
            check(&tally, course, end.stage(course), *end == End::Forwarded);
        }
        for reason in DropReason::ALL {
            let mut tally = Tally::default();
            tally.drops[reason.index(course) as usize] += 1;
            check(&tally, course, reason.stage(course), false);
        }
    }
}

#[test]
fn ends_have_places_of_their_own() {
    let places = Course::ALL.into_iter().flat_map(|course| End::ALL.iter().map(move |end| end.index(course)));
    assert!(places.eq(0..End::COUNT));
    let places =
        Course::ALL.into_iter().flat_map(|course| DropReason::ALL.iter().map(move |r| r.index(course)));
    assert!(places.eq(0..DropReason::PLACES));
    for names in [&End::NAMES[..], &DropReason::NAMES] {
        for name in names {
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
    }
}

/// Where a frame ends that is judged by its header or its line, and where by the subscriber's bundle or by routing.
#[test]
fn the_stage_follows_from_how_and_on_which_way_a_frame_ended() {
    use DropReason::{BadIpv4, Inconsistent, Martian, NatNoMapping, RateDown, SourceMac, Truncated};
    const UP: Course = Course::UP;
    for (reason, course, stage) in [
        (Truncated, UP, Stage::Volt),
        (Truncated, Course::DOWN, Stage::Vbng),
        (BadIpv4, UP, Stage::Volt),
        (BadIpv4, Course::TURNED, Stage::Vbng),
        (SourceMac, UP, Stage::Volt),
        (RateDown, Course::TURNED, Stage::Vcpe),
        (NatNoMapping, Course::DOWN, Stage::Vcpe),
        (Martian, UP, Stage::Vbng),
        (Inconsistent, Course::DOWN, Stage::Vbng),
    ] {
        assert_eq!(reason.stage(course), stage, "{}", reason.name());
    }
    for (end, course, stage) in [
        (End::Forwarded, UP, Stage::Vbng),
        (End::Forwarded, Course::TURNED, Stage::Volt),
        (End::Kernel, UP, Stage::Vbng),
        (End::Answered(Answer::Arp), UP, Stage::Volt),
        (End::Answered(Answer::Dns), UP, Stage::Vcpe),
        (End::UserSpace(PuntReason::NeighbourDiscovery), UP, Stage::Volt),
        (End::UserSpace(PuntReason::Dhcp6), UP, Stage::Vcpe),
        (End::UserSpace(PuntReason::GatewayEcho), UP, Stage::Vbng),
    ] {
        assert_eq!(end.stage(course), stage, "{end:?}");
    }
}
