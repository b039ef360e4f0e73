use std::{
    ops::{ControlFlow, Range},
    sync::{Arc, mpsc},
};

use super::*;
use crate::*;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

fn open(engine: impl Engine) -> (Store, WriterHandle) {
    Store::open(engine, Options::default()).expect("opens")
}

/// Two objects, a claim and an audit record, which belong together.
async fn provision(store: &Store, number: u32) {
    let body = move |txn: &mut Transaction<'_>| {
        txn.put(Table::Objects, format!("a/{}", number % 300), number.to_string().into_bytes());
        let revision = txn.put(Table::Objects, format!("b/{number}"), [b'b'; 1000].as_slice());
        txn.put(Table::Claims, format!("revision/{revision}"), number.to_string().into_bytes());
        txn.audit(revision.to_string());
        Ok::<_, ()>(())
    };
    store.transact(body).await.expect("runs").expect("commits");
}

fn page(store: &Store, revision: Option<u64>) -> Vec<(Key, Record)> {
    store.page("", None, usize::MAX, revision).expect("history reaches so far").items
}

#[test]
fn a_backup_amid_writes_is_the_store_of_one_revision() {
    let directory = tempfile::tempdir().expect("a directory");
    let (store, writer) = open(RocksEngine::open(&directory.path().join("store")).expect("opens"));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    // Writers and the backup race; what is wanted is a backup from the middle.
    let mut middle = None;
    for attempt in 0..20 {
        let path = directory.path().join(format!("backup-{attempt}"));
        let before = store.revision();
        let manifest = runtime.block_on(async {
            let mut clients = tokio::task::JoinSet::new();
            for number in 0..1_000 {
                let store = store.clone();
                clients.spawn(async move { provision(&store, number).await });
            }
            store.revisions().wait_for(|revision| *revision > before).await.expect("open");
            let (store, to) = (store.clone(), path.clone());
            let backup = tokio::task::spawn_blocking(move || store.backup(&to, &[]).expect("is taken"));
            clients.join_all().await;
            backup.await.expect("ends")
        });
        assert_eq!(store.revision(), before + 2_000, "each write was made");
        if (before + 1..before + 2_000).contains(&manifest.revision) {
            middle = Some((path, manifest));
            break;
        }
    }
    let (path, manifest) = middle.expect("a backup that was taken amid writes");
    assert_eq!(verify(&path).expect("is sound"), manifest);
    let then = page(&store, Some(manifest.revision));

    let restored = directory.path().join("restored");
    assert_eq!(restore(&path, &restored).expect("is restored").0, manifest);
    let (copy, copy_writer) = open(RocksEngine::open(&restored).expect("opens"));
    assert_eq!((copy.revision(), page(&copy, None)), (manifest.revision, then));
    // Each transaction made two revisions, a claim and a record: they are there for those up to this one.
    assert_eq!(copy.figures().claims as u64, manifest.revision / 2);
    assert_eq!(copy.audit_range(), 0..manifest.revision / 2);
    let last = copy.audit_records(manifest.revision / 2 - 1..u64::MAX, 9).expect("reads");
    assert_eq!(last[0].value, manifest.revision.to_string().into_bytes());
    // Life goes on from there.
    block_on(provision(&copy, 7));
    assert_eq!(copy.revision(), manifest.revision + 2);
    drop((store, copy));
    writer.join();
    copy_writer.join();
}

/// An engine whose reader waits in the middle of a scan.
struct Paused {
    engine: MemoryEngine,
    go_on: Arc<std::sync::Mutex<mpsc::Receiver<()>>>,
    at_pair: mpsc::SyncSender<()>,
}

struct PausedReader(Box<dyn Reader>, Arc<std::sync::Mutex<mpsc::Receiver<()>>>, mpsc::SyncSender<()>);

impl Engine for Paused {
    fn reader(&self) -> Box<dyn Reader> {
        Box::new(PausedReader(self.engine.reader(), self.go_on.clone(), self.at_pair.clone()))
    }

    fn commit(&mut self, writes: &[Write]) -> Result<(), EngineError> {
        self.engine.commit(writes)
    }
}

impl Reader for PausedReader {
    fn scan(&self, range: Range<&[u8]>, visit: &mut Visit<'_>) -> Result<(), EngineError> {
        self.0.scan(range, &mut |key, value| {
            self.2.send(()).expect("the test listens");
            self.1.lock().expect("unpoisoned").recv().expect("the test goes on");
            visit(key, value)
        })
    }
}

