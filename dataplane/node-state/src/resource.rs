//! One piece of a node's desired state, as it travels and is stored.

use std::{fmt, str::FromStr};

use net_types::{IfName, Mac};
use serde::{Deserialize, Serialize};

use crate::{BlockList, Garden, Link, NatExempt, NatLog, Port, Route, Route6, Session, Station, Voice};

/// One piece of a node's desired state.
#[expect(clippy::large_enum_variant, reason = "nearly all of a node's resources are sessions, the largest")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Resource {
    Port(Port),
    Link(Link),
    Station(Station),
    Route(Route),
    Route6(Route6),
    NatLog(NatLog),
    Session(Session),
    Garden(Garden),
    Voice(Voice),
    NatExempt(NatExempt),
    BlockList(BlockList),
}

/// What a resource is called on its node: `session/alice`, `route/0.0.0.0/0`, `route6/::/0`, `port/access0`,
/// `station/wc-vx7/02:00:00:00:00:05`, `garden/node`, `voice/node`, `natExempt/node`, `natLog/ipfix`, `blockList/games.0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ResourceKey(String);

/// A hash of a resource's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

#[derive(Debug, thiserror::Error)]
#[error("resource cannot be decoded: {0}")]
pub struct DecodeError(#[from] serde_json::Error);

impl Resource {
    /// The key of the one garden that a node has.
    pub const GARDEN_KEY: &str = "garden/node";
    /// The key of the one list of voice platforms that a node has.
    pub const VOICE_KEY: &str = "voice/node";
    /// The key of the one list of destinations exempt from NAT that a node has.
    pub const NAT_EXEMPT_KEY: &str = "natExempt/node";

    pub fn key(&self) -> ResourceKey {
        ResourceKey(match self {
            Self::Port(port) => format!("port/{}", port.name),
            Self::Link(link) => format!("link/{}", link.name),
            Self::Station(station) => return ResourceKey::station(&station.link, station.mac),
            Self::Route(route) => format!("route/{}", route.prefix),
            Self::Route6(route) => format!("route6/{}", route.prefix),
            Self::NatLog(_) => return ResourceKey::nat_log(),
            Self::Session(session) => format!("session/{}", session.subscriber),
            Self::Garden(_) => Self::GARDEN_KEY.into(),
            Self::Voice(_) => Self::VOICE_KEY.into(),
            Self::NatExempt(_) => Self::NAT_EXEMPT_KEY.into(),
            Self::BlockList(list) => return ResourceKey::block_list(&list.name, list.part),
        })
    }

    /// The wire form: JSON whose fields are in the order of their declaration, so that equal values are equal bytes.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("resources hold nothing that JSON cannot")
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(serde_json::from_slice(bytes)?)
    }

    pub fn version(&self) -> Version {
        Version::of(&self.encode())
    }
}

impl Version {
    /// The version of an encoded resource.
    pub fn of(encoded: &[u8]) -> Self {
        Self(xxhash_rust::xxh3::xxh3_64(encoded))
    }
}

impl ResourceKey {
    pub const SESSION_PREFIX: &str = "session/";

    pub fn session(subscriber: &net_types::Name) -> Self {
        Self([Self::SESSION_PREFIX, subscriber.as_str()].concat())
    }

    pub fn block_list(name: &net_types::Name, part: u16) -> Self {
        Self(format!("blockList/{name}.{part}"))
    }

    /// What the key of a list says after its kind: the list's name, and which part it is.
    pub fn parse_block_list(rest: &str) -> Option<(net_types::Name, u16)> {
        let (name, part) = rest.split_once('.')?;
        Some((name.parse().ok()?, part.parse().ok()?))
    }

    pub fn station(link: &IfName, mac: Mac) -> Self {
        Self(format!("station/{link}/{mac}"))
    }

    /// What the key of a station says after its kind.
    pub fn parse_station(rest: &str) -> Option<(IfName, Mac)> {
        let (link, mac) = rest.split_once('/')?;
        Some((link.parse().ok()?, mac.parse().ok()?))
    }

    pub fn nat_log() -> Self {
        Self("natLog/ipfix".into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The subscriber whose session this is, if it is a session.
    pub fn subscriber(&self) -> Option<net_types::Name> {
        net_types::Name::from_str(self.0.strip_prefix(Self::SESSION_PREFIX)?).ok()
    }
}

impl From<String> for ResourceKey {
    fn from(key: String) -> Self {
        Self(key)
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
