//! Addresses of a subscriber's own: one to one NAT, and several routed subnets.

use serde_json::json;

use super::*;

struct Office {
    book: Book,
    hints: Hints,
    pools: NodePools,
}

impl Office {
    fn new() -> Self {
        Self { book: Book::default(), hints: Hints::default(), pools: pools() }
    }

    fn add(&mut self, name: &str, edit: serde_json::Value) -> Result<SubscriberStatus, String> {
        let spec = spec(edit);
        let mut status = SubscriberStatus::default();
        let allocated = allocate(&spec, &status, &self.pools, &self.book, &mut self.hints);
        if allocated.is_ok() {
            self.hints.keep();
        } else {
            self.hints.rollback();
        }
        match allocated {
            Ok(allocation) => allocation.write_to(&mut status),
            Err(Refusal::Invalid(fault)) => return Err(format!("invalid {fault}")),
            Err(Refusal::Conflict(fault)) => return Err(format!("conflict {fault}")),
        }
        for claim in claims_of(&spec, &status) {
            self.book.claims.insert(claim.to_string(), name.parse().expect("a name"));
        }
        Ok(status)
    }
}

fn public(status: &SubscriberStatus) -> String {
    assert_eq!((status.nat, status.subnet), (None, None));
    status.public_address.expect("a public address").to_string()
}

#[test]
fn a_public_address_is_of_a_routed_pool_and_nobody_elses() {
    let mut office = Office::new();
    let chosen = json!({"bundle": {"natOneToOne": true}});
    let alice = office.add("alice", chosen.clone()).expect("allocated");
    assert_eq!((public(&alice), alice.address), ("203.0.113.0".into(), "100.64.0.2".parse().ok()));
    let wanted = |address: &str| json!({"bundle": {"natOneToOne": true}, "publicAddress": address});
    let bob = office.add("bob", wanted("203.0.113.2")).expect("allocated");
    assert_eq!(public(&bob), "203.0.113.2");
    assert_eq!(public(&office.add("carol", chosen).expect("allocated")), "203.0.113.1");
    let taken = office.add("dave", wanted("203.0.113.2")).expect_err("taken");
    assert!(taken.starts_with("conflict /spec/publicAddress") && taken.contains("bob"), "{taken}");
    let nowhere = office.add("dave", wanted("192.0.2.1")).expect_err("no pool");
    assert!(nowhere.starts_with("invalid /spec/publicAddress"), "{nowhere}");
    let subnet =
        office.add("dave", json!({"bundle": {"nat": false}, "subnet": "203.0.113.0/30"})).expect_err("taken");
    assert!(subnet.starts_with("conflict /spec/subnet"), "{subnet}");
    let used: Vec<String> = pools().used_by(&alice).map(ToString::to_string).collect();
    assert_eq!(used, ["inside", "business"]);
}

#[test]
fn further_subnets_are_nobody_elses_either() {
    let mut office = Office::new();
    let firm =
        |own: &str, more: &[&str]| json!({"bundle": {"nat": false}, "subnet": own, "moreSubnets": more});
    let first = office
        .add("first", firm("203.0.113.0/29", &["203.0.113.16/29", "203.0.113.24/32"]))
        .expect("allocated");
    assert_eq!(first.more_subnets.len(), 2);
    for (own, more, refusal) in [
        ("203.0.113.8/29", "203.0.113.16/30", "conflict /spec/moreSubnets/0"),
        ("203.0.113.8/29", "203.0.113.8/32", "conflict /spec/moreSubnets/0"),
        ("203.0.113.24/29", "203.0.113.8/29", "conflict /spec/subnet"),
        ("203.0.113.8/29", "192.0.2.0/28", "invalid /spec/moreSubnets/0"),
    ] {
        let refused = office.add("second", firm(own, &[more])).expect_err("refused");
        assert!(refused.starts_with(refusal), "{refused}");
    }
    let status = json!({"observedGeneration": 1, "address": "203.0.113.2", "gateway": "203.0.113.1",
                        "subnet": "203.0.113.0/29", "moreSubnets": ["203.0.113.16/29"]});
    let subscriber = subscriber(json!({"bundle": {"nat": false}}), &status);
    let routed = session(&subscriber, &super::office(), &pools()).expect("allocated");
    assert_eq!(routed.more_networks, ["203.0.113.16/29".parse().expect("a prefix")]);
}

#[test]
fn further_prefixes_of_ipv6_are_what_a_pool_delegates() {
    let pools = pools_with_ipv6();
    let mut office = Office::new();
    office.pools = pools.clone();
    let home = |more: &[&str]| json!({"bundle": {"ipv6": true}, "moreSubnets": more});
    let named = ["2001:db8:100:100::/56", "2001:db8:100:300::/56"];
    let alice = office.add("alice", home(&named)).expect("allocated");
    assert_eq!(alice.more_subnets, named.map(|prefix| prefix.parse().expect("a prefix")));
    let delegated = |status: &SubscriberStatus| status.ipv6.expect("IPv6").delegated.to_string();
    assert_eq!(delegated(&alice), "2001:db8:100::/56");
    let used: Vec<String> = pools.used_by(&alice).map(ToString::to_string).collect();
    assert_eq!(used, ["inside", "public", "homes", "homes", "links", "homes"]);
    // What one has named is chosen for nobody else.
    for (more, refusal) in [
        (named[1], "conflict /spec/moreSubnets/0"),
        ("2001:db8:100:200::/56", "conflict /spec/bundle/ipv6"),
        ("2001:db8:100:200::/57", "invalid /spec/moreSubnets/0"),
        ("2001:db8:200::/56", "invalid /spec/moreSubnets/0"),
    ] {
        let refused = office.add("bob", home(&[more])).expect_err("refused");
        assert!(refused.starts_with(refusal), "{refused}");
    }
    assert_eq!(delegated(&office.add("bob", home(&[])).expect("allocated")), "2001:db8:100:200::/56");
    let status = serde_json::to_value(&alice).expect("JSON");
    let alice = subscriber(home(&named), &status);
    let line = session(&alice, &super::office(), &pools).expect("allocated").ipv6.expect("IPv6");
    assert_eq!(line.more_networks, named.map(|prefix| prefix.parse().expect("a prefix")));
}

#[test]
fn a_session_is_told_what_stands_for_it() {
    let status = json!({"observedGeneration": 1, "address": "100.64.0.2", "gateway": "100.64.0.1",
                        "publicAddress": "203.0.113.77"});
    let bundle = json!({"natOneToOne": true, "natExempt": true, "firewall": {}});
    let session =
        session(&subscriber(json!({"bundle": bundle}), &status), &office(), &pools()).expect("allocated");
    assert_eq!((session.nat, session.nat_address), (None, "203.0.113.77".parse().ok()));
    assert!(session.nat_exempt && session.firewall.is_some_and(|firewall| firewall.ipv4));
    assert_eq!(session.network, "100.64.0.2/32".parse().expect("a prefix"));
}
