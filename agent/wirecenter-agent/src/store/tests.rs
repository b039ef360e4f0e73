use super::*;
use crate::reconcile::fakes::{chunk, session};

fn binding(last: u8) -> Binding {
    Binding { mac: Mac::new([2, 0, 0, 0, 0, last]).expect("unicast"), expires_s: u64::from(last) }
}

#[test]
fn what_is_kept_is_there_after_a_restart_and_for_root_only() {
    let dir = tempfile::tempdir().expect("directory");
    let state = dir.path().join("state");
    let (alice, bob) = (session("alice", 1), session("bob", 2));
    let names = [&alice, &bob].map(|resource| resource.key().subscriber().expect("a session"));
    let (store, kept) = Store::open(&state).expect("opens");
    assert_eq!(kept, Kept::default());
    store.keep(&chunk(5, &[alice.clone(), bob.clone()], &[])).expect("kept");
    let set = |(name, last): (&Name, u8)| (name.clone(), BindingChange::Set(binding(last)));
    store.keep_bindings(&[set((&names[0], 1)), set((&names[1], 2))], &[], &[]).expect("kept");
    let identity = Identity { office: vec![1], certificate: vec![2], key: vec![3], token_digest: [4; 32] };
    store.keep_identity(&identity, false).expect("kept");
    store.keep(&chunk(6, &[], &[bob.key()])).expect("kept");
    drop(store);
    let (store, kept) = Store::open(&state).expect("opens");
    assert_eq!(kept.generation, Generation(6));
    assert_eq!(kept.desired.resources().collect::<Vec<_>>(), std::slice::from_ref(&alice));
    assert_eq!(kept.versions, HashMap::from([(alice.key(), alice.version())]));
    assert_eq!(
        kept.leases.v4,
        HashMap::from([(names[0].clone(), binding(1))]),
        "the other went with its session"
    );
    assert_eq!(store.identity().expect("read"), Some(identity.clone()));
    store.keep_identity(&identity, true).expect("kept");
    store.keep_bindings(&[(names[0].clone(), BindingChange::Clear)], &[], &[]).expect("kept");
    drop(store);
    let (_store, kept) = Store::open(&state).expect("opens");
    assert_eq!((kept.generation, kept.desired.sessions.len(), kept.leases.v4.len()), (Generation(0), 1, 0));
    let mode = |path: &Path| std::fs::metadata(path).expect("exists").permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join(Store::FILE))), (0o700, 0o600));
}

#[test]
fn two_agents_cannot_share_a_state() {
    let dir = tempfile::tempdir().expect("directory");
    let _first = Store::open(dir.path()).expect("opens");
    let error = Store::open(dir.path()).err().expect("refused").to_string();
    assert!(error.contains("another agent") && error.contains(Store::FILE), "{error}");
}

#[test]
fn what_another_version_wrote_is_left_out_of_the_inventory() {
    let dir = tempfile::tempdir().expect("directory");
    let (store, _) = Store::open(dir.path()).expect("opens");
    let mut strange = chunk(1, &[session("alice", 1)], &[]);
    strange.upserts[0].body = bytes::Bytes::from_static(b"{\"kind\":\"tunnel\"}");
    store.keep(&strange).expect("kept");
    drop(store);
    let (_store, kept) = Store::open(dir.path()).expect("opens");
    assert_eq!((kept.versions.len(), kept.generation), (0, Generation(1)));
}
