mod block_lists;
mod devices;
mod networks;
mod overflow;
mod protection;

use std::collections::BTreeMap;

use net_types::{Name, Prefix4};
use node_state::{Resource, SessionState};
use proptest::prelude::*;
use serde_json::json;
use xos_model::{Graph, NodeSpec, ServiceSpec, Subscriber, SubscriberSpec, SubscriberStatus, TenantSpec};

use super::*;

fn spec(edit: serde_json::Value) -> SubscriberSpec {
    let mut value = json!({"access": {"node": "node1", "port": "access0", "sVid": 100, "cVid": 7}});
    xos_model::merge_patch(&mut value, edit);
    serde_json::from_value(value).expect("a spec")
}

fn pools() -> NodePools {
    let pool = |name: &str, spec: serde_json::Value| NodePool {
        name: name.parse().expect("a name"),
        spec: serde_json::from_value(spec).expect("a pool"),
    };
    NodePools::new(vec![
        pool(
            "inside",
            json!({"node": "node1", "purpose": "subscriber", "prefix": "100.64.0.0/28", "gateway": "100.64.0.1"}),
        ),
        pool(
            "public",
            json!({"node": "node1", "purpose": "nat", "prefix": "198.51.100.0/30", "portsPerSubscriber": 16384}),
        ),
        pool(
            "business",
            json!({"node": "node1", "purpose": "routed", "prefix": "203.0.113.0/27", "leaseSeconds": 600}),
        ),
    ])
}

/// The same, and two links and four delegated prefixes of IPv6.
fn pools_with_ipv6() -> NodePools {
    let pool = |name: &str, spec: serde_json::Value| NodePool {
        name: name.parse().expect("a name"),
        spec: serde_json::from_value(spec).expect("a pool"),
    };
    let links =
        json!({"node": "node1", "purpose": "link6", "prefix": "2001:db8:0:2::/63", "leaseSeconds": 900});
    let homes = json!({"node": "node1", "purpose": "delegated6", "prefix": "2001:db8:100::/54"});
    NodePools::new(pools().iter().cloned().chain([pool("links", links), pool("homes", homes)]).collect())
}

/// The plainest ledger: a map from keys to holders.
#[derive(Clone, Debug, Default)]
struct Book {
    claims: BTreeMap<String, Name>,
    me: Option<Name>,
}

impl Ledger for Book {
    fn holder(&self, claim: &Claim) -> Option<Name> {
        self.claims.get(&claim.to_string()).filter(|holder| self.me.as_ref() != Some(holder)).cloned()
    }

    fn beside(&self, prefix: &str) -> Option<Name> {
        let mut holders =
            self.claims.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        holders.find(|(_, holder)| self.me.as_ref() != Some(holder)).map(|(_, holder)| holder.clone())
    }

    fn overlapping(&self, subnet: Prefix4) -> Option<(Prefix4, Name)> {
        let taken =
            self.claims.iter().filter_map(|(key, holder)| Some((Claim::subnet_of_key(key)?, holder.clone())));
        taken.into_iter().find(|(other, holder)| other.overlaps(subnet) && self.me.as_ref() != Some(holder))
    }
}

fn show(allocation: &Allocation) -> String {
    let nat = allocation.nat.map(|nat| format!(" {}:{}+{}", nat.address, nat.first_port, nat.ports));
    let subnet = allocation.subnet.map(|subnet| format!(" {subnet}"));
    let public = allocation.public_address.map(|address| format!(" {address}"));
    format!(
        "{} via {}{}{}{}",
        allocation.address,
        allocation.gateway,
        subnet.unwrap_or_default(),
        nat.unwrap_or_default(),
        public.unwrap_or_default()
    )
}

