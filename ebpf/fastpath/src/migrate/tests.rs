use std::collections::BTreeMap;

use map_abi::layout::{Keeper, MAPS, RECORDS, TEXT};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use proptest::prelude::*;

use super::{
    conversions::Conversion,
    description::{Description, DescriptionError, RecordLayout},
    descriptions,
    plan::{Lost, Op, Plan},
    text_of,
};
use crate::object::OFFICE;

/// What lives for a packet only.
const UNPINNED: [&str; 2] = ["DHCP_SCRATCH", "DNS_SCRATCH"];

fn described() -> Description {
    Description::parse(TEXT).expect("a description")
}

#[test]
fn the_object_describes_itself_as_this_program_does() {
    assert_eq!(text_of(OFFICE).expect("a section"), TEXT);
    let parsed = described();
    for record in RECORDS {
        let found = parsed.record(record.name).expect(record.name);
        assert_eq!(found.bytes, record.bytes, "{}", record.name);
        let mut covered = vec![false; record.bytes];
        for field in &found.fields {
            covered[field.offset..field.offset + field.bytes].iter_mut().for_each(|byte| {
                assert!(!*byte, "{}.{} lies on another field", record.name, field.name);
                *byte = true;
            });
            if matches!(field.keeper, Keeper::Counter | Keeper::Latest) {
                assert_eq!((field.bytes, field.offset % 8), (8, 0), "{}.{}", record.name, field.name);
            }
        }
        assert!(covered.into_iter().all(|byte| byte), "{} has bytes without a name", record.name);
    }
}

#[test]
fn every_map_of_the_object_is_carried_over_in_some_way() {
    let file = object::File::parse(OFFICE).expect("an object file");
    let sections: Vec<_> = file
        .sections()
        .filter(|section| section.name().is_ok_and(|name| name == "maps" || name == ".maps"))
        .map(|section| section.index())
        .collect();
    let maps: Vec<&str> = file
        .symbols()
        .filter(|symbol| symbol.section_index().is_some_and(|index| sections.contains(&index)))
        .filter_map(|symbol| symbol.name().ok())
        .filter(|name| !name.is_empty() && !UNPINNED.contains(name))
        .collect();
    assert!(maps.len() > 20, "{maps:?}");
    for name in maps {
        assert!(MAPS.iter().any(|map| map.name == name), "{name} is not in `map_abi::layout::MAPS`");
    }
}

fn record(text: &str) -> RecordLayout {
    let text = format!("wirecenter layout 1\nversion 1\nrecord R {text}\nend\n");
    Description::parse(text.as_bytes()).expect("a description").record("R").expect("a record").clone()
}

