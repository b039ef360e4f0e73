//! Firewalls, and ports that lead in.

use serde_json::{Value, json};
use xos_model::{SubscriberSpec, SubscriberStatus};

use super::*;

/// The outside ports of an allocation for what is asked, which then is what the subscriber has.
fn forwarded(wanted: &Value, status: &mut SubscriberStatus) -> Result<Vec<u16>, String> {
    let spec: SubscriberSpec = spec(json!({"bundle": {"portForwards": wanted}}));
    let done = allocate(&spec, status, &pools(), &Book::default(), &mut Hints::default());
    match done {
        Ok(allocation) => {
            allocation.write_to(status);
            let address = status.nat.expect("NAT").address;
            assert!(status.port_forwards.iter().all(|forwarded| forwarded.address == address));
            Ok(status.port_forwards.iter().map(|forwarded| forwarded.port).collect())
        }
        Err(Refusal::Invalid(fault)) => Err(fault.to_string()),
        Err(Refusal::Conflict(fault)) => panic!("{fault}"),
    }
}

#[test]
fn outside_ports_are_picked_from_the_share_and_kept() {
    let mut status = SubscriberStatus::default();
    let tcp = |to: u16| json!({"protocol": "tcp", "toPort": to});
    let asked = |port: u16, to: u16| json!({"protocol": "udp", "port": port, "toPort": to});
    // The share is 16384 to 32767.
    assert_eq!(forwarded(&json!([tcp(80), tcp(443)]), &mut status), Ok(vec![16_396, 16_397]));
    assert_eq!(forwarded(&json!([tcp(443)]), &mut status), Ok(vec![16_397]));
    assert_eq!(forwarded(&json!([tcp(22), tcp(443)]), &mut status), Ok(vec![16_396, 16_397]));
    // Who asks for a port comes before who has it, and keeps nobody else from what is left.
    let both = json!([tcp(443), asked(16_397, 53), asked(32_767, 54)]);
    assert_eq!(forwarded(&both, &mut status), Ok(vec![16_396, 16_397, 32_767]));
    for port in [443, 16_395, 32_768] {
        let why = format!(
            "/spec/bundle/portForwards/1/port: {port} is not one of the subscriber's ports that can be forwarded, \
             16396 to 32767 of 198.51.100.1; without one, the office picks it"
        );
        assert_eq!(forwarded(&json!([tcp(80), asked(port, 53)]), &mut status), Err(why));
    }
    assert_eq!(forwarded(&json!([]), &mut status), Ok(vec![]));
}

fn rules() -> Value {
    json!([
        {"name": "ssh", "direction": "in", "action": "allow", "protocol": "tcp", "source": "192.0.2.0/24", "destinationPorts": "22"},
        {"name": "mail", "direction": "out", "action": "deny", "protocol": "47", "destination": "2001:db8::/32"},
    ])
}

#[test]
fn a_session_has_the_firewall_and_the_forwards_of_its_bundle() {
    let routed = json!({"observedGeneration": 1, "address": "203.0.113.10", "gateway": "203.0.113.9", "subnet": "203.0.113.8/29"});
    let nat = json!({"observedGeneration": 1, "address": "100.64.0.2", "gateway": "100.64.0.1",
                     "nat": {"address": "198.51.100.1", "firstPort": 1024, "ports": 256},
                     "portForwards": [{"protocol": "udp", "address": "198.51.100.1", "port": 1040, "toPort": 53}]});
    let mut with_ipv6 = routed.clone();
    with_ipv6["ipv6"] =
        json!({"link": "2001:db8:0:2::/64", "address": "2001:db8:0:2::1", "delegated": "2001:db8:100::/56"});
    let of = |bundle: Value, status: &Value| {
        let subscriber = subscriber(json!({"bundle": bundle}), status);
        session(&subscriber, &office(), &pools_with_ipv6()).expect("allocated")
    };
    let firewall =
        |bundle, status| of(bundle, status).firewall.map(|firewall| (firewall.flows, firewall.ipv4));
    for (bundle, status, expected) in [
        (json!({"nat": false}), &routed, None),
        (json!({"nat": false, "firewall": {}}), &routed, Some((1024, true))),
        (json!({"nat": false, "firewall": {"enabled": false}}), &routed, None),
        (json!({"nat": false, "ipv6": true}), &with_ipv6, Some((256, false))),
        (json!({"nat": false, "ipv6": true, "firewall": {}}), &with_ipv6, Some((1024, true))),
        (json!({"nat": false, "ipv6": true, "firewall": {"enabled": false}}), &with_ipv6, None),
        (json!({"firewall": {}}), &nat, None),
        (json!({"firewall": {"rules": rules()}}), &nat, Some((1024, true))),
        (json!({"firewall": {"enabled": false, "rules": rules()}}), &nat, None),
        (json!({"natFiltering": "endpointIndependent"}), &nat, None),
        (json!({"natFiltering": "addressDependent"}), &nat, Some((1024, true))),
        (json!({"natFiltering": "addressAndPortDependent", "firewall": {}}), &nat, Some((1024, true))),
    ] {
        assert_eq!(firewall(bundle.clone(), status), expected, "{bundle}");
    }
    assert_eq!(of(json!({"firewall": {"enabled": false, "rules": rules()}}), &nat).firewall_rules, []);
    let told = of(json!({"firewall": {"rules": rules()}}), &nat).firewall_rules;
    assert_eq!(
        serde_json::to_value(told).expect("JSON"),
        json!([
            {"name": "ssh", "direction": "in", "action": "allow", "protocol": 6, "source": "192.0.2.0/24",
             "destinationPorts": {"first": 22, "last": 22}},
            {"name": "mail", "direction": "out", "action": "deny", "protocol": 47, "destination": "2001:db8::/32"},
        ])
    );
    let forwards = of(json!({}), &nat).port_forwards;
    assert_eq!(
        serde_json::to_value(forwards).expect("JSON"),
        json!([{"protocol": "udp", "port": 1040, "toPort": 53}])
    );
}