#[test]
fn the_lowest_that_is_free_is_taken() {
    let (mut book, mut hints) = (Book::default(), Hints::default());
    let mut next = |name: &str, edit| {
        let spec = spec(edit);
        match allocate(&spec, &SubscriberStatus::default(), &pools(), &book, &mut hints) {
            Ok(allocation) => {
                let mut status = SubscriberStatus::default();
                allocation.write_to(&mut status);
                for claim in claims_of(&spec, &status) {
                    book.claims.insert(claim.to_string(), name.parse().expect("a name"));
                }
                show(&allocation)
            }
            Err(Refusal::Invalid(fault)) => format!("invalid {fault}"),
            Err(Refusal::Conflict(fault)) => format!("conflict {fault}"),
        }
    };
    let routed = |subnet: &str| json!({"bundle": {"nat": false}, "subnet": subnet});
    let cases = [
        ("a", json!({}), "100.64.0.2 via 100.64.0.1 198.51.100.1:16384+16384"),
        ("b", json!({"address": "100.64.0.3"}), "100.64.0.3 via 100.64.0.1 198.51.100.1:32768+16384"),
        ("c", json!({}), "100.64.0.4 via 100.64.0.1 198.51.100.1:49152+16384"),
        ("d", json!({}), "100.64.0.5 via 100.64.0.1 198.51.100.2:16384+16384"),
        (
            "e",
            json!({"address": "100.64.0.3"}),
            "conflict /spec/address: 100.64.0.3 is the address of Subscriber b",
        ),
        (
            "e",
            json!({"address": "100.64.0.1"}),
            "invalid /spec/address: 100.64.0.1 is the gateway, network or broadcast address of pool inside",
        ),
        (
            "e",
            json!({"address": "100.64.1.1"}),
            "invalid /spec/address: 100.64.1.1 is in no subscriber pool of node1",
        ),
        ("f", routed("203.0.113.8/29"), "203.0.113.10 via 203.0.113.9 203.0.113.8/29"),
        (
            "g",
            routed("203.0.113.12/30"),
            "conflict /spec/subnet: 203.0.113.12/30 overlaps 203.0.113.8/29 of Subscriber f",
        ),
        (
            "g",
            routed("203.0.113.64/29"),
            "invalid /spec/subnet: 203.0.113.64/29 is in no routed pool of node1",
        ),
        ("h", json!({"bundle": {"nat": false}}), "203.0.113.2 via 203.0.113.1 203.0.113.0/30"),
        (
            "i",
            json!({"bundle": {"nat": false}, "subnetLength": 28}),
            "203.0.113.18 via 203.0.113.17 203.0.113.16/28",
        ),
        (
            "j",
            json!({"bundle": {"nat": false}, "subnetLength": 29}),
            "conflict /spec/subnet: the routed pools of node1 (business) have no room for a /29",
        ),
        ("k", json!({"bundle": {"nat": false}}), "203.0.113.6 via 203.0.113.5 203.0.113.4/30"),
        ("l", json!({}), "100.64.0.6 via 100.64.0.1 198.51.100.2:32768+16384"),
        ("m", json!({}), "100.64.0.7 via 100.64.0.1 198.51.100.2:49152+16384"),
        (
            "n",
            json!({}),
            "conflict /spec/bundle/nat: the NAT pools of the node (public) have no room for a port block",
        ),
    ];
    for (name, edit, expected) in cases {
        assert_eq!(next(name, edit.clone()), expected, "{name} {edit}");
    }
}

