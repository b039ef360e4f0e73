use serde_json::json;

use super::{query::explain, *};
use crate::office::access::Origin;

fn caller() -> Arc<Caller> {
    Arc::new(Caller {
        principal: access_policy::Principal::User("ann".parse().expect("a name")),
        origin: Origin::Remote("192.0.2.7".parse().expect("an address")),
        request: "r1".into(),
        until: None,
        token: None,
    })
}

#[test]
fn a_record_tells_all_changes_and_what_differs() {
    let mut trail = Trail::new(caller());
    trail.entry("create", "Site", "a", (None, Some(1)), (None, Some(br#"{"x":1}"#)));
    trail.entry("update", "Site", "a", (Some(1), Some(2)), (Some(br#"{"x":1,"y":2}"#), Some(br#"{"x":3}"#)));
    trail.act("create", "users/tokens", "ann/1");
    let items = explain(&trail.finish().expect("something was done"));
    assert!(items.iter().all(|item| item.user == "ann" && item.from == "192.0.2.7" && item.request == "r1"));
    assert_eq!(items[0].object, Some(json!({"x": 1})));
    assert_eq!((items[1].before, items[1].after), (Some(1), Some(2)));
    assert_eq!(items[1].patch, Some(json!({"x": 3, "y": null})));
    assert_eq!((items[2].kind.as_str(), &items[2].object), ("users/tokens", &None));
    assert_eq!(Trail::new(caller()).finish(), None, "what did nothing is not told");
}

#[test]
fn a_refusal_is_told_with_what_was_left_out() {
    let refused = Refused {
        verb: "get".into(),
        kind: "sites".into(),
        name: "a".into(),
        status: 403,
        detail: "no \"x\"".into(),
    };
    let items = explain(&refusal("-", "192.0.2.7", "r2", &refused, 7));
    assert_eq!((items[0].outcome, items[0].status, items[0].left_out), ("refused", Some(403), 7));
    assert_eq!(items[0].detail.as_deref(), Some("no \"x\""));
    for damaged in [&b""[..], b"\x01", b"\x02abc", b"\x01\xff\xff\xff\xff", b"\x01\x04\0\0\0zzzz"] {
        assert_eq!(explain(damaged), [], "{damaged:?}");
    }
}

#[test]
fn a_difference_makes_the_one_of_the_other() {
    for (before, after) in [
        (json!({"a": 1, "b": {"c": [1], "d": 2}}), json!({"b": {"c": [2]}, "e": "x"})),
        (json!({}), json!({"a": {"b": 1}})),
        (json!({"a": {"b": 1}}), json!({"a": 1})),
    ] {
        let mut target = before.clone();
        xos_model::merge_patch(&mut target, difference(&before, &after));
        assert_eq!(target, after);
    }
}
