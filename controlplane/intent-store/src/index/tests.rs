use std::sync::Arc;

use super::*;

fn put(index: &mut Index, key: &str, value: Option<&[u8]>) {
    let change = vec![(index.revision + 1, key.into(), value.map(Arc::from))];
    for prepared in index.prepare(change) {
        index.apply_object(prepared);
    }
}

#[test]
fn history_is_bounded_in_bytes_too() {
    let mut index = Index::default();
    let bytes_max = 10 * (size_of::<LogEntry>() + 1001);
    for number in 0..100_u8 {
        put(&mut index, "a/1", Some(&[number; 1000]));
        index.compact(1000, bytes_max);
        assert!(index.log_bytes <= bytes_max);
        // The version before the first has no bytes.
        assert_eq!(index.log.len(), usize::from(number + 1).min(10), "{}", index.log_bytes);
    }
    assert_eq!(index.changes(89, 100), Err(Compacted { asked: 89, oldest: 90, newest: 100 }));
    assert_eq!(index.changes(90, 100).expect("is kept").len(), 10);
    assert_eq!(index.page("", None, 9, Some(95)).expect("is kept").items[0].1.value[0], 94);
    index.compact(0, 0);
    assert_eq!((index.log_bytes, index.log.len(), index.objects.len()), (0, 0, 1));
}

#[test]
fn a_deleted_object_is_gone_when_history_has_forgotten_it() {
    let mut index = Index::default();
    put(&mut index, "a", Some(b"1"));
    put(&mut index, "a", None);
    put(&mut index, "b", Some(b"1"));
    index.compact(2, usize::MAX);
    assert_eq!(index.page("", None, 9, Some(1)).expect("is kept").items.len(), 1);
    assert!(!index.contains_object("a"));
    index.compact(1, usize::MAX);
    assert_eq!(index.objects.len(), 1);
    // One that has come back stays.
    put(&mut index, "b", None);
    put(&mut index, "b", Some(b"2"));
    index.compact(0, 0);
    assert_eq!(index.object("b").map(|record| record.revision), Some(5));
}
