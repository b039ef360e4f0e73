//! What operators ask for at random. Each object names others, which need not be there.

use net_types::Name;
use proptest::prelude::*;
use serde_json::{Value, json};
use xos_model::KindName;

use crate::office::{Draft, Operation, Preconditions, Target, Verb};

/// Of each kind there are so many names.
const NAMES: u8 = 3;

/// The kinds that there are, each after those that it names.
pub(super) const KINDS: [KindName; 7] = [
    KindName::Site,
    KindName::Controller,
    KindName::Service,
    KindName::Slice,
    KindName::Network,
    KindName::Instance,
    KindName::Tenant,
];

#[derive(Clone, Debug)]
pub(super) enum Change {
    Put(Value),
    Delete(KindName, Name),
}

fn named(i: u8) -> String {
    format!("o{i}")
}

/// An object that names two others, if its kind does, and says something that makes it another.
fn object(kind: KindName, [name, one, two]: [u8; 3], text: u8) -> Value {
    // A service is no tenant of itself.
    let two = if kind == KindName::Tenant && two == one { (two + 1) % NAMES } else { two };
    let (one, two) = (named(one), named(two));
    let spec = match kind {
        KindName::Site => json!({"description": format!("{text}")}),
        KindName::Controller => json!({"plugin": "sample", "timeoutSeconds": text + 1}),
        KindName::Service => json!({"serviceType": "cache", "version": format!("{text}"), "controller": one,
            "accepts": {"tenants": ["Service"], "connect": ["shared"]}}),
        KindName::Slice => json!({"site": one, "service": two, "description": format!("{text}")}),
        KindName::Network => {
            json!({"slice": one, "permittedSlices": [two], "maximumBandwidth": format!("{}M", text + 1)})
        }
        KindName::Instance => json!({"slice": one, "userData": format!("{text}"),
            "resources": {"cores": 1, "memoryMib": 512, "diskGib": 1}}),
        KindName::Tenant => json!({"tenant": {"kind": "Service", "name": one}, "provider": two,
            "connect": "shared", "attributes": {"text": text}}),
        other => unreachable!("{other} is none of these kinds"),
    };
    json!({"kind": kind, "metadata": {"name": named(name)}, "spec": spec})
}

/// All that others stand on, which they would else be refused without.
pub(super) fn foundation() -> Vec<Change> {
    let kinds = KINDS[..4].iter();
    kinds.flat_map(|kind| (0..NAMES).map(|i| Change::Put(object(*kind, [i; 3], 0)))).collect()
}

pub(super) fn change() -> impl Strategy<Value = Change> {
    let n = || 0..NAMES;
    let kind = || prop::sample::select(KINDS.to_vec());
    let put = (kind(), [n(), n(), n()], n());
    prop_oneof![
        3 => put.prop_map(|(kind, names, text)| Change::Put(object(kind, names, text))),
        1 => (kind(), n()).prop_map(|(kind, name)| Change::Delete(kind, named(name).parse().expect("a name"))),
    ]
}

impl Change {
    pub(super) fn operation(self) -> Operation {
        match self {
            Self::Put(object) => {
                let draft = Draft::parse(object.to_string().as_bytes()).expect("a valid object");
                Operation::put(Verb::Apply, draft)
            }
            Self::Delete(kind, name) => {
                let target = Target { kind, name };
                Operation::Delete { target, preconditions: Preconditions::default() }
            }
        }
    }
}