#[test]
fn ipv6_is_a_link_an_address_in_it_and_a_delegated_prefix() {
    let (pools, mut book, mut hints) = (pools_with_ipv6(), Book::default(), Hints::default());
    let mut held: BTreeMap<&str, (SubscriberSpec, SubscriberStatus)> = BTreeMap::new();
    let mut next = |name: &'static str, edit, pools: &NodePools| {
        let mut spec = spec(json!({"bundle": {"ipv6": true}}));
        spec.access.c_vid = u16::try_from(held.len() + 1).ok().and_then(|vid| vid.try_into().ok());
        let mut value = serde_json::to_value(&spec).expect("JSON");
        xos_model::merge_patch(&mut value, edit);
        let spec: SubscriberSpec = serde_json::from_value(value).expect("a spec");
        let before = held.remove(name);
        book.me = Some(name.parse().expect("a name"));
        let had = before.as_ref().map(|(_, status)| status.clone()).unwrap_or_default();
        let allocation = match allocate(&spec, &had, pools, &book, &mut hints) {
            Ok(allocation) => allocation,
            Err(Refusal::Invalid(fault)) => return format!("invalid {fault}"),
            Err(Refusal::Conflict(fault)) => return format!("conflict {fault}"),
        };
        let mut status = had;
        allocation.write_to(&mut status);
        let after = claims_of(&spec, &status);
        for claim in before.map(|(spec, status)| claims_of(&spec, &status)).unwrap_or_default() {
            if !after.contains(&claim) {
                book.claims.remove(&claim.to_string());
                pools.released(&claim, &mut hints);
            }
        }
        book.claims.extend(after.iter().map(|claim| (claim.to_string(), name.parse().expect("a name"))));
        let used: Vec<_> = pools.used_by(&status).map(Name::as_str).collect();
        assert_eq!(used.contains(&"links") && used.contains(&"homes"), status.ipv6.is_some(), "{used:?}");
        let shown = status.ipv6.map(|ipv6| format!("{} {} {}", ipv6.link, ipv6.address, ipv6.delegated));
        held.insert(name, (spec, status));
        shown.unwrap_or_default()
    };
    let (with, without) = (json!({}), json!({"bundle": {"ipv6": null}}));
    let cases = [
        ("a", &with, "2001:db8:0:2::/64 2001:db8:0:2::1 2001:db8:100::/56"),
        ("b", &with, "2001:db8:0:3::/64 2001:db8:0:3::1 2001:db8:100:100::/56"),
        ("c", &with, "conflict /spec/bundle/ipv6: the link6 pools of node1 (links) have no room for a /64"),
        // What it has it keeps; what it gives up is the next one's.
        ("a", &json!({"bundle": {"nat": false}}), "2001:db8:0:2::/64 2001:db8:0:2::1 2001:db8:100::/56"),
        ("a", &without, ""),
        ("c", &with, "2001:db8:0:2::/64 2001:db8:0:2::1 2001:db8:100::/56"),
    ];
    for (name, edit, expected) in cases {
        assert_eq!(next(name, edit.clone(), &pools), expected, "{name} {edit}");
    }
    let none = "invalid /spec/bundle/ipv6: node1 has no link6 pool to take a prefix from";
    assert_eq!(next("d", with, &self::pools()), none);
}

#[test]
fn lines_are_one_subscribers_each_or_told_apart_by_mac() {
    let mut book = Book::default();
    let mut add = |name: &str, access: serde_json::Value, mac: Option<&str>| {
        book.me = Some(name.parse().expect("a name"));
        let mut edit = json!({"mac": mac});
        edit["access"] = access;
        let spec = spec(edit);
        check_line(&spec, &book).map_err(|fault| fault.to_string())?;
        let claim = Claim::line_of(&spec).to_string();
        book.claims.retain(|key, holder| holder.as_str() != name || *key == claim);
        book.claims.insert(claim, name.parse().expect("a name"));
        Ok(())
    };
    let (one, two) = (Some("02:00:5e:10:00:01"), Some("02:00:5e:10:00:02"));
    let untagged = json!({"sVid": null, "cVid": null});
    let single = json!({"sVid": null});
    let refused = |text: &str| Err(text.to_owned());
    let cases = [
        ("a", json!({}), None, Ok(())),
        ("a", json!({}), None, Ok(())),
        (
            "b",
            json!({}),
            one,
            refused(
                "/spec/access/cVid: Subscriber a is behind port access0 of Node node1, tags 100.7, and names no mac to be told apart by",
            ),
        ),
        ("b", json!({"cVid": 70}), None, Ok(())),
        // As many as there are, if each has a mac of its own.
        ("c", single.clone(), one, Ok(())),
        ("d", single.clone(), two, Ok(())),
        (
            "e",
            single.clone(),
            two,
            refused("/spec/mac: Subscriber d is behind port access0 of Node node1, tag 7, with this mac"),
        ),
        (
            "e",
            single.clone(),
            None,
            refused(
                "/spec/mac: Subscriber c is behind port access0 of Node node1, tag 7: both need a mac to be told apart by",
            ),
        ),
        // The untagged frames of a port are a line beside those with tags.
        ("e", untagged.clone(), None, Ok(())),
        (
            "f",
            untagged.clone(),
            one,
            refused(
                "/spec/access/port: Subscriber e is behind port access0 of Node node1, untagged, and names no mac to be told apart by",
            ),
        ),
        ("f", json!({"port": "access1", "sVid": null, "cVid": null}), one, Ok(())),
        // What one gives up another can have; and one alone needs no mac any more.
        ("a", json!({"cVid": 8}), None, Ok(())),
        ("g", json!({}), one, Ok(())),
        ("c", json!({"cVid": 9}), one, Ok(())),
        ("d", single, None, Ok(())),
    ];
    for (name, access, mac, expected) in cases {
        assert_eq!(add(name, access.clone(), mac), expected, "{name} {access} {mac:?}");
    }
}

