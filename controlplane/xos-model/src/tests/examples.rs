//! One object of each kind that says all that it can.

use serde_json::{Value, json};

use crate::KindName;

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn example(kind: KindName) -> Value {
    let (name, spec) = match kind {
        KindName::Site => (
            "princeton",
            json!({"description": "A place\nof work", "url": "https://princeton.example/", "enabled": false,
                   "location": {"latitude": 40.343_1, "longitude": -74.655_1}}),
        ),
        KindName::Secret => ("onos-login", json!({"data": {"user": "karaf", "tls.key": "k\u{e9}y"}})),
        KindName::Controller => (
            "onos",
            json!({"plugin": "onos", "url": "https://192.0.2.7:8181/onos", "credentials": "onos-login",
                   "caBundle": "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "timeoutSeconds": 5,
                   "concurrency": 64, "parameters": {"app": {"id": 7, "ratio": 0.1}}}),
        ),
        KindName::Image => (
            "debian-12",
            json!({"kind": "vm", "diskFormat": "qcow2", "containerFormat": "bare",
                   "source": "https://images.example/debian-12.qcow2", "sha256": "0123456789abcdef".repeat(4),
                   "minimumDiskGib": 3, "minimumMemoryMib": 512}),
        ),
        KindName::Flavor => ("small", json!({"cores": 1, "memoryMib": 2048, "diskGib": 10})),
        KindName::View => {
            ("tenant", json!({"type": "iframe", "url": "https://portal.example/t", "title": "My slices"}))
        }
        KindName::User => (
            "ada",
            json!({"email": "ada.l+xos@math.example", "fullName": "Ada L", "site": "princeton", "enabled": false,
                   "sshKeys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f ada@example.net"],
                   "views": ["tenant", "developer"]}),
        ),
        KindName::Role => (
            "operator",
            json!({"rules": [{"verbs": ["get", "list"], "kinds": ["*"]}, {"verbs": ["*"], "kinds": ["slices"]}]}),
        ),
        KindName::Deployment => (
            "campus",
            json!({"controller": "onos", "sites": ["princeton", "arizona"], "access": [
                {"effect": "deny", "subject": {"user": "eve"}}, {"effect": "allow", "subject": {"site": "princeton"}},
                {"effect": "allow", "subject": "everyone"}]}),
        ),
        KindName::BlockList => (
            "games",
            json!({"description": "Games", "domains": ["games.example", "play.test"],
                   "resolvers": ["1.1.1.0/24", "2606:4700:4700::/64"]}),
        ),
        KindName::Node => (
            "node1",
            json!({"loopback": "192.0.2.129", "site": "princeton", "ports": [
                {"name": "access0", "role": "access", "outerTpid": "0x88a8", "mtu": 1500},
                {"name": "core0", "role": "core", "mtu": 1500, "addresses": ["192.0.2.2/30"]}],
                "routes": [{"prefix": "0.0.0.0/0", "via": "192.0.2.1"}]}),
        ),
        KindName::AddressPool => (
            "inside",
            json!({"node": "node1", "purpose": "subscriber", "prefix": "100.64.0.0/16", "gateway": "100.64.0.1",
                   "leaseSeconds": 600}),
        ),
        KindName::NetworkTemplate => (
            "private",
            json!({"topology": "bigSwitch", "visibility": "public", "translation": "nat",
                   "guaranteedBandwidth": "100M", "maximumBandwidth": "1G"}),
        ),
        KindName::Service => (
            "cdn",
            json!({"serviceType": "cdn", "version": "1.2~rc1", "description": "d", "enabled": false,
                   "controller": "onos", "accepts": {"tenants": ["Service", "Root"], "connect": ["shared"]},
                   "interfaces": [{"name": "content", "type": "http", "direction": "provides"},
                                  {"name": "uplink", "type": "ip", "direction": "requires"}],
                   "iconUrl": "http://cdn.example/i.png", "viewUrl": "http://cdn.example/"}),
        ),
        KindName::Slice => (
            "cdn-caches",
            json!({"service": "cdn", "site": "princeton", "description": "d", "enabled": false, "image": "debian-12",
                   "flavor": "small", "isolation": "container", "networks": ["management"],
                   "exposedPorts": [{"protocol": "tcp", "port": 80}, {"protocol": "udp", "port": 80}],
                   "maxInstances": 3}),
        ),
        KindName::Network => (
            "cdn-private",
            json!({"slice": "cdn-caches", "template": "private", "topology": "custom",
                   "networkOs": {"url": "http://192.0.2.7:8181/", "parameters": {"a": [1, {"b": null}]}},
                   "guaranteedBandwidth": "100M", "maximumBandwidth": "100M", "subnet": "10.1.0.0/24",
                   "permittedSlices": ["monitor", "backup"]}),
        ),
        KindName::Instance => (
            "cdn-caches-1",
            json!({"slice": "cdn-caches", "image": "debian-12", "flavor": "small", "isolation": "vm",
                   "placement": {"deployment": "campus", "node": "node1", "nodeLabels": {"rack": "r/1"}},
                   "userData": "#cloud-config\n"}),
        ),
        KindName::Subscriber => (
            "alice",
            json!({"access": {"node": "node1", "port": "access0", "sVid": 100, "cVid": 7},
                   "bundle": {"rateUp": "20M", "rateDown": "100M", "nat": true, "dns": ["9.9.9.9"],
                              "parentalControl": {"utcOffset": "+01:00", "rules": [
                                  {"block": ["games"], "devices": ["02:00:00:00:00:07"],
                                   "times": [{"days": ["mon", "fri"], "from": "21:00", "to": "06:30"}]}]}},
                   "state": "suspended", "services": {"vcpe": "vcpe-v2"}}),
        ),
        KindName::Tenant => (
            "cdn-vbng",
            json!({"tenant": {"kind": "Service", "name": "cdn"}, "provider": "vbng", "connect": "gateway",
                   "providerInterface": "ip", "tenantInterface": "uplink", "perTenant": true,
                   "direction": "toProvider", "attributes": {"prefix": "203.0.113.0/24"}}),
        ),
        KindName::RoleBinding => (
            "ada-operates",
            json!({"user": "ada", "role": "operator", "scope": {"kind": "Slice", "name": "cdn-caches"},
                   "grantOption": true, "expiresAt": "2030-01-01T00:00:00Z"}),
        ),
    };
    json!({"kind": kind, "metadata": {"name": name}, "spec": spec})
}
