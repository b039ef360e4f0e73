//! What is said and answered, as JSON.

use std::collections::BTreeMap;

use net_types::Name;
use serde::{Deserialize, Serialize};
use synchronizer::{Edge, Handle, Key, Kind, Made, Observed};
use xos_model::{ATTACHED, AnyObject, KindName, Object};
use xxhash_rust::xxh3::xxh3_64;

use super::COLLECTIONS;

/// Of a handle, in bytes; of a digest, too.
const TEXT_MAX: usize = 255;

/// An object, without what only the office needs to know of it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a, S> {
    kind: KindName,
    metadata: Metadata<'a>,
    spec: &'a S,
    #[serde(flatten)]
    beside: Option<Beside<'a>>,
}

/// What follows for an instance from what others say.
#[derive(Serialize)]
struct Beside<'a> {
    /// The names of the Networks that it is attached to.
    networks: Vec<&'a Name>,
    status: Placed<'a>,
}

#[derive(Serialize)]
struct Placed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a Name>,
}

#[derive(Serialize)]
struct Metadata<'a> {
    name: &'a Name,
    uid: &'a str,
    generation: u64,
    labels: &'a BTreeMap<String, String>,
}

/// The instances of a tenant.
#[derive(Serialize)]
pub(super) struct Instances<'a> {
    pub(super) service: &'a Name,
    pub(super) tenant: &'a Name,
    #[serde(rename = "instances")]
    pub(super) all: Vec<&'a Name>,
    pub(super) added: Vec<&'a Name>,
    pub(super) removed: Vec<&'a Name>,
}

/// None for kinds that a service is not told of.
pub(super) fn told(object: &AnyObject, edges: &[Edge]) -> Option<Vec<u8>> {
    fn told<K: xos_model::Kind + Serialize>(object: &Object<K>, beside: Option<Beside<'_>>) -> Vec<u8> {
        let metadata = Metadata {
            name: object.name(),
            uid: object.metadata.uid.as_deref().unwrap_or_default(),
            generation: object.metadata.generation.unwrap_or(0),
            labels: &object.metadata.labels,
        };
        let told = Told { kind: K::KIND, metadata, spec: &object.spec, beside };
        serde_json::to_vec(&told).expect("it was JSON before")
    }
    match object {
        AnyObject::Service(service) => Some(told(service, None)),
        AnyObject::Tenant(tenant) => Some(told(tenant, None)),
        AnyObject::Network(network) => Some(told(network, None)),
        AnyObject::Instance(instance) => {
            let attached = edges.iter().filter(|edge| edge.relation == ATTACHED);
            let networks = attached.map(|edge| &edge.to.name).collect();
            let status = Placed { node: instance.status.node.as_ref() };
            Some(told(instance, Some(Beside { networks, status })))
        }
        _ => None,
    }
}

/// What a service says of what it has made. Others members are its own.
#[derive(Default, Deserialize)]
struct Answer {
    handle: Option<String>,
    digest: Option<String>,
}

/// A problem (RFC 9457), as far as it is of use.
#[derive(Default, Deserialize)]
pub(super) struct Problem {
    pub(super) title: Option<String>,
    pub(super) detail: Option<String>,
}

#[derive(Deserialize)]
struct ObservedList {
    items: Vec<Thing>,
}

#[derive(Deserialize)]
struct Thing {
    kind: String,
    name: Name,
    uid: String,
    handle: Option<String>,
    digest: Option<String>,
    #[serde(default)]
    adopted: bool,
}

/// Reads the answer to a PUT, or to a look at what is to be adopted.
pub(super) fn made(body: &[u8]) -> Result<Made, String> {
    let answer: Answer = match body.trim_ascii() {
        [] => Answer::default(),
        body => {
            serde_json::from_slice(body).map_err(|error| format!("the answer is not as agreed: {error}"))?
        }
    };
    let (handle, digest) = (handle(answer.handle)?, digest(answer.digest)?);
    Ok(Made { handle, digest, owned: true })
}

fn handle(text: Option<String>) -> Result<Option<Handle>, String> {
    let legal = |text: &String| {
        (1..=TEXT_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match text {
        Some(text) if !legal(&text) => {
            Err(format!("the answer's \"handle\" is not of 1 to {TEXT_MAX} visible characters of ASCII"))
        }
        text => Ok(text.map(Handle)),
    }
}

fn digest(text: Option<String>) -> Result<Option<u64>, String> {
    match text {
        Some(text) if text.len() > TEXT_MAX => {
            Err(format!("the answer's \"digest\" has more than {TEXT_MAX} bytes"))
        }
        text => Ok(text.map(|text| xxh3_64(text.as_bytes()))),
    }
}

/// Reads what a service says that it has.
pub(super) fn observed(body: &[u8]) -> Result<Vec<Observed>, String> {
    let list: ObservedList = serde_json::from_slice(body)
        .map_err(|error| format!("what is observed is not as agreed: {error}"))?;
    list.items.into_iter().map(thing).collect()
}

fn thing(thing: Thing) -> Result<Observed, String> {
    let Thing { kind, name, uid, handle: text, digest: of, adopted } = thing;
    let known = |(known, _): &(Kind, &str)| known.as_str() == kind;
    let Some((kind, _)) = COLLECTIONS.into_iter().find(known) else {
        let known = COLLECTIONS.map(|(kind, _)| format!("{:?}", kind.as_str())).join(", ");
        return Err(format!("{name} is observed as a {kind:?}: there are {known}"));
    };
    let (handle, digest) = (handle(text)?, digest(of)?);
    Ok(Observed { key: Key::new(kind, name), uid: uid.into(), handle, digest, owned: !adopted })
}