#[test]
fn fields_find_their_places_by_their_names() {
    let old = record(
        "24\nfield a 0 4 user\nfield b 4 2 kernel\nfield c 6 2 kernel\nfield gone 8 8 counter\nfield d 16 8 counter",
    );
    let new = record(
        "24\nfield d 0 8 counter\nfield c 8 4 kernel\nfield a 12 4 user\nfield b 16 1 kernel\nfield fresh 17 7 user",
    );
    let plan = Plan::new("R", &old, &new, &[]);
    let mut from = [0; 24];
    from[..8].copy_from_slice(&[1, 2, 3, 4, 5, 6, 7, 8]);
    from[16] = 9;
    let mut to = [0; 24];
    plan.convert(&from, &mut to);
    assert_eq!(to[..8], [9, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(to[8..], [7, 8, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 0, 0, 0, 0]);
    // What is cut off, and what has no place, is told if it said something.
    let mut lost = Lost::new();
    plan.count_lost(&from, &mut lost);
    assert_eq!(lost, BTreeMap::from([("R.b".to_owned(), 1)]));
    from[8] = 1;
    plan.count_lost(&from, &mut lost);
    assert_eq!(lost, BTreeMap::from([("R.b".to_owned(), 2), ("R.gone".to_owned(), 1)]));
    // A record that is not as long as its layout says is left alone.
    let mut to = [0; 24];
    plan.convert(&from[..23], &mut to);
    assert_eq!(to, [0; 24]);
}

#[test]
fn a_field_with_another_meaning_has_another_name_and_follows_from_the_one_before() {
    let old = record("8\nfield seen_s 0 4 kernel\nfield kept 4 4 kernel");
    let new = record("16\nfield seen_ns 0 8 latest\nfield kept 8 4 kernel\nfield spare 12 4 user");
    let conversions = [Conversion {
        record: "R",
        field: "seen_ns",
        from: "seen_s",
        convert: |old| old("seen_s") * 1_000_000_000,
    }];
    let plan = Plan::new("R", &old, &new, &conversions);
    let mut to = [0; 16];
    plan.convert(&[3, 0, 0, 0, 7, 0, 0, 0], &mut to);
    assert_eq!((to[..8].to_vec(), to[8]), (3_000_000_000_u64.to_ne_bytes().to_vec(), 7));
    let mut lost = Lost::new();
    plan.count_lost(&[3; 8], &mut lost);
    assert!(lost.is_empty());
    // Without it, what it said is lost.
    Plan::new("R", &old, &new, &[]).count_lost(&[3; 8], &mut lost);
    assert_eq!(lost, BTreeMap::from([("R.seen_s".to_owned(), 1)]));
}

#[test]
fn a_later_look_adds_counts_and_leaves_what_others_changed() {
    let layout = record("24\nfield count 0 8 counter\nfield clock 8 8 latest\nfield place 16 8 kernel");
    let plan = Plan::new("R", &layout, &layout, &[]);
    let row = |words: [u64; 3]| words.map(u64::to_ne_bytes).concat();
    let ops = plan.ops(&row([10, 50, 1]), &row([13, 70, 2]));
    assert_eq!(ops, [(2, Op::Replace { from: 1, to: 2 }), (1, Op::Max(70)), (0, Op::Add(3))]);
    // Nobody else wrote; somebody did.
    let after = |held: [u64; 3]| ops.iter().rev().map(|(word, op)| op.on(held[*word])).collect::<Vec<_>>();
    assert_eq!(after([10, 50, 1]), [Some(13), Some(70), Some(2)]);
    assert_eq!(after([110, 90, 7]), [Some(113), None, None]);
    assert!(plan.ops(&row([1, 2, 3]), &row([1, 2, 3])).is_empty());
}

#[test]
fn a_description_that_ends_early_is_none() {
    for len in 0..TEXT.len() {
        assert_eq!(Description::parse(&TEXT[..len]), Err(DescriptionError::CutOff), "{len} bytes");
    }
}

#[test]
fn layouts_that_cannot_follow_from_each_other_are_told_by_what_differs() {
    let text = std::str::from_utf8(TEXT).expect("text");
    for (from, to, why) in [
        ("wirecenter layout 1", "wirecenter layout 9", "another form"),
        ("record Session 320", "record Session 3x0", "Session 3x0"),
        ("field version 0 8", "field version 316 8", "version 316 8"),
        ("constant HEADER_LINES 3", "constant HEADER_LINES 4", "HEADER_LINES is 4 there and 3 here"),
        ("record Rule 64", "record Rule 72", "Rule is 72 bytes there and 64 here"),
        ("record Six ", "record Seven ", "Six is not in their description"),
        ("field in_use ", "field in-use ", "Session"),
        ("end\n", "en", "cut off"),
        (text, "", "no description"),
    ] {
        let held = text.replacen(from, to, 1);
        assert_ne!(held, text);
        let error = descriptions(held.as_bytes(), TEXT).expect_err(why).to_string();
        assert!(error.contains(why), "{error}");
    }
    for (from, to) in [("version 4\n", "version 5\n"), ("field mac 32 6 kernel\n", "field mac 32 6 dragon\n")]
    {
        assert!(descriptions(text.replacen(from, to, 1).as_bytes(), TEXT).is_ok());
    }
}

proptest! {
    /// Whatever is pinned, it is a description or an error; and with one, any record is converted without a fault.
    #[test]
    fn no_description_is_a_crash(
        changes in prop::collection::vec((0..TEXT.len(), any::<u8>()), 0..20),
        digits in prop::collection::vec((0..TEXT.len(), b'0'..=b'9'), 0..20),
        value: [u8; 32],
    ) {
        let mut text = TEXT.to_vec();
        for (at, byte) in changes.iter().take(value[0].into()).chain(&digits) {
            if text[*at].is_ascii_digit() || value[1] < 32 {
                text[*at] = *byte;
            }
        }
        let Ok(old) = Description::parse(&text) else { return Ok(()) };
        let new = described();
        for (name, layout) in &new.records {
            let Some(before) = old.record(name) else { continue };
            let plan = Plan::new(name, before, layout, &[]);
            let from: Vec<u8> = value.iter().copied().cycle().take(before.bytes).collect();
            let mut to = vec![0; layout.bytes];
            plan.convert(&from, &mut to);
            plan.count_lost(&from, &mut Lost::new());
        }
    }
}
