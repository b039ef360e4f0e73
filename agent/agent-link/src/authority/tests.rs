use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn is_made_once_and_kept_for_its_owner_only() {
    let dir = tempfile::tempdir().expect("directory");
    let dir = dir.path().join("new");
    let made = Authority::open(&dir).expect("made");
    let opened = Authority::open(&dir).expect("opened");
    assert_eq!(made.certificate(), opened.certificate());
    for file in [Authority::KEY_FILE, Authority::CERTIFICATE_FILE] {
        let permissions = std::fs::metadata(dir.join(file)).expect("exists").permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600, "{file}");
    }
    let node = "node1".parse().expect("name");
    let token: JoinToken = opened.token(&node, "secret").expect("legal").parse().expect("parses");
    assert_eq!(token.fingerprint, fingerprint(made.certificate()));
    assert_eq!(opened.token(&node, "a.b"), Err(TokenError::Secret));
}

#[test]
fn a_first_start_that_was_cut_short_is_made_good() {
    let dir = tempfile::tempdir().expect("directory");
    let first = Authority::open(dir.path()).expect("made");
    std::fs::remove_file(dir.path().join(Authority::KEY_FILE)).expect("removed");
    let second = Authority::open(dir.path()).expect("made again");
    assert_ne!(first.certificate(), second.certificate());
}

#[test]
fn what_does_not_fit_together_is_refused_by_name() {
    let (dir, other) = (tempfile::tempdir().expect("directory"), tempfile::tempdir().expect("directory"));
    Authority::open(dir.path()).expect("made");
    Authority::open(other.path()).expect("made");
    let key = |dir: &tempfile::TempDir| dir.path().join(Authority::KEY_FILE);
    std::fs::copy(key(&other), key(&dir)).expect("copied");
    let error = Authority::open(dir.path()).err().expect("refused").to_string();
    assert!(error.contains(Authority::KEY_FILE) && error.contains("not the key"), "{error}");
    std::fs::write(dir.path().join(Authority::CERTIFICATE_FILE), "rubbish").expect("written");
    let error = Authority::open(dir.path()).err().expect("refused").to_string();
    assert!(error.contains(Authority::CERTIFICATE_FILE), "{error}");
}