#[test]
fn no_write_waits_for_a_backup_and_no_backup_for_another() {
    let (go_on, waits) = mpsc::channel();
    let (at_pair, pairs) = mpsc::sync_channel(100);
    let engine = MemoryEngine::default();
    let (store, writer) = open(Paused { engine, go_on: Arc::new(std::sync::Mutex::new(waits)), at_pair });
    block_on(provision(&store, 1));
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("backup");
    let manifest = std::thread::scope(|scope| {
        let backup = scope.spawn(|| store.backup(&path, &[]));
        pairs.recv().expect("the backup has begun");
        block_on(provision(&store, 2));
        let other = store.backup(&directory.path().join("other"), &[]);
        assert!(matches!(other, Err(BackupError::Busy)), "{other:?}");
        assert!(!path.exists(), "only what is complete has the name");
        for _ in 0..100 {
            go_on.send(()).expect("the engine waits");
        }
        backup.join().expect("ends").expect("is taken")
    });
    assert_eq!((manifest.revision, manifest.objects, manifest.claims, manifest.audit_records), (2, 2, 1, 1));
    assert_eq!(store.revision(), 4);
    drop(store);
    writer.join();
}

/// A backup of few bytes.
fn small(directory: &std::path::Path) -> std::path::PathBuf {
    let disk = MemoryEngine::default();
    let (store, writer) = open(disk);
    for number in 0..3 {
        block_on(provision(&store, number));
    }
    let path = directory.join("small");
    store.backup(&path, &[]).expect("is taken");
    drop(store);
    writer.join();
    path
}

#[test]
fn every_byte_counts() {
    let directory = tempfile::tempdir().expect("a directory");
    let sound = std::fs::read(small(directory.path())).expect("reads");
    let judge = |bytes: &[u8]| verify::verify_bytes("damaged".as_ref(), bytes);
    judge(&sound).expect("is sound");
    for at in 0..sound.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = sound.clone();
            bytes[at] ^= flip;
            let error = judge(&bytes).expect_err("is damaged");
            assert!(!matches!(error, VerifyError::Read { .. }), "byte {at}: {error}");
        }
    }
    for length in 0..sound.len() {
        let error = judge(&sound[..length]).expect_err("is cut off");
        assert!(matches!(error, VerifyError::Incomplete { bytes, .. } if bytes == length as u64), "{error}");
    }
    let long = judge(&[sound.as_slice(), b"x"].concat()).expect_err("is too long").to_string();
    assert!(long.ends_with("more follows after its end"), "{long}");
}

#[test]
fn what_is_wrong_is_said_in_words() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = small(directory.path());
    let sound = std::fs::read(&path).expect("reads");
    let judge = |bytes: &[u8]| {
        std::fs::write(&path, bytes).expect("writes");
        let error = verify(&path).expect_err("is refused").to_string();
        error.replace(&path.display().to_string(), "PATH")
    };
    let cut = "the backup PATH is incomplete: it ends after 100 bytes, before its manifest does";
    assert_eq!(judge(&sound[..100]), cut);
    let mut bytes = sound.clone();
    bytes[40] ^= 1;
    let words = judge(&bytes);
    assert!(words.starts_with("the backup PATH is damaged between its bytes 20 and "), "{words}");
    assert!(words.ends_with(": its SHA-256 is another"), "{words}");
    assert_eq!(judge(b"a shopping list of more than 20 bytes"), "PATH is no backup of Wirecenter's store");
    let later = "the backup PATH is of another version: this program reads version 2";
    assert_eq!(judge(b"wirecenter backup 1\nand so on"), later);
    std::fs::remove_file(&path).expect("removes");
    let error = verify(&path).expect_err("is missing").to_string();
    assert!(error.starts_with("cannot read the backup "), "{error}");
}

