use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::*;
use crate::{OpenError, Place};

const HERE: Place<'_> = Place { kind: "Secret", name: "s", uid: "u", key: "k" };

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys");
    (folder, path)
}

fn load(path: &Path) -> Keyring {
    Keyring::load_or_create(path).expect("a key file")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").mode() & 0o7777
}

#[test]
fn the_first_start_makes_a_key_that_the_next_one_reads() {
    let (folder, path) = folder();
    let sealed = load(&path).seal(HERE, b"hunter2").expect("sealed");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(**load(&path).open(HERE, &sealed).expect("opened"), *b"hunter2");
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
}

#[test]
fn keys_are_rotated_and_retired() {
    let (_folder, path) = folder();
    let first = load(&path);
    let sealed = first.seal(HERE, b"hunter2").expect("sealed");
    let second = first.rotate(&path).expect("rotated");
    assert_eq!(mode(&path), 0o600);
    assert!(load(&path).key_ids().eq([second.sealing_key(), first.sealing_key()]));
    assert_eq!(**load(&path).open(HERE, &sealed).expect("opened"), *b"hunter2");
    assert!(matches!(second.retire(&path, second.sealing_key()), Err(KeyFileError::Sealing(_))));
    second.retire(&path, first.sealing_key()).expect("retired");
    assert_eq!(load(&path).open(HERE, &sealed).err(), Some(OpenError::UnknownKey(first.sealing_key())));
    let gone = load(&path).retire(&path, first.sealing_key());
    assert!(matches!(gone, Err(KeyFileError::NoSuchKey(_))));
}

#[test]
fn a_full_ring_is_not_rotated() {
    let (_folder, path) = folder();
    let mut ring = load(&path);
    for _ in 1..KEYS_MAX {
        ring = ring.rotate(&path).expect("rotated");
    }
    assert!(matches!(ring.rotate(&path), Err(KeyFileError::TooManyKeys { .. })));
    assert_eq!(load(&path).key_ids().count(), KEYS_MAX, "the limit of a file's length leaves room for all");
}

#[test]
fn a_file_that_others_can_read_is_not_used() {
    let (_folder, path) = folder();
    load(&path);
    for bits in [0o640, 0o604, 0o620, 0o777] {
        fs::set_permissions(&path, fs::Permissions::from_mode(bits)).expect("chmod");
        let refused = Keyring::load_or_create(&path);
        assert!(matches!(refused, Err(KeyFileError::Open { mode, .. }) if mode == bits), "{bits:o}");
    }
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_is() {
    let (_folder, path) = folder();
    load(&path);
    let good = fs::read_to_string(&path).expect("text");
    for end in 0..good.len() {
        fs::write(&path, &good[..end]).expect("written");
        assert!(matches!(Keyring::load_or_create(&path), Err(KeyFileError::Damaged { .. })), "cut at {end}");
        assert_eq!(fs::read_to_string(&path).expect("text"), good[..end]);
    }
    let last = good.trim_end().len() - 1;
    let digit = if good.as_bytes()[last] == b'0' { "1" } else { "0" };
    fs::write(&path, format!("{}{digit}\n", &good[..last])).expect("written");
    let refused = Keyring::load_or_create(&path).expect_err("the key does not fit its id");
    assert!(matches!(refused, KeyFileError::Damaged { line: 2, .. }));
    assert!(!format!("{refused:?} {refused}").contains(&good[40..60]), "an error shows no key");
}

#[test]
fn what_a_crash_left_beside_it_does_no_harm() {
    let (folder, path) = folder();
    fs::write(folder.path().join("keys.new"), "half a").expect("written");
    let first = load(&path);
    fs::write(folder.path().join("keys.new"), "half a").expect("written");
    let second = first.rotate(&path).expect("rotated");
    assert_eq!(load(&path).sealing_key(), second.sealing_key());
}

#[test]
fn a_new_file_never_takes_the_place_of_one() {
    let (_folder, path) = folder();
    let first = load(&path);
    let other = Keyring::of(vec![Key::generate().expect("random")]);
    assert!(matches!(write(&path, &other, Mode::New), Err(KeyFileError::Io { .. })));
    assert_eq!(load(&path).sealing_key(), first.sealing_key());
}

proptest! {
    #[test]
    fn any_text_is_refused(text in prop_oneof![".{0,80}", "wirecenter keys 1\n([0-9a-f]{16} [0-9a-f]{64}\n){0,3}"]) {
        prop_assert!(parse(&text).is_err());
    }
}
