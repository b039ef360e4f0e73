//! What the node keeps on its disk: what it should look like, who it is, and which leases its subscribers hold.
//!
//! Every write is one synced transaction, and comes before the effect: after a crash at any point, the disk says at
//! least what the kernel was told.

mod devices;
mod nat_log;

use std::{
    collections::HashMap,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use access_protocols::{
    dhcp4::{self, Binding, BindingChange},
    dhcp6::{self, Duid},
};
use agent_link::{Chunk, Identity};
use net_types::{Generation, Mac, Name};
use node_state::{NodeState, Resource, ResourceKey, Version};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

use crate::nat_log::Told;

/// Key to version and wire form.
const RESOURCES: TableDefinition<&str, (u64, &[u8])> = TableDefinition::new("resources");
/// Subscriber to MAC address and the lease's end (seconds since 1970).
const BINDINGS: TableDefinition<&str, ([u8; 6], u64)> = TableDefinition::new("bindings");
/// Subscriber and `ADDRESS` or `PREFIX` to the client's DUID, its number for the lease, its MAC address and the lease's end.
type Binding6Row<'a> = (&'a [u8], u32, [u8; 6], u64);
const BINDINGS6: TableDefinition<(&str, u8), Binding6Row<'static>> = TableDefinition::new("bindings6");
const ADDRESS: u8 = 0;
const PREFIX: u8 = 1;
const GENERATION: TableDefinition<(), u64> = TableDefinition::new("generation");
/// The office's certificate, ours, our key, the digest of the token.
type IdentityRow<'a> = (&'a [u8], &'a [u8], &'a [u8], [u8; 32]);
const IDENTITY: TableDefinition<(), IdentityRow<'static>> = TableDefinition::new("identity");

/// All of it is read once, at the start, and written in small pieces: it need not be cached.
const CACHE_BYTES: usize = 16 << 20;

pub(crate) struct Store {
    database: Database,
}

/// What was on the disk.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) generation: Generation,
    pub(crate) desired: NodeState,
    pub(crate) versions: HashMap<ResourceKey, Version>,
    pub(crate) leases: Leases,
    /// What the NAT log has told.
    pub(crate) told: Told,
}

/// Which leases subscribers hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Leases {
    pub(crate) v4: HashMap<Name, Binding>,
    pub(crate) v6: HashMap<Name, dhcp6::Bindings>,
    /// Of IPv4, of homes with several devices.
    pub(crate) devices: HashMap<Name, dhcp4::devices::Leases>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the state directory {path} cannot be used: {source}")]
    Directory { path: PathBuf, source: std::io::Error },
    #[error("the state in {path} cannot be opened (does another agent use it?): {source}")]
    Open { path: PathBuf, source: redb::DatabaseError },
    #[error("the state on disk: {0}")]
    Database(#[from] redb::Error),
}

impl Store {
    pub(crate) const FILE: &str = "state.redb";

    /// Opens what is kept in `dir`, or begins with nothing; only root can read it.
    pub(crate) fn open(dir: &Path) -> Result<(Self, Kept), StoreError> {
        let directory = |source| StoreError::Directory { path: dir.into(), source };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(directory)?;
        let path = dir.join(Self::FILE);
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create(&path)
            .map_err(|source| StoreError::Open { path: path.clone(), source })?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(directory)?;
        let store = Self { database };
        store.make_tables()?;
        let kept = store.load()?;
        Ok((store, kept))
    }

    fn make_tables(&self) -> Result<(), redb::Error> {
        let transaction = self.database.begin_write()?;
        transaction.open_table(RESOURCES)?;
        transaction.open_table(BINDINGS)?;
        transaction.open_table(BINDINGS6)?;
        transaction.open_table(GENERATION)?;
        transaction.open_table(IDENTITY)?;
        devices::make_tables(&transaction)?;
        nat_log::make_tables(&transaction)?;
        Ok(transaction.commit()?)
    }

    fn load(&self) -> Result<Kept, redb::Error> {
        let transaction = self.database.begin_read()?;
        let mut kept = Kept { told: nat_log::load(&self.database)?, ..Kept::default() };
        let generation = transaction.open_table(GENERATION)?.get(())?;
        kept.generation = Generation(generation.map_or(0, |generation| generation.value()));
        for entry in transaction.open_table(RESOURCES)?.iter()? {
            let (key, content) = entry?;
            let (version, body) = content.value();
            match Resource::decode(body) {
                Ok(resource) => {
                    kept.versions.insert(resource.key(), Version(version));
                    kept.desired.insert(resource);
                }
                // An agent of another version wrote it. The controller sends it again, as it is not in the inventory.
                Err(error) => tracing::error!(key = key.value(), %error, "a resource on disk is left out"),
            }
        }
        for entry in transaction.open_table(BINDINGS)?.iter()? {
            let (name, binding) = entry?;
            let (octets, expires_s) = binding.value();
            if let (Ok(name), Ok(mac)) = (name.value().parse(), Mac::new(octets)) {
                kept.leases.v4.insert(name, Binding { mac, expires_s });
            }
        }
        for entry in transaction.open_table(BINDINGS6)?.iter()? {
            let (key, row) = entry?;
            let ((name, which), (duid, iaid, octets, expires_s)) = (key.value(), row.value());
            let (Ok(name), Ok(client), Ok(mac)) = (name.parse::<Name>(), Duid::new(duid), Mac::new(octets))
            else {
                continue;
            };
            let binding = Some(dhcp6::Binding { client, iaid, mac, expires_s });
            let bindings = kept.leases.v6.entry(name).or_default();
            if which == ADDRESS { bindings.address = binding } else { bindings.prefix = binding }
        }
        kept.leases.devices = devices::load(&transaction)?;
        Ok(kept)
    }

