//! What the agent's end asks of the agent, and tells it.

use std::{collections::BTreeMap, future::Future};

use bytes::Bytes;
use net_types::Generation;
use node_state::{Resource, ResourceKey, Version};

use crate::{JoinToken, Outcome};

/// The agent, as far as its end of the link needs it.
pub trait Node: Send + Sync + 'static {
    /// The token to join with, or why there is none, in words. Asked whenever there is no identity, and to find out
    /// whether the node was given a token since it joined, which means that it is to join anew.
    fn join_token(&self) -> Result<JoinToken, String>;

    fn identity(&self) -> Option<Identity>;

    /// Keeps an identity durably. `new_office`: it is of another office than before, whose generations mean nothing
    /// here: the node's generation starts from 0, so that it takes what the new one says. Its resources stay until then.
    fn keep_identity(
        &self,
        identity: Identity,
        new_office: bool,
    ) -> impl Future<Output = Result<(), String>> + Send;

    /// What the node holds.
    fn holdings(&self) -> impl Future<Output = Holdings> + Send;

    /// Keeps a chunk durably, then puts it into effect; returns what became of each resource of it. An error means that
    /// it could not be kept: the stream ends and is tried again later. It is not cancelled once begun, save when the
    /// future of [`crate::Link::run`] is dropped.
    fn apply(&self, chunk: Chunk) -> impl Future<Output = Result<Vec<Outcome>, String>> + Send;

    /// Waits until the outcome of some resources has changed by itself, and returns those. Must be safe to cancel.
    fn news(&self) -> impl Future<Output = Vec<Outcome>> + Send;

    /// What the node counts, by name, as it is now; nothing: it counts nothing, or does not know yet. Asked now and then by a
    /// controller that takes counters.
    fn counters(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }

    /// For people to look at.
    fn state(&self, state: LinkState);
}

/// What a node proves itself with.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The office's certificate, DER.
    pub office: Vec<u8>,
    /// Ours, DER.
    pub certificate: Vec<u8>,
    /// Our private key, PKCS #8 DER.
    pub key: Vec<u8>,
    /// SHA-256 of the token that it was obtained with.
    pub token_digest: [u8; 32],
}

/// Without the key, which must not end in a log.
impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

/// What a node holds, on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    pub generation: Generation,
    pub resources: Vec<Outcome>,
}

/// A piece of what the node should look like. Each resource has been checked against its key and version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The node's generation when this is in effect: only the last chunk of a generation moves it.
    pub generation: Generation,
    pub upserts: Vec<Received>,
    pub removes: Vec<ResourceKey>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub key: ResourceKey,
    pub version: Version,
    /// The wire form of `resource`.
    pub body: Bytes,
    pub resource: Resource,
}

/// How the link does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkState {
    Connecting,
    /// The controller has accepted us, and is at this generation or on its way there.
    Connected,
    /// It did not work; the next try is due in a while.
    Waiting {
        error: String,
    },
}
