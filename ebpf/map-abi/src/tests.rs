use core::mem::{align_of, offset_of, size_of};

use super::*;

#[test]
fn layout_is_what_the_cache_wants() {
    assert_eq!((size_of::<Session>(), align_of::<Session>()), (256, 64));
    assert_eq!(size_of::<Direction>(), 64);
    assert_eq!(offset_of!(Session, down), 64);
    assert_eq!(offset_of!(Session, cold), 128);
    assert_eq!(size_of::<Cold>(), 64);
    assert_eq!(size_of::<NatEntry>() * ENTRIES_PER_BUCKET as usize, 64);
    assert_eq!(size_of::<NatBlock>(), 1024);
    assert_eq!(size_of::<CvidPage>(), 32 * 1024);
    assert_eq!(size_of::<FibLine>(), 64);
    assert_eq!(size_of::<NextHop>(), 32);
    assert_eq!(size_of::<PortEntry>(), 8);
    assert_eq!(size_of::<PortLink>(), 64);
    // Fields that the kernel changes with atomic operations.
    assert_eq!(offset_of!(Direction, arrival_q6) % 8, 0);
    assert_eq!(offset_of!(NatEntry, key) % 4, 0);
}

#[test]
fn references_pack_and_unpack() {
    for (block, order) in [(1, 0), (77, 3), ((1 << 28) - 1, 10)] {
        let nat = NatRef::new(block, order).expect("legal");
        assert_eq!((nat.first_block(), nat.order(), nat.blocks()), (block, order, 1 << order));
        assert!(!nat.is_none());
    }
    for (block, order) in [(0, 0), (1 << 28, 0), (1, 11)] {
        assert_eq!(NatRef::new(block, order), None);
    }
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
        let policer = Policer::new(rate, 0);
        #[expect(clippy::cast_precision_loss, reason = "a test of relative error")]
        let held = 8e9 * 65536.0 / f64::from(policer.ns_per_byte_q16) / rate as f64;
        assert!((held - 1.0).abs() < 1e-4, "{rate}: {held}");
    }
}
