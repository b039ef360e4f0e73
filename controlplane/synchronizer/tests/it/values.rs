//! Small things: names of relations, ceilings of waits.

use std::time::Duration;

use synchronizer::{BackOff, Edge, Kind};
use xos_model::{KindName, Reference};

#[test]
fn a_relation_is_named_after_its_field() {
    let name = "one".parse().expect("a name");
    let relation = |pointer: &str| Edge::from(&Reference::new(pointer, KindName::Node, &name)).relation;
    assert_eq!(relation("/spec/owner"), "owner");
    assert_eq!(relation("/spec/permittedSlices/3"), "permittedSlices");
    assert_eq!(relation("/spec/access/node"), "access.node");
    assert_eq!(Kind::from(KindName::Node), Kind::new("Node"));
}

#[test]
fn waits_double_up_to_the_cap() {
    let back_off = BackOff { base: Duration::from_secs(1), cap: Duration::from_mins(1) };
    let ceilings = [1, 2, 3, 6, 7, 33, u32::MAX].map(|attempt| back_off.ceiling(attempt).as_secs());
    assert_eq!(ceilings, [1, 2, 4, 32, 60, 60, 60]);
}
