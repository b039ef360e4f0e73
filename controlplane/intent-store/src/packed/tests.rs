use proptest::prelude::*;

use super::*;

#[test]
fn values_of_a_kind_are_small_beside_one_another() {
    let value = |number: u32| {
        let dns = r#""dns":["9.9.9.9","149.112.112.112"]"#;
        format!(r#"{{"kind":"Subscriber","metadata":{{"name":"sub-{number}"}},"spec":{{"nat":true,{dns}}}}}"#)
            .into_bytes()
    };
    let mut patterns = Patterns::default();
    patterns.learn("subscribers/a", &value(1));
    assert!(patterns.knows("subscribers/b", &value(2)) && !patterns.knows("nodes/b", &value(2)));
    let packed = patterns.pack("subscribers/b", &value(22_222));
    assert!(packed.len() < 40, "{}", packed.len());
    assert_eq!(*patterns.unpack(&packed), value(22_222));
    // Another kind has a pattern of its own, or none.
    let other = patterns.pack("nodes/b", &value(3));
    assert_eq!((other.len(), &*patterns.unpack(&other)), (value(3).len() + 1, value(3).as_slice()));
    patterns.learn("nodes/b", &value(3));
    assert_eq!(*patterns.unpack(&other), value(3), "what was packed before stays readable");
}

proptest! {
    #[test]
    fn what_is_packed_is_unpacked(
        values in prop::collection::vec((0..3_u8, prop::collection::vec(0..4_u8, 0..400)), 1..20),
    ) {
        let mut patterns = Patterns::default();
        let mut all = Vec::new();
        for (kind, value) in values {
            let key = format!("{kind}/x");
            patterns.learn(&key, &value);
            all.push((patterns.pack(&key, &value), value));
        }
        for (packed, value) in all {
            prop_assert!(packed.len() <= value.len() + 1);
            prop_assert_eq!(&*patterns.unpack(&packed), value.as_slice());
        }
    }
}
