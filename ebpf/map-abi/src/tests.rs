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