#[test]
fn a_backup_is_restored_only_where_nothing_is_and_only_whole() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = small(directory.path());
    let target = directory.path().join("store");
    let names = |of: &std::path::Path| -> Vec<_> {
        std::fs::read_dir(of).expect("lists").map(|entry| entry.expect("an entry").file_name()).collect()
    };

    std::fs::create_dir(&target).expect("makes");
    std::fs::write(target.join("note"), "mine").expect("writes");
    assert!(matches!(restore(&path, &target), Err(RestoreError::NotEmpty(_))));
    assert_eq!(names(&target), ["note"]);
    assert!(matches!(restore(&path, &target.join("note")), Err(RestoreError::NotEmpty(_))));
    let (store, writer) = open(MemoryEngine::default());
    drop(store);
    writer.join();

    std::fs::remove_file(target.join("note")).expect("removes");
    let mut bytes = std::fs::read(&path).expect("reads");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let damaged = directory.path().join("damaged");
    std::fs::write(&damaged, bytes).expect("writes");
    assert!(matches!(restore(&damaged, &target), Err(RestoreError::Backup(VerifyError::Damaged { .. }))));
    assert_eq!(names(&target), [""; 0]);
    restore(&path, &target).expect("an empty directory will do");
    assert!(matches!(restore(&path, &target), Err(RestoreError::NotEmpty(_))));
    let mut rest = names(directory.path());
    rest.sort();
    assert_eq!(rest, ["damaged", "small", "store"], "nothing is left beside");

    // Another engine takes it as well, if it is empty; one that fails half way has no store.
    let mut engine = MemoryEngine::default();
    let (manifest, _) = restore_into(&path, &mut engine).expect("is restored");
    assert!(matches!(restore_into(&path, &mut engine), Err(RestoreError::EngineNotEmpty)));
    let (store, writer) = open(engine);
    assert_eq!((store.revision(), manifest.revision), (6, 6));
    drop(store);
    writer.join();
}

#[test]
fn a_backup_does_not_take_the_place_of_a_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = small(directory.path());
    let before = std::fs::read(&path).expect("reads");
    let (store, writer) = open(MemoryEngine::default());
    assert!(matches!(store.backup(&path, &[]), Err(BackupError::Exists(_))));
    assert_eq!(std::fs::read(&path).expect("reads"), before);
    let nowhere = store.backup(&directory.path().join("no/where"), &[]);
    assert!(matches!(nowhere, Err(BackupError::Write { .. })));
    // Of an empty store there is a backup too.
    let empty = store.backup(&directory.path().join("empty"), &[]).expect("is taken");
    assert_eq!((empty.revision, empty.objects), (0, 0));
    let mode = std::os::unix::fs::MetadataExt::mode(
        &std::fs::metadata(directory.path().join("empty")).expect("is there"),
    );
    assert_eq!(mode & 0o777, 0o600);
    drop(store);
    writer.join();
}

#[test]
fn a_damaged_store_has_no_backup() {
    let mut disk = MemoryEngine::default();
    let (store, writer) = open(disk.clone());
    disk.commit(&[Write { key: b"z".to_vec(), value: Some(vec![]) }]).expect("commits");
    let directory = tempfile::tempdir().expect("a directory");
    let error = store.backup(&directory.path().join("backup"), &[]).expect_err("is refused").to_string();
    assert_eq!(error, "the store is damaged: no one knows the key \"z\"");
    let mut left = 0;
    let found = disk.scan([].as_slice()..[0xff].as_slice(), &mut |_, _| {
        left += 1;
        ControlFlow::Continue(())
    });
    assert_eq!(
        (found.is_ok(), left, std::fs::read_dir(directory.path()).expect("lists").count()),
        (true, 2, 0)
    );
    drop(store);
    writer.join();
}

#[test]
fn files_beside_the_store_come_along() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("backup");
    let (store, writer) = open(MemoryEngine::default());
    block_on(provision(&store, 1));
    let file = |path: &str, content: &[u8]| Companion { path: path.into(), content: content.to_vec().into() };
    let files = [file("keys/office", b"key"), file("ca/office-ca.pem", b"")];
    let manifest = store.backup(&path, &files).expect("is taken");
    assert_eq!(manifest.files, ["ca/office-ca.pem", "keys/office"]);
    assert_eq!(verify(&path).expect("is sound"), manifest);
    let mut seen = Vec::new();
    let (inspected, found) = inspect(&path, &mut |key, _| seen.push(key.to_owned())).expect("is sound");
    let [key, certificate] = files;
    assert_eq!((inspected, found), (manifest, vec![certificate, key]));
    assert_eq!(seen, ["a/1", "b/1"]);
    let out = directory.path().join("out");
    for wrong in ["../x", "/x", "", "a//b", "a/./b", "a/b/c/d/e", "a b"] {
        assert!(matches!(store.backup(&out, &[file(wrong, b"")]), Err(BackupError::File(_))), "{wrong}");
    }
    let twice = [file("a", b""), file("a", b"")];
    assert!(matches!(store.backup(&out, &twice), Err(BackupError::File(_))));
    assert!(matches!(store.backup(&out, &[file("a", &vec![0; 70_000])]), Err(BackupError::File(_))));
    assert!(!out.exists());
    drop(store);
    writer.join();
}