#[test]
fn what_a_subscriber_has_it_keeps() {
    let held = Allocation {
        address: "100.64.0.9".parse().expect("an address"),
        addresses: None,
        gateway: "100.64.0.1".parse().expect("an address"),
        subnet: None,
        more_subnets: Vec::new(),
        public_address: None,
        nat: Some(xos_model::NatBlock {
            address: "198.51.100.2".parse().expect("an address"),
            first_port: 32768,
            ports: 16384,
        }),
        ipv6: None,
        port_forwards: Vec::new(),
    };
    let mut status = SubscriberStatus::default();
    held.write_to(&mut status);
    let again = |edit, book: &Book| {
        allocate(&spec(edit), &status, &pools(), book, &mut Hints::default())
            .map(|allocation| show(&allocation))
    };
    assert_eq!(again(json!({}), &Book::default()).as_deref(), Ok(show(&held).as_str()));
    assert_eq!(
        again(json!({"bundle": {"rateUp": "5M"}}), &Book::default()).as_deref(),
        Ok(show(&held).as_str())
    );
    let moved = "100.64.0.5 via 100.64.0.1 198.51.100.2:32768+16384";
    assert_eq!(again(json!({"address": "100.64.0.5"}), &Book::default()).as_deref(), Ok(moved));
    let mut book = Book::default();
    book.claims.insert("address/node1/64400009".into(), "other".parse().expect("a name"));
    assert_eq!(again(json!({}), &book).as_deref(), Ok("100.64.0.2 via 100.64.0.1 198.51.100.2:32768+16384"));
}

fn subscriber(edit: serde_json::Value, status: &serde_json::Value) -> Subscriber {
    serde_json::from_value(json!({
        "kind": "Subscriber", "metadata": {"name": "alice"}, "spec": spec(edit), "status": status
    }))
    .expect("a subscriber")
}

/// Services that lead from one to the next, the first for each subscriber; each with what it provides and its attributes.
fn chain(services: &[(&str, &[&str], serde_json::Value)]) -> Graph {
    let mut graph = Graph::default();
    let mut before: Option<&str> = None;
    for (name, provides, attributes) in services {
        let interfaces = provides.iter().enumerate();
        let interfaces: Vec<_> = interfaces
            .map(|(i, kind)| json!({"name": format!("down{i}"), "type": kind, "direction": "provides"}))
            .collect();
        let spec = json!({
            "serviceType": name, "version": "1", "perSubscriber": before.is_none(), "interfaces": interfaces,
            "attributes": attributes, "accepts": {"tenants": ["Subscriber", "Service"], "connect": ["shared"]},
        });
        let service = json!({"kind": "Service", "metadata": {"name": name}, "spec": spec});
        graph.put::<ServiceSpec>(&serde_json::from_value(service).expect("a service"));
        if let Some(tenant) = before.replace(name) {
            let spec = json!({"tenant": {"kind": "Service", "name": tenant}, "provider": name, "connect": "shared",
                              "perTenant": true});
            let tenancy =
                json!({"kind": "Tenant", "metadata": {"name": format!("{tenant}-{name}")}, "spec": spec});
            graph.put::<TenantSpec>(&serde_json::from_value(tenancy).expect("a tenancy"));
        }
    }
    graph
}

fn office() -> Graph {
    chain(&[
        ("volt", &["access-line"], json!({})),
        ("vcpe", &["home-network"], json!({})),
        ("vbng", &["internet-route"], json!({})),
    ])
}

fn allocated(edit: serde_json::Value) -> Subscriber {
    let status = json!({"observedGeneration": 1, "address": "100.64.0.2", "gateway": "100.64.0.1"});
    subscriber(edit, &status)
}

