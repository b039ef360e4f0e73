//! Secrets: sealed when they are admitted, opened for plug-ins only.
//!
//! `data` is the whole secret; `keys` are the stored values that stay; both together replace some and keep others. What
//! comes to the same as what is stored changes nothing: to whoever may write a secret, that says if a guess is right.

use credentials::{Keyring, OpenError, Place};
use intent_store::{Record, Table, Transaction};
use net_types::Name;
use xos_model::{Kind as _, KindName, Metadata, Object, SecretData, SecretSpec, SecretText};

use super::{
    Admission, Office, Rejection, admission::Managed, object_key, read_object, stored::decode, stored::encode,
};

/// Why a secret does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    #[error("there is no Secret {0} that can be read")]
    NoSuchSecret(Name),
    #[error("Secret {0} has no key {1:?}")]
    NoSuchKey(Name, String),
    #[error("this controller has no keys to open secrets with")]
    NoKeyring,
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("what was sealed is no secret")]
    Damaged,
}

/// Why the secrets were not sealed anew. None of them was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotationError {
    #[error("Secret {name}: {error}")]
    Secret { name: String, error: String },
    #[error(transparent)]
    Stopped(#[from] intent_store::Stopped),
}

impl Managed for SecretSpec {
    fn admit(
        admission: &mut Admission<'_, '_>,
        old: Option<&Object<Self>>,
        new: &mut Object<Self>,
    ) -> Result<(), Rejection> {
        if old.is_none() {
            new.spec = stored(admission.keyring()?, &new.metadata, None, new.spec.clone())?;
        }
        Ok(())
    }

    fn resolve(admission: &Admission<'_, '_>, old: &Object<Self>, sent: Self) -> Result<Self, Rejection> {
        stored(admission.keyring()?, &old.metadata, Some(&old.spec), sent)
    }
}

/// What is stored in the end; what was, if that is the same.
fn stored(
    keyring: &Keyring,
    metadata: &Metadata,
    old: Option<&SecretSpec>,
    sent: SecretSpec,
) -> Result<SecretSpec, Rejection> {
    let had = |error| Rejection::unopened(&metadata.name, &error);
    let was = old.map(|spec| open(keyring, metadata, spec)).transpose();
    // One that no longer opens can be sent anew as a whole, and not in part.
    let was = if matches!(sent, SecretSpec::Plain(_)) { was.ok().flatten() } else { was.map_err(had)? };
    let (data, kept) = match sent {
        SecretSpec::Plain(data) => (data, None),
        SecretSpec::Change { data, keys } => (data, Some(keys)),
        SecretSpec::Keys(keys) => (SecretData::default(), Some(keys)),
        SecretSpec::Sealed { .. } => {
            let detail = "a secret is sealed by the controller alone: send its data";
            return Err(Rejection::fault("/spec/sealed", detail));
        }
    };
    let nothing = SecretData::default();
    let data =
        data.with_kept(was.as_ref().unwrap_or(&nothing), &kept.unwrap_or_default()).map_err(|key| {
            Rejection::fault("/spec/keys", format!("there is no value of {key} to be kept: send it in data"))
        })?;
    if let (Some(was), Some(old)) = (&was, old)
        && *was == data
    {
        return Ok(old.clone());
    }
    let whole = SecretSpec::Plain(data);
    // What was sent and what is kept may be too much together.
    let faults = whole.validate();
    if !faults.is_empty() {
        return Err(Rejection::invalid(faults));
    }
    whole
        .seal(|plain| keyring.seal(place(metadata), plain))
        .map_err(|error| Rejection::fault("/spec/data", error))
}

/// A secret is sealed as a whole, for its very object.
fn place(metadata: &Metadata) -> Place<'_> {
    let uid = metadata.uid.as_deref().unwrap_or_default();
    Place { kind: "Secret", name: metadata.name.as_str(), uid, key: "data" }
}

fn open(keyring: &Keyring, metadata: &Metadata, spec: &SecretSpec) -> Result<SecretData, SecretError> {
    let SecretSpec::Sealed { sealed, .. } = spec else { return Err(SecretError::Damaged) };
    let plain = keyring.open(place(metadata), sealed.as_bytes())?;
    SecretData::decode(&plain).ok_or(SecretError::Damaged)
}

/// Whether a stored secret opens with these keys.
pub(crate) fn check(keyring: &Keyring, key: &str, value: &[u8]) -> Result<(), Rejection> {
    let object: Object<SecretSpec> = decode(key, &Record { revision: 0, value: value.into() })?;
    let opened = open(keyring, &object.metadata, &object.spec);
    opened.map(drop).map_err(|error| Rejection::unopened(object.name(), &error))
}

impl Office {
    /// A value of a secret, for a plug-in that needs it. Over the API there is no way to one.
    pub fn open_secret(&self, name: &Name, key: &str) -> Result<SecretText, SecretError> {
        let keyring = self.keyring.as_deref().ok_or(SecretError::NoKeyring)?;
        let object: Object<SecretSpec> =
            read_object(&self.store, name).ok_or_else(|| SecretError::NoSuchSecret(name.clone()))?;
        let data = open(keyring, &object.metadata, &object.spec)?;
        let value = data.get(key).and_then(SecretText::new);
        value.ok_or_else(|| SecretError::NoSuchKey(name.clone(), key.into()))
    }

    /// Seals all secrets with the keyring's sealing key, in one transaction; tells how many had another.
    pub async fn reseal_secrets(&self) -> Result<usize, RotationError> {
        let Some(keyring) = self.keyring.clone() else { return Ok(0) };
        self.store.transact(move |txn| reseal(txn, &keyring)).await?
    }
}

fn reseal(txn: &mut Transaction<'_>, keyring: &Keyring) -> Result<usize, RotationError> {
    let prefix = format!("{}/", KindName::Secret.plural());
    let all: Vec<_> = txn.prefixed(Table::Objects, &prefix).collect();
    let mut resealed = 0;
    for (key, record) in all {
        let failed = |error: &dyn std::fmt::Display| RotationError::Secret {
            name: key.to_string(),
            error: error.to_string(),
        };
        let mut object: Object<SecretSpec> = decode(&key, &record).map_err(|error| failed(&error))?;
        let SecretSpec::Sealed { sealed, .. } = &mut object.spec else {
            return Err(failed(&SecretError::Damaged));
        };
        match keyring.reseal(place(&object.metadata), sealed.as_bytes()) {
            Ok(None) => continue,
            Ok(Some(anew)) => *sealed = anew.into(),
            Err(error) => return Err(failed(&error)),
        }
        let key = object_key(KindName::Secret, object.name());
        txn.put(Table::Objects, key, encode(&mut object));
        resealed += 1;
    }
    Ok(resealed)
}

#[cfg(test)]
mod tests;
