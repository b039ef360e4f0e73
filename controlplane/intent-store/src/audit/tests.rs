use std::ops::Bound;

use super::*;
use crate::{Engine, MemoryEngine, Options, RocksEngine, Store, Table, Transaction, WriterHandle};

fn open(engine: impl Engine, audit_max: u64) -> (Store, WriterHandle) {
    Store::open(engine, Options { audit_max, ..Options::default() }).expect("opens")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn texts(store: &Store, range: Range<u64>, limit: usize) -> Vec<(u64, String)> {
    let records = store.audit_records(range, limit).expect("reads");
    let text = |value| String::from_utf8(value).expect("text");
    records.into_iter().map(|record| (record.sequence, text(record.value))).collect()
}

async fn append(store: &Store, records: Vec<String>) {
    let body = |txn: &mut Transaction<'_>| {
        for record in records {
            txn.audit(record);
        }
        Ok::<_, ()>(())
    };
    store.transact(body).await.expect("runs").expect("commits");
}

fn tells_what_was_done_and_refused(open: impl Fn() -> (Store, WriterHandle)) {
    let (store, writer) = open();
    let write = |txn: &mut Transaction<'_>| {
        txn.audit("made a");
        txn.audit_refusal("refused a");
        txn.put(Table::Objects, "a", b"1".as_slice());
    };
    block_on(async {
        let done = move |txn: &mut Transaction<'_>| {
            write(txn);
            Ok::<_, ()>(())
        };
        assert_eq!(store.transact(done).await, Ok(Ok(())));
        let revision = store.revision();
        let mut revisions = store.revisions();
        let refused = move |txn: &mut Transaction<'_>| {
            write(txn);
            Err::<(), _>("no")
        };
        assert_eq!(store.transact(refused).await, Ok(Err("no")));
        // A dry run tells nothing.
        let dry = |txn: &mut Transaction<'_>| {
            txn.audit("made b");
            Err::<(), _>(txn.put(Table::Objects, "b", b"1".as_slice()))
        };
        assert_eq!(store.transact(dry).await, Ok(Err(2)));
        store.audit("someone without a name came").await.expect("runs");
        assert_eq!(store.revision(), revision);
        assert!(!revisions.has_changed().expect("open"), "records of what changed nothing wake nobody");
        revisions.mark_unchanged();
    });
    let all = [(0, "made a"), (1, "refused a"), (2, "someone without a name came")];
    let all = all.map(|(sequence, text)| (sequence, text.to_owned()));
    assert_eq!(texts(&store, 0..u64::MAX, 10), all);
    assert_eq!(texts(&store, 1..3, 1), all[1..2]);
    assert_eq!(texts(&store, 3..9, 10), []);
    assert_eq!((store.audit_range(), store.figures().audit), (0..3, 3));
    drop(store);
    writer.join();

    let (store, writer) = open();
    assert_eq!(store.audit_range(), 0..3);
    block_on(store.audit("again")).expect("runs");
    assert_eq!(texts(&store, 2..9, 10), [all[2].clone(), (3, "again".into())]);
    let none = |txn: &mut Transaction<'_>| Ok::<_, ()>(txn.range(Table::Objects, Bound::Unbounded).count());
    assert_eq!(block_on(store.transact(none)), Ok(Ok(1)), "no record is an object");
    drop(store);
    writer.join();
}

#[test]
fn tells_what_was_done_and_refused_on_any_engine() {
    let disk = MemoryEngine::default();
    tells_what_was_done_and_refused(|| open(disk.clone(), 10));
    let directory = tempfile::tempdir().expect("a directory");
    tells_what_was_done_and_refused(|| open(RocksEngine::open(directory.path()).expect("opens"), 10));
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let disk = MemoryEngine::default();
    let (store, writer) = open(disk.clone(), 5);
    for number in 0..20_u64 {
        block_on(append(&store, vec![number.to_string()]));
        assert_eq!(store.audit_range(), (number + 1).saturating_sub(5)..number + 1);
    }
    let found = texts(&store, 0..u64::MAX, 100);
    assert_eq!(found, (15..20).map(|number| (number, number.to_string())).collect::<Vec<_>>());
    // More at once than are kept: the next commit removes them.
    block_on(append(&store, (20..40).map(|number| number.to_string()).collect()));
    assert_eq!(store.audit_range(), 20..40);
    block_on(append(&store, vec!["40".into()]));
    assert_eq!(store.audit_range(), 36..41);
    drop(store);
    writer.join();

    // Also what lies beyond a lower limit goes, and from the disk too.
    let (store, writer) = open(disk.clone(), 2);
    block_on(append(&store, vec!["41".into()]));
    assert_eq!(store.audit_range(), 40..42);
    drop(store);
    writer.join();
    let mut left = 0;
    let count = &mut |_: &[u8], _: &[u8]| {
        left += 1;
        ControlFlow::Continue(())
    };
    disk.scan(b"a".as_slice()..b"b".as_slice(), count).expect("reads");
    assert_eq!(left, 2);
}

#[test]
fn a_page_has_a_limit_of_bytes_and_a_gap_is_noticed() {
    let mut disk = MemoryEngine::default();
    let (store, writer) = open(disk.clone(), 100);
    block_on(append(&store, vec!["x".repeat(PAGE_BYTES * 2), "y".into(), "z".into()]));
    let sequences = |from| -> Vec<_> {
        store.audit_records(from..9, 9).expect("reads").iter().map(|record| record.sequence).collect()
    };
    assert_eq!((sequences(0), sequences(1)), (vec![0], vec![1, 2]));
    disk.commit(&[Write { key: disk::audit_key(1), value: None }]).expect("commits");
    let wide = store.audit_records(0..3, 3).map(|records| records.len());
    assert!(matches!(wide, Ok(1)), "ends before the gap: {wide:?}");
    disk.commit(&[Write { key: disk::audit_key(0), value: Some(vec![]) }]).expect("commits");
    assert!(matches!(store.audit_records(0..3, 3), Err(AuditError::Missing(1))));
    drop(store);
    writer.join();
}

#[test]
fn nothing_is_read_after_the_store_has_stopped() {
    let disk = MemoryEngine::default();
    let (store, writer) = open(disk.clone(), 10);
    block_on(store.audit("one")).expect("runs");
    disk.inject(crate::Fault::Lost);
    assert_eq!(block_on(store.audit("two")), Err(Stopped));
    block_on(store.stopped());
    writer.join();
    assert!(matches!(store.audit_records(0..9, 9), Err(AuditError::Stopped(Stopped))));
    assert_eq!(store.audit_range(), 0..1);
}
