use intent_store::{MemoryEngine, Options, Store};

use super::*;
use crate::office::{Draft, Operation, Verb};

const SECRET: &[u8] =
    br#"{"kind":"Secret","metadata":{"name":"db"},"spec":{"data":{"user":"ann","password":"horse"}}}"#;

fn db() -> Name {
    "db".parse().expect("a name")
}

fn store() -> Store {
    Store::open(MemoryEngine::default(), Options::default()).expect("opens").0
}

async fn create(office: &Office) -> Result<(), Rejection> {
    let draft = Draft::parse(SECRET).expect("a secret");
    office.run(Operation::put(Verb::Create, draft)).await.expect("runs").map(drop)
}

#[tokio::test]
async fn a_plug_in_gets_a_value_through_every_change_of_keys() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let path = directory.path().join("keys");
    let ring = || Keyring::load_or_create(&path).expect("keys");
    let (store, first) = (store(), ring().sealing_key());
    let office = Office::new(store.clone()).with_keyring(ring());
    create(&office).await.expect("is accepted");
    let value = |office: &Office| office.open_secret(&db(), "password").map(|text| text.expose().to_owned());
    assert_eq!(value(&office), Ok("horse".into()));
    let pin = office.open_secret(&db(), "pin");
    assert_eq!(pin, Err(SecretError::NoSuchKey(db(), "pin".into())));
    // A crash after the new key, and before the sealing: all opens still, and the next attempt does the rest.
    let office = Office::new(store.clone()).with_keyring(ring().rotate(&path).expect("rotates"));
    assert_eq!(value(&office), Ok("horse".into()));
    assert_eq!(office.reseal_secrets().await, Ok(1));
    assert_eq!(office.reseal_secrets().await, Ok(0));
    // Nothing needs the old key any more.
    let office = Office::new(store).with_keyring(ring().retire(&path, first).expect("retires"));
    assert_eq!(value(&office), Ok("horse".into()));
}

#[tokio::test]
async fn without_the_key_there_is_no_secret() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let ring = |name| Keyring::load_or_create(&directory.path().join(name)).expect("keys");
    let keyless = Office::new(store());
    assert_eq!(create(&keyless).await.expect_err("no keys").kind, crate::RejectionKind::Conflict);
    let store = store();
    create(&Office::new(store.clone()).with_keyring(ring("one"))).await.expect("is accepted");
    let other = Office::new(store).with_keyring(ring("two"));
    assert!(matches!(other.open_secret(&db(), "user"), Err(SecretError::Open(OpenError::UnknownKey(_)))));
    assert!(matches!(other.reseal_secrets().await, Err(RotationError::Secret { .. })));
    // Sent anew as a whole, it is sealed with the key that there is.
    let draft = Draft::parse(SECRET).expect("a secret");
    other.run(Operation::put(Verb::Apply, draft)).await.expect("runs").expect("is accepted");
    assert_eq!(other.open_secret(&db(), "user").expect("opens").expose(), "ann");
}
