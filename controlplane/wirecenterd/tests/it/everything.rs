//! An office with at least one object of every kind.

use serde_json::{Value, json};

use crate::references::object;

/// What every object is called of which there is but one: the name that the API's description gives as an example.
pub(crate) const NAME: &str = "node1";

#[expect(clippy::needless_pass_by_value, reason = "specs are written where they are used")]
fn named(kind: &str, spec: Value) -> Value {
    object(kind, NAME, &spec)
}

/// The objects, which name each other.
pub(crate) fn everything() -> Vec<Value> {
    vec![
        named(
            "Site",
            json!({"description": "A place of work", "location": {"latitude": 40.3, "longitude": -74.6}}),
        ),
        named("Secret", json!({"data": {"user": "karaf", "token": "s3cret-value"}})),
        named(
            "Controller",
            json!({"plugin": "http", "url": "http://127.0.0.1:9/cdn", "credentials": NAME, "timeoutSeconds": 5}),
        ),
        named(
            "Image",
            json!({"kind": "vm", "diskFormat": "qcow2", "source": "https://images.example/debian-12.qcow2",
                   "sha256": "0123456789abcdef".repeat(4)}),
        ),
        named("Flavor", json!({"cores": 1, "memoryMib": 2048, "diskGib": 10})),
        named("View", json!({"type": "iframe", "url": "https://portal.example/t", "title": "My slices"})),
        named("User", json!({"email": "ada@math.example", "site": NAME, "views": [NAME]})),
        named("Role", json!({"rules": [{"verbs": ["get", "list"], "kinds": ["*"]}]})),
        named(
            "Deployment",
            json!({"controller": NAME, "sites": [NAME], "access": [{"effect": "allow", "subject": "everyone"}]}),
        ),
        named(
            "BlockList",
            json!({"description": "Games", "domains": ["games.example"], "resolvers": ["1.1.1.0/24"]}),
        ),
        named(
            "Node",
            json!({"loopback": "192.0.2.129", "site": NAME, "ports": [
                {"name": "access0", "role": "access", "outerTpid": "0x88a8"},
                {"name": "core0", "role": "core", "addresses": ["192.0.2.2/30"]}],
                "routes": [{"prefix": "0.0.0.0/0", "via": "192.0.2.1"}],
                "garden": {"portal": "http://192.0.2.66/pay", "allowed": ["192.0.2.66/32"]},
                "routes6": [{"prefix": "::/0", "via": "fe80::1", "port": "core0"}],
                "natLog": {"collector": "192.0.2.66:4739", "perFlow": true}}),
        ),
        named(
            "AddressPool",
            json!({"node": NAME, "purpose": "subscriber", "prefix": "100.64.0.0/16", "gateway": "100.64.0.1"}),
        ),
        object(
            "AddressPool",
            "public",
            &json!({"node": NAME, "purpose": "nat", "prefix": "198.51.100.0/24"}),
        ),
        object(
            "AddressPool",
            "business",
            &json!({"node": NAME, "purpose": "routed", "prefix": "203.0.113.0/24"}),
        ),
        object(
            "AddressPool",
            "links",
            &json!({"node": NAME, "purpose": "link6", "prefix": "2001:db8:100::/48"}),
        ),
        object(
            "AddressPool",
            "homes",
            &json!({"node": NAME, "purpose": "delegated6", "prefix": "2001:db8:8000::/36"}),
        ),
        named("NetworkTemplate", json!({"topology": "bigSwitch", "maximumBandwidth": "1G"})),
        named(
            "Service",
            json!({"serviceType": "cdn", "version": "1.2",
                   "accepts": {"tenants": ["Service", "User"], "connect": ["shared", "gateway"]}}),
        ),
        named(
            "Slice",
            json!({"service": NAME, "site": NAME, "image": NAME, "flavor": NAME,
                   "exposedPorts": [{"protocol": "tcp", "port": 80}], "maxInstances": 3}),
        ),
        named("Network", json!({"slice": NAME, "template": NAME, "subnet": "10.1.0.0/24"})),
        named("Instance", json!({"slice": NAME, "placement": {"deployment": NAME, "node": NAME}})),
        named(
            "Subscriber",
            json!({"access": {"node": NAME, "port": "access0", "sVid": 100, "cVid": 7},
                   "bundle": {"rateUp": "20M", "rateDown": "100M", "ipv6": true,
                              "parentalControl": {"rules": [{"block": [NAME], "times": [{"from": "21:00", "to": "07:00"}]}]}}}),
        ),
        named(
            "Tenant",
            json!({"tenant": {"kind": "User", "name": NAME}, "provider": NAME, "connect": "shared"}),
        ),
        named("RoleBinding", json!({"user": NAME, "role": NAME, "scope": {"kind": "Slice", "name": NAME}})),
    ]
}