#[test]
fn no_edge_no_session() {
    let alice = allocated(json!({}));
    let none = json!({});
    let (line, home): (&[&str], &[&str]) = (&["access-line"], &["home-network"]);
    let cases = [
        (chain(&[]), "no service of its chain (which is empty) provides access-line"),
        (chain(&[("volt", line, none.clone())]), "no service of its chain (volt) provides home-network"),
        (
            chain(&[("volt", line, none.clone()), ("vcpe", home, none.clone())]),
            "no service of its chain (volt, vcpe) provides internet-route",
        ),
        (
            chain(&[
                ("volt", line, none.clone()),
                ("a", home, none.clone()),
                ("b", &["home-network", "internet-route"], none.clone()),
            ]),
            "a and b, both of its chain, provide home-network",
        ),
    ];
    for (graph, expected) in cases {
        let found = session(&alice, &graph, &pools()).expect_err("no session").to_string();
        assert!(found.starts_with(expected), "{found}");
    }
    // One service can be all of it, and others beside it none.
    let all = chain(&[
        ("cdn", &[], none.clone()),
        ("box", &["access-line", "home-network", "internet-route"], none),
    ]);
    assert_eq!(session(&alice, &all, &pools()), session(&alice, &office(), &pools()));
    let nowhere = session(&alice, &office(), &NodePools::default());
    assert_eq!(nowhere, Err(NoSession::Pool("node1".parse().expect("a name"))));
    let waiting = session(&subscriber(json!({}), &json!({"observedGeneration": 0})), &office(), &pools());
    assert_eq!(waiting, Err(NoSession::Unallocated));
}

#[test]
fn what_a_bundle_leaves_open_its_service_says() {
    let graph = |attributes| {
        chain(&[
            ("volt", &["access-line"], json!({})),
            ("vcpe", &["home-network"], attributes),
            ("vbng", &["internet-route"], json!({"rateUp": "1k"})),
        ])
    };
    let said = graph(json!({"rateUp": "5M", "rateDown": "50M", "burstMs": 100, "dns": ["9.9.9.9"]}));
    let session_of = |edit| session(&allocated(edit), &said, &pools()).expect("a session");
    let plain = session_of(json!({}));
    let rate = |limit: Option<node_state::RateLimit>| {
        limit.map(|limit| format!("{} {}", limit.rate, limit.burst_us))
    };
    assert_eq!(rate(plain.rate_up).as_deref(), Some("5M 100000"));
    assert_eq!(rate(plain.rate_down).as_deref(), Some("50M 100000"));
    assert_eq!(plain.dns_servers, [std::net::Ipv4Addr::from([9, 9, 9, 9])]);
    let own = session_of(json!({"bundle": {"rateUp": "1G", "dns": ["192.0.2.53"]}}));
    assert_eq!(
        (rate(own.rate_up).as_deref(), rate(own.rate_down).as_deref()),
        (Some("1G 100000"), Some("50M 100000"))
    );
    assert_eq!(own.dns_servers, [std::net::Ipv4Addr::from([192, 0, 2, 53])]);
    // What is committed of a rate is at most the rate, whoever says which of the two.
    let committed = graph(json!({"committedUp": "5M", "rateDown": "4M"}));
    let both = json!({"bundle": {"rateUp": "20M", "committedDown": "9M"}});
    let both = session(&allocated(both), &committed, &pools()).expect("a session");
    assert_eq!(rate(both.committed_up).as_deref(), Some("5M 250000"));
    assert_eq!(rate(both.committed_down).as_deref(), Some("4M 250000"));
    let slow = session(&allocated(json!({"bundle": {"rateUp": "2M"}})), &committed, &pools());
    assert_eq!(rate(slow.expect("a session").committed_up).as_deref(), Some("2M 250000"));
    let odd =
        session(&allocated(json!({})), &graph(json!({"rateUp": "fast"})), &pools()).expect_err("no session");
    assert!(
        odd.to_string()
            .starts_with("Service vcpe, or the Tenant that leads to it: /spec/attributes/rateUp: "),
        "{odd}"
    );
}

