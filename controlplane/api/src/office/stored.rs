//! Objects as bytes in the store.

use bytes::Bytes;
use intent_store::{Record, Store, Table};
use net_types::Name;
use xos_model::{Kind, KindName, Object, SecretSpec};

use super::Rejection;

/// The key of an object: its kind's plural and its name.
pub fn object_key(kind: KindName, name: &Name) -> String {
    format!("{}/{name}", kind.plural())
}

/// An object as it is, with its revision; `None` if there is none that can be read.
pub fn read_object<K: Kind>(store: &Store, name: &Name) -> Option<Object<K>> {
    let key = object_key(K::KIND, name);
    let record = store.get(Table::Objects, &key)?;
    decode(&key, &record).inspect_err(|rejection| tracing::error!(%rejection)).ok()
}

pub(crate) fn decode<K: Kind>(key: &str, record: &Record) -> Result<Object<K>, Rejection> {
    let mut object: Object<K> =
        serde_json::from_slice(&record.value).map_err(|error| Rejection::damaged(key, &error))?;
    object.metadata.resource_version = Some(record.revision);
    Ok(object)
}

/// The stored form: without the revision, which is the store's to say.
pub(crate) fn encode<K: Kind>(object: &mut Object<K>) -> Vec<u8> {
    object.metadata.resource_version = None;
    serde_json::to_vec(object).expect("objects hold nothing that JSON cannot")
}

/// The served form: the stored one with its revision.
pub(crate) fn with_version(kind: KindName, record: &Record) -> Bytes {
    if kind == KindName::Secret {
        return served_secret(record);
    }
    // The stored form begins with these fields, in the order of their declaration.
    let head = format!(r#"{{"kind":"{kind}","metadata":{{"#);
    let Some(rest) = record.value.strip_prefix(head.as_bytes()) else {
        tracing::error!(revision = record.revision, %kind, "a stored object has an unknown form");
        return Bytes::copy_from_slice(&record.value);
    };
    let head = format!(r#"{head}"resourceVersion":{},"#, record.revision);
    Bytes::from([head.as_bytes(), rest].concat())
}

/// A secret with the names of its values only. One that cannot be read is not served at all.
fn served_secret(record: &Record) -> Bytes {
    let stored = decode::<SecretSpec>("secrets/", record).map(|mut object| {
        object.spec = object.spec.served();
        serde_json::to_vec(&object).expect("objects hold nothing that JSON cannot")
    });
    stored.map_or_else(
        |rejection| {
            tracing::error!(revision = record.revision, %rejection, "a stored secret has an unknown form");
            Bytes::from_static(br#"{"kind":"Secret"}"#)
        },
        Bytes::from,
    )
}
