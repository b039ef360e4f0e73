use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

/// Carries a patch out, as RFC 6902 says, and looks that what was there is what it says.
fn carried_out(document: &Value, patch: &[Change]) -> Value {
    let mut document = document.clone();
    for Change { op, path, old, value } in patch {
        let Some((parent, token)) = path.rsplit_once('/') else {
            assert_eq!(Some(&document), old.as_ref());
            document = value.clone().expect("a document");
            continue;
        };
        let token = token.replace("~1", "/").replace("~0", "~");
        match document.pointer_mut(parent).expect("a parent") {
            Value::Object(members) => {
                let was = match value {
                    Some(value) => members.insert(token, value.clone()),
                    None => members.remove(&token),
                };
                assert_eq!(&was, old);
            }
            Value::Array(elements) => {
                let i: usize = token.parse().expect("an index");
                match op {
                    ChangeOp::Add => elements.insert(i, value.clone().expect("a value")),
                    ChangeOp::Remove => assert_eq!(Some(elements.remove(i)), *old),
                    ChangeOp::Replace => {
                        let was = std::mem::replace(&mut elements[i], value.clone().expect("a value"));
                        assert_eq!(Some(was), *old);
                    }
                }
            }
            other => panic!("{path} is in {other}"),
        }
    }
    document
}

fn documents() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from)];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map("[ab/~]{1,2}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn a_difference_makes_the_new_document_of_the_old_one(old in documents(), new in documents()) {
        let patch = difference(&old, &new);
        prop_assert_eq!(carried_out(&old, &patch), new.clone());
        prop_assert_eq!(patch.is_empty(), old == new);
        prop_assert!(difference(&new, &new).is_empty());
    }
}

#[test]
fn what_stays_in_a_list_is_no_difference() {
    let old = json!({"ports": [{"name": "a"}, {"name": "b", "mtu": 1500}, {"name": "c"}], "x": 1});
    let new = json!({"ports": [{"name": "a"}, {"name": "b", "mtu": 9000}, {"name": "new"}, {"name": "c"}], "y/z": 1});
    let said: Vec<_> = difference(&old, &new).into_iter().map(|change| (change.op, change.path)).collect();
    assert_eq!(
        said,
        [
            (ChangeOp::Replace, "/ports/1/mtu".to_owned()),
            (ChangeOp::Add, "/ports/2".into()),
            (ChangeOp::Remove, "/x".into()),
            (ChangeOp::Add, "/y~1z".into()),
        ]
    );
}