#[test]
fn sessions_leave_nothing_to_choose() {
    let nat = json!({"address": "198.51.100.1", "firstPort": 1024, "ports": 256});
    let home = subscriber(
        json!({"bundle": {"rateUp": "20M", "rateDown": "128k", "dns": ["9.9.9.9"]}}),
        &json!({"observedGeneration": 1, "address": "100.64.0.2", "gateway": "100.64.0.1", "nat": nat}),
    );
    let text = String::from_utf8(
        Resource::Session(session(&home, &office(), &pools()).expect("allocated")).encode(),
    );
    assert_eq!(
        text.expect("JSON"),
        r#"{"kind":"session","subscriber":"alice","port":"access0","tags":{"sVid":100,"cVid":7},"state":"active","mac":null,"lease":"100.64.0.2/28","gateway":"100.64.0.1","network":"100.64.0.2/32","dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":{"address":"198.51.100.1","firstPort":1024,"ports":256},"rateUp":{"rate":"20M","burstUs":250000},"rateDown":{"rate":"128k","burstUs":250000}}"#
    );
    let both = subscriber(
        json!({"bundle": {"ipv6": true, "dns6": ["2001:db8::53"]}}),
        &json!({"observedGeneration": 1, "address": "100.64.0.2", "gateway": "100.64.0.1", "nat": nat,
                "ipv6": {"link": "2001:db8:0:2::/64", "address": "2001:db8:0:2::1", "delegated": "2001:db8:100::/56"}}),
    );
    let line = session(&both, &office(), &pools_with_ipv6()).expect("allocated").ipv6;
    assert_eq!(
        serde_json::to_value(line).expect("JSON"),
        json!({"link": "2001:db8:0:2::/64", "address": "2001:db8:0:2::1", "delegated": "2001:db8:100::/56",
               "autonomous": true, "dnsServers": ["2001:db8::53"], "preferredSeconds": 450, "validSeconds": 900})
    );
    let gone = session(&both, &office(), &pools());
    assert_eq!(gone, Err(NoSession::Pool("node1".parse().expect("a name"))));
    let firm = subscriber(
        json!({"bundle": {"nat": false}, "state": "suspended", "mac": "02:00:5e:10:00:01"}),
        &json!({"observedGeneration": 1, "address": "203.0.113.10", "gateway": "203.0.113.9", "subnet": "203.0.113.8/29"}),
    );
    let session = session(&firm, &office(), &pools()).expect("allocated");
    assert_eq!(
        (session.lease.to_string().as_str(), session.network.to_string().as_str()),
        ("203.0.113.10/29", "203.0.113.8/29")
    );
    assert_eq!((session.state, session.lease_seconds, session.nat), (SessionState::Suspended, 600, None));
}

fn node() -> NodeSpec {
    serde_json::from_value(json!({
        "loopback": "192.0.2.129",
        "ports": [{"name": "access0", "role": "access"}, {"name": "core0", "role": "core", "addresses": ["192.0.2.2/30"]}],
        "routes": [{"prefix": "0.0.0.0/0", "via": "192.0.2.1"}],
        "routes6": [{"prefix": "::/0", "via": "fe80::1", "port": "core0"}],
        "garden": {"portal": "http://192.0.2.66/", "allowed": ["2001:db8:66::/48", "192.0.2.66/32"]},
        "natLog": {"collector": "[2001:db8::9]:4739"},
    }))
    .expect("a node")
}

