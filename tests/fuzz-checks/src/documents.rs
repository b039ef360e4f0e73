//! What comes in as text: names and numbers of the network, resources, objects, manifests.

use std::{fmt::Display, str::FromStr};

use net_types::{BitRate, IfName, InterfaceAddress4, Mac, Name, Prefix4, Prefix6, Tpid, Vid};
use node_state::Resource;
use serde_json::Value;
use xos_model::{Draft, Kind, KindName, Object, for_each_kind};

/// What is parsed prints as text that means the same.
pub fn fuzz_net_types(bytes: &[u8]) {
    if let &[high, low] = bytes {
        let raw = u16::from_be_bytes([high, low]);
        let vid = Vid::try_from(raw);
        assert_eq!(vid.map(Vid::get).ok(), Some(raw).filter(|raw| (1..=4094).contains(raw)));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    prints_as_itself::<BitRate>(text);
    prints_as_itself::<IfName>(text);
    prints_as_itself::<InterfaceAddress4>(text);
    prints_as_itself::<Mac>(text);
    prints_as_itself::<Name>(text);
    prints_as_itself::<Prefix4>(text);
    prints_as_itself::<Prefix6>(text);
    prints_as_itself::<Tpid>(text);
    if let Ok(prefix) = text.parse::<Prefix4>() {
        assert!(prefix.contains(prefix.network()));
        assert_eq!(prefix.nth(prefix.size()), None);
        let last = prefix.nth(prefix.size() - 1).expect("a prefix has a last address");
        assert_eq!(prefix.offset_of(last), Some(prefix.size() - 1));
    }
    if let Ok(prefix) = text.parse::<Prefix6>() {
        assert!(prefix.contains(prefix.network()));
        let len = prefix.len().midpoint(128);
        let last = (1_u128 << (len - prefix.len())) - 1;
        let subnet = prefix.nth_subnet(len, last).expect("a prefix has a last subnet");
        assert_eq!((subnet.len(), prefix.index_of_subnet(subnet)), (len, Some(last)));
        assert_eq!(prefix.nth_subnet(len, last + 1), None);
    }
}

fn prints_as_itself<T: FromStr + Display + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let printed = value.to_string();
        assert!(printed.parse::<T>().is_ok_and(|again| again == value), "{text:?} prints as {printed:?}");
    }
}

/// A resource that decodes is a fixed point of encoding, and so is its version.
pub fn fuzz_node_state(bytes: &[u8]) {
    let Ok(resource) = Resource::decode(bytes) else { return };
    let encoded = resource.encode();
    let again = Resource::decode(&encoded).expect("what was encoded decodes");
    assert_eq!(again, resource);
    assert_eq!(again.encode(), encoded);
    assert_eq!(again.version(), resource.version());
    assert_eq!(again.key(), resource.key());
}

/// Objects: parsing says what is wrong, validation does not panic, and a spec that was read is written as itself.
pub fn fuzz_model(bytes: &[u8]) {
    objects(bytes);
    if let Ok(patch) = serde_json::from_slice::<Value>(bytes) {
        let mut once = Value::Null;
        xos_model::merge_patch(&mut once, patch.clone());
        let mut twice = once.clone();
        xos_model::merge_patch(&mut twice, patch);
        assert_eq!(once, twice, "a merge patch applied again changes nothing");
    }
}

/// Manifests: a fault has its line, an object has its place, and objects are the same however they are strung together.
pub fn fuzz_manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // YAML ends a line with a lone carriage return, too.
    let lines = 1 + text.matches(['\n', '\r']).count();
    let on_a_line = |place: &str| {
        let line = place.strip_prefix("office.yaml:").and_then(|rest| rest.split(':').next());
        let line: usize =
            line.and_then(|line| line.parse().ok()).unwrap_or_else(|| panic!("no line: {place}"));
        assert!((1..=lines).contains(&line), "{place} of {lines} lines");
    };
    let documents = match wcctl::parse_manifest("office.yaml", text) {
        Ok(documents) => documents,
        Err(error) => return on_a_line(&error),
    };
    let mut objects = Vec::new();
    for document in &documents {
        for pointer in ["", "/kind", "/metadata/name", "/spec/ports/0/name", "/not/there"] {
            on_a_line(&document.place(pointer));
        }
        assert!(document.object()["metadata"]["name"].is_string());
        objects.push(document.object());
    }
    let written: Vec<String> = objects.iter().map(ToString::to_string).collect();
    // A number with a fraction may be read as a neighbour of what was written.
    let as_json: Vec<Value> =
        written.iter().map(|text| serde_json::from_str(text).expect("a value is JSON")).collect();
    for between in ["", "\n", "\n---\n", "\n...\n"] {
        let again = wcctl::parse_manifest("again", &written.join(between)).expect("what was written is read");
        assert!(again.iter().map(wcctl::Document::object).eq(&as_json), "strung together with {between:?}");
    }
    let list = format!("[{}]", written.join(","));
    let again = wcctl::parse_manifest("again", &list).expect("what was written is read");
    assert!(again.iter().map(wcctl::Document::object).eq(&as_json));
}

macro_rules! objects {
    ($($kind:ident $plural:literal $short:literal $spec:ident;)*) => {
        /// The bytes as an object of each kind.
        fn objects(bytes: &[u8]) {
            $(object::<xos_model::$spec>(bytes);)*
        }
    };
}

for_each_kind!(objects);

fn object<K: Kind>(bytes: &[u8]) {
    if let Ok(draft) = xos_model::parse::<Draft<K>>(bytes) {
        draft.validate();
        draft.spec.references();
        // What is secret is never written as it was sent.
        if K::KIND == KindName::Secret {
            return;
        }
        let written = serde_json::to_vec(&draft.spec).expect("a spec is JSON");
        let again: K = xos_model::parse(&written).expect("what was written is read");
        assert_eq!(again, draft.spec);
    }
    if let Ok(object) = xos_model::parse::<Object<K>>(bytes) {
        let written = serde_json::to_vec(&object).expect("an object is JSON");
        let again: Object<K> = xos_model::parse(&written).expect("what was written is read");
        assert_eq!(again, object);
    }
}