    /// Keeps what a chunk brings. A subscriber's binding goes with the session.
    pub(crate) fn keep(&self, chunk: &Chunk) -> Result<(), StoreError> {
        let keep = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut resources = transaction.open_table(RESOURCES)?;
                let mut bindings = transaction.open_table(BINDINGS)?;
                let mut bindings6 = transaction.open_table(BINDINGS6)?;
                for received in &chunk.upserts {
                    resources.insert(received.key.as_str(), (received.version.0, &received.body[..]))?;
                }
                for key in &chunk.removes {
                    resources.remove(key.as_str())?;
                    if let Some(subscriber) = key.subscriber() {
                        bindings.remove(subscriber.as_str())?;
                        bindings6.remove((subscriber.as_str(), ADDRESS))?;
                        bindings6.remove((subscriber.as_str(), PREFIX))?;
                    }
                }
                let removed: Vec<Name> = chunk.removes.iter().filter_map(ResourceKey::subscriber).collect();
                devices::forget(&transaction, &removed)?;
                transaction.open_table(GENERATION)?.insert((), chunk.generation.0)?;
            }
            Ok(transaction.commit()?)
        };
        Ok(keep()?)
    }

    /// Keeps what leases have become: of IPv4 what changes, of IPv6 and of homes with several devices what is.
    pub(crate) fn keep_bindings(
        &self,
        changes: &[(Name, BindingChange)],
        of_ipv6: &[(Name, dhcp6::Bindings)],
        of_devices: &[(Name, dhcp4::devices::Leases)],
    ) -> Result<(), StoreError> {
        let keep = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            {
                let mut bindings = transaction.open_table(BINDINGS)?;
                for (name, change) in changes {
                    match change {
                        BindingChange::Keep => {}
                        BindingChange::Set(binding) => {
                            bindings.insert(name.as_str(), (binding.mac.octets(), binding.expires_s))?;
                        }
                        BindingChange::Clear => drop(bindings.remove(name.as_str())?),
                    }
                }
                let mut bindings6 = transaction.open_table(BINDINGS6)?;
                for (name, leases) in of_ipv6 {
                    for (which, binding) in [(ADDRESS, &leases.address), (PREFIX, &leases.prefix)] {
                        let key = (name.as_str(), which);
                        match binding {
                            Some(dhcp6::Binding { client, iaid, mac, expires_s }) => {
                                let row = (client.as_bytes(), *iaid, mac.octets(), *expires_s);
                                drop(bindings6.insert(key, row)?);
                            }
                            None => drop(bindings6.remove(key)?),
                        }
                    }
                }
                devices::keep(&transaction, of_devices)?;
            }
            Ok(transaction.commit()?)
        };
        Ok(keep()?)
    }

    pub(crate) fn identity(&self) -> Result<Option<Identity>, StoreError> {
        let read = || -> Result<Option<Identity>, redb::Error> {
            let transaction = self.database.begin_read()?;
            let identity = transaction.open_table(IDENTITY)?.get(())?;
            Ok(identity.map(|identity| {
                let (office, certificate, key, token_digest) = identity.value();
                Identity {
                    office: office.into(),
                    certificate: certificate.into(),
                    key: key.into(),
                    token_digest,
                }
            }))
        };
        Ok(read()?)
    }

    /// `new_office`: generations begin anew.
    pub(crate) fn keep_identity(&self, identity: &Identity, new_office: bool) -> Result<(), StoreError> {
        let keep = || -> Result<(), redb::Error> {
            let transaction = self.database.begin_write()?;
            let Identity { office, certificate, key, token_digest } = identity;
            transaction
                .open_table(IDENTITY)?
                .insert((), (&office[..], &certificate[..], &key[..], *token_digest))?;
            if new_office {
                transaction.open_table(GENERATION)?.insert((), 0)?;
            }
            Ok(transaction.commit()?)
        };
        Ok(keep()?)
    }
}

#[cfg(test)]
mod tests;