#[test]
fn a_node_has_ports_loopback_and_routes() {
    let resources = node_resources(&node(), &pools_with_ipv6());
    let text: Vec<_> = resources.iter().map(|r| String::from_utf8(r.encode()).expect("JSON")).collect();
    assert_eq!(
        text,
        [
            r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#,
            r#"{"kind":"port","name":"core0","role":"core","mtu":1500,"addresses":["192.0.2.2/30"]}"#,
            r#"{"kind":"link","name":"wc-lo0","type":"bridge","mtu":1500,"addresses":["192.0.2.129/32"]}"#,
            r#"{"kind":"route","prefix":"0.0.0.0/0","target":{"via":{"gateway":"192.0.2.1","port":"core0"}}}"#,
            r#"{"kind":"route6","prefix":"::/0","target":{"via":{"gateway":"fe80::1","port":"core0"}}}"#,
            r#"{"kind":"route","prefix":"203.0.113.0/27","target":"pool"}"#,
            r#"{"kind":"route6","prefix":"2001:db8:100::/54","target":"pool"}"#,
            r#"{"kind":"route","prefix":"100.64.0.0/28","target":"pool"}"#,
            r#"{"kind":"route6","prefix":"2001:db8:0:2::/63","target":"pool"}"#,
            r#"{"kind":"route","prefix":"198.51.100.0/30","target":"natPool"}"#,
            r#"{"kind":"garden","portal":"http://192.0.2.66/","allowed":["192.0.2.66/32","2001:db8:66::/48"]}"#,
            r#"{"kind":"natLog","collector":"[2001:db8::9]:4739","observationDomain":3221226113,"perFlow":false}"#,
        ]
    );
    let mut named = node();
    named.nat_log.as_mut().expect("it has one").observation_domain = Some(7);
    let Some(Resource::NatLog(log)) = node_resources(&named, &pools()).pop() else { panic!("a log") };
    assert_eq!(log.observation_domain, 7);
}

#[test]
fn pools_keep_clear_of_the_nodes_own_addresses() {
    assert_eq!(clashes(&node(), &pools_with_ipv6()), []);
    let mut clashing = node();
    clashing.loopback = "203.0.113.1".parse().expect("an address");
    clashing.ports[1].addresses = ["198.51.100.2/24".parse().expect("an address")].into();
    clashing.routes[0].prefix = "100.64.0.0/28".parse().expect("a prefix");
    clashing.routes6[0].prefix = "2001:db8:0:2::/64".parse().expect("a prefix");
    let mut at: Vec<_> = clashes(&clashing, &pools_with_ipv6())
        .into_iter()
        .map(|(fault, _)| fault.pointer.to_string())
        .collect();
    at.sort();
    assert_eq!(
        at,
        ["/spec/loopback", "/spec/ports/1/addresses/0", "/spec/routes/0/prefix", "/spec/routes6/0/prefix"]
    );
}

proptest! {
    /// Hints change nothing: whatever comes and goes, the same is allocated as without any.
    #[test]
    fn hints_are_only_a_shortcut(steps in prop::collection::vec((0..24_u8, 0..7_u8, any::<bool>(), any::<bool>()), 1..80)) {
        let pools = pools_with_ipv6();
        let (mut book, mut hints) = (Book::default(), Hints::default());
        let mut held: BTreeMap<Name, (SubscriberSpec, SubscriberStatus)> = BTreeMap::new();
        for (who, what, release, keep) in steps {
            let name: Name = format!("s{who}").parse().expect("a name");
            if let Some((spec, status)) = held.get(&name).cloned() {
                if release {
                    held.remove(&name);
                    for claim in claims_of(&spec, &status) {
                        book.claims.remove(&claim.to_string());
                        pools.released(&claim, &mut hints);
                    }
                    hints.keep();
                }
                continue;
            }
            let spec = match what {
                0 | 1 => spec(json!({"access": {"cVid": u16::from(who) + 1}})),
                4 => spec(json!({"access": {"cVid": u16::from(who) + 1}, "bundle": {"ipv6": true}})),
                5 | 6 => spec(json!({"access": {"cVid": u16::from(who) + 1}, "bundle": {"devices": what - 3}})),
                len => spec(json!({"access": {"cVid": u16::from(who) + 1}, "bundle": {"nat": false}, "subnetLength": len + 27})),
            };
            let before = SubscriberStatus::default();
            let found = allocate(&spec, &before, &pools, &book, &mut hints);
            prop_assert_eq!(&found, &allocate(&spec, &before, &pools, &book, &mut Hints::default()));
            match found {
                Ok(allocation) if keep => {
                    hints.keep();
                    let mut status = before;
                    allocation.write_to(&mut status);
                    for claim in claims_of(&spec, &status) {
                        prop_assert_eq!(book.claims.insert(claim.to_string(), name.clone()), None);
                    }
                    held.insert(name, (spec, status));
                }
                _ => hints.rollback(),
            }
        }
    }
}
