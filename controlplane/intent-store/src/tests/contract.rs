//! What must hold for a store on any engine.

use std::ops::Bound;

use crate::*;

/// Opens the same disk again and again.
trait Disk {
    type Engine: Engine;
    fn engine(&self) -> Self::Engine;
}

impl Disk for MemoryEngine {
    type Engine = Self;
    fn engine(&self) -> Self {
        self.clone()
    }
}

impl Disk for tempfile::TempDir {
    type Engine = RocksEngine;
    fn engine(&self) -> RocksEngine {
        RocksEngine::open(self.path()).expect("opens")
    }
}

fn rocks() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

fn open(disk: &impl Disk) -> (Store, WriterHandle) {
    Store::open(disk.engine(), Options::default()).expect("opens")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

async fn put(store: &Store, key: &'static str, value: &'static str) -> u64 {
    let body = move |txn: &mut Transaction<'_>| Ok::<_, ()>(txn.put(Table::Objects, key, value.as_bytes()));
    store.transact(body).await.expect("runs").expect("commits")
}

fn survives_reopening(disk: &impl Disk) {
    let (store, writer) = open(disk);
    block_on(async {
        assert_eq!(put(&store, "a/1", "one").await, 1);
        assert_eq!(put(&store, "a/2", "two").await, 2);
        let body = |txn: &mut Transaction<'_>| {
            txn.put(Table::Claims, "x", b"a/1".as_slice());
            txn.delete(Table::Objects, "a/2");
            assert_eq!(txn.delete(Table::Objects, "a/3"), None);
            Ok::<_, ()>(txn.put(Table::Objects, "a/1", b"uno".as_slice()))
        };
        assert_eq!(store.transact(body).await, Ok(Ok(4)));
    });
    drop(store);
    writer.join();

    let (store, writer) = open(disk);
    assert_eq!(store.revision(), 4);
    let record = store.get(Table::Objects, "a/1").expect("is there");
    assert_eq!((record.revision, &*record.value), (4, b"uno".as_slice()));
    assert_eq!(store.get(Table::Objects, "a/2"), None);
    assert_eq!(store.get(Table::Claims, "x").map(|record| record.value.to_vec()), Some(b"a/1".to_vec()));
    // History does not survive, and says so.
    assert_eq!(store.changes(3, 10), Err(Compacted { asked: 3, oldest: 4, newest: 4 }));
    assert_eq!(store.changes(4, 10), Ok(vec![]));
    assert_eq!(block_on(put(&store, "a/1", "eins")), 5);
    assert_eq!(store.changes(4, 10).expect("is there")[0].before, Some(record));
    drop(store);
    writer.join();
}

fn refused_transactions_leave_nothing(disk: &impl Disk) {
    let (store, writer) = open(disk);
    block_on(async {
        put(&store, "a", "1").await;
        let body = |txn: &mut Transaction<'_>| {
            txn.put(Table::Objects, "b", b"2".as_slice());
            txn.put(Table::Claims, "c", b"3".as_slice());
            txn.delete(Table::Objects, "a");
            let keys: Vec<_> = txn.range(Table::Objects, Bound::Unbounded).map(|(key, _)| key).collect();
            assert_eq!(keys, ["b".into()]);
            Err::<(), _>("no")
        };
        assert_eq!(store.transact(body).await, Ok(Err("no")));
    });
    assert_eq!(
        (store.revision(), store.get(Table::Objects, "b"), store.get(Table::Claims, "c")),
        (1, None, None)
    );
    assert!(store.get(Table::Objects, "a").is_some());
    drop(store);
    writer.join();
}

/// Transactions that wait together share a sync, and each sees those before it.
fn waiting_transactions_share_a_commit(disk: &impl Disk) {
    let (store, writer) = open(disk);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let totals = runtime.block_on(async {
        let mut waiting = tokio::task::JoinSet::new();
        for _ in 0..200 {
            let store = store.clone();
            waiting.spawn(async move {
                let body = |txn: &mut Transaction<'_>| {
                    let seen = txn.get(Table::Claims, "n").map_or(0, |record| record.value[0]);
                    txn.put(Table::Claims, "n", [seen + 1].as_slice());
                    Ok::<_, ()>(seen)
                };
                store.transact(body).await.expect("runs").expect("commits")
            });
        }
        waiting.join_all().await
    });
    let mut totals = totals;
    totals.sort_unstable();
    assert_eq!(totals, (0..200).collect::<Vec<_>>());
    assert!(store.figures().commits < 200, "{:?}", store.figures());
    drop(store);
    writer.join();
}

#[test]
fn contract_in_memory() {
    survives_reopening(&MemoryEngine::default());
    refused_transactions_leave_nothing(&MemoryEngine::default());
    waiting_transactions_share_a_commit(&MemoryEngine::default());
}

#[test]
fn contract_on_rocksdb() {
    survives_reopening(&rocks());
    refused_transactions_leave_nothing(&rocks());
    waiting_transactions_share_a_commit(&rocks());
}

#[test]
fn a_failed_commit_stops_the_store_for_good() {
    for (fault, after) in [(Fault::Lost, None), (Fault::Unknown, Some("2"))] {
        let disk = MemoryEngine::default();
        let (store, writer) = open(&disk);
        block_on(put(&store, "a", "1"));
        disk.inject(fault);
        let body = |txn: &mut Transaction<'_>| Ok::<_, ()>(txn.put(Table::Objects, "b", b"2".as_slice()));
        assert_eq!(block_on(store.transact(body)), Err(Stopped));
        assert_eq!(block_on(store.transact(|_| Ok::<_, ()>(()))), Err(Stopped));
        block_on(store.stopped());
        assert_eq!(store.get(Table::Objects, "b"), None);
        drop(store);
        writer.join();
        let (store, _) = open(&disk);
        let found = store.get(Table::Objects, "b").map(|record| record.value.to_vec());
        assert_eq!(found, after.map(|value| value.as_bytes().to_vec()));
    }
}

#[test]
fn a_foreign_or_damaged_store_is_refused() {
    let with = |key: &[u8], value: &[u8]| {
        let mut engine = MemoryEngine::default();
        engine.commit(&[Write { key: key.to_vec(), value: Some(value.to_vec()) }]).expect("commits");
        Store::open(engine, Options::default()).err().expect("refused").to_string()
    };
    for other in ["1", "2", "4"] {
        let said = format!("the store has format \"{other}\", this program writes \"3\"");
        assert_eq!(with(b"mformat", other.as_bytes()), said);
    }
    assert_eq!(with(b"oa", b"12345678x"), "the store is damaged: its format is missing");
    assert_eq!(with(b"oa", b"1"), "the store is damaged: no one knows the key \"oa\"");
    assert_eq!(with(b"z", b"1"), "the store is damaged: no one knows the key \"z\"");
}

#[test]
fn rocksdb_is_locked_against_a_second_process() {
    let disk = rocks();
    let (store, writer) = open(&disk);
    assert!(RocksEngine::open(disk.path()).is_err());
    drop(store);
    // A process that ends while the writer closes the engine may be ended by what RocksDB cleans up at its exit.
    writer.join();
}
