use super::*;

mod examples;
mod kinds;
mod secrets;

const ALICE: &str = r#"{"kind":"Subscriber","metadata":{"name":"alice"},"spec":{"access":{"node":"node1","port":"access0","sVid":100,"cVid":7},"bundle":{"rateUp":"20M","rateDown":"100M","nat":true,"dns":["9.9.9.9"]}}}"#;
const NODE: &str = r#"{"kind":"Node","metadata":{"name":"node1"},"spec":{"loopback":"192.0.2.129","ports":[{"name":"access0","role":"access","outerTpid":"0x88a8","mtu":1500},{"name":"core0","role":"core","addresses":["192.0.2.2/30"]}],"routes":[{"prefix":"0.0.0.0/0","via":"192.0.2.1"}]}}"#;
const POOL: &str = r#"{"kind":"AddressPool","metadata":{"name":"inside"},"spec":{"node":"node1","purpose":"subscriber","prefix":"100.64.0.0/16","gateway":"100.64.0.1"}}"#;

/// The pointers of all faults of a document after each `from` was replaced by its `to`.
fn faults<K: Kind>(document: &str, edits: &[(&str, &str)]) -> Vec<String> {
    let mut text = document.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let faults = match parse::<Draft<K>>(text.as_bytes()) {
        Ok(draft) => draft.validate(),
        Err(ParseError::Faults(faults)) => faults,
        Err(ParseError::Syntax { line, column, detail }) => panic!("{line}:{column}: {detail}"),
    };
    assert!(faults.iter().all(|fault| !fault.detail.is_empty()), "{faults:?}");
    faults.into_iter().map(|fault| fault.pointer.as_str().to_owned()).collect()
}

/// Edits, and the pointers of the faults that they make.
type Case = (&'static [(&'static str, &'static str)], &'static [&'static str]);

#[test]
fn examples_are_valid() {
    assert_eq!(faults::<SubscriberSpec>(ALICE, &[]), [""; 0]);
    assert_eq!(faults::<NodeSpec>(NODE, &[]), [""; 0]);
    assert_eq!(faults::<AddressPoolSpec>(POOL, &[]), [""; 0]);
    let node: Draft<NodeSpec> = parse(NODE.as_bytes()).expect("parses");
    assert_eq!(node.spec.ports[1].mtu, 1500);
    let bare =
        ALICE.replace(r#","bundle":{"rateUp":"20M","rateDown":"100M","nat":true,"dns":["9.9.9.9"]}"#, "");
    assert!(parse::<Draft<SubscriberSpec>>(bare.as_bytes()).expect("parses").spec.bundle.nat);
}

#[test]
fn every_fault_has_its_pointer() {
    let cases: [Case; 29] = [
        (&[("100,", "0,")], &["/spec/access/sVid"]),
        (&[("100,", "0,"), (":7", ":4095")], &["/spec/access/cVid", "/spec/access/sVid"]),
        (
            &[("20M", "1k"), ("100M", "x"), ("9.9.9.9", "9.9.9")],
            &["/spec/bundle/dns/0", "/spec/bundle/rateDown", "/spec/bundle/rateUp"],
        ),
        (&[("\"dns\"", "\"colour\":1,\"dns\"")], &["/spec/bundle/colour"]),
        (&[("\"sVid\":100,", "")], &[]),
        (&[(",\"sVid\":100,\"cVid\":7", "")], &[]),
        (&[(",\"cVid\":7", "")], &["/spec/access/cVid"]),
        (&[("\"cVid\":7", "\"cVid\":7,\"cVid\":8")], &["/spec/access/cVid"]),
        (&[("alice", "Alice")], &["/metadata/name"]),
        (&[("\"bundle\"", "\"state\":\"quarantined\",\"bundle\"")], &[]),
        (&[("\"bundle\"", "\"state\":\"asleep\",\"bundle\"")], &["/spec/state"]),
        (&[("\"nat\"", "\"ipv6\":true,\"dns6\":[\"2001:db8::53\"],\"nat\"")], &[]),
        (
            &[("\"nat\"", "\"ipv6\":true,\"dns6\":[\"2001:db8::53\",\"fe80::1\"],\"nat\"")],
            &["/spec/bundle/dns6/1"],
        ),
        (&[("\"nat\"", "\"dns6\":[\"2001:db8::53\"],\"nat\"")], &["/spec/bundle/dns6"]),
        (
            &[(
                "\"nat\"",
                r#""portForwards":[{"protocol":"tcp","port":1040,"toPort":80},{"protocol":"udp","toPort":80}],"nat""#,
            )],
            &[],
        ),
        (
            &[(
                "\"nat\"",
                r#""portForwards":[{"protocol":"tcp","port":1040,"toPort":80},{"protocol":"tcp","port":1040,"toPort":80},{"protocol":"tcp","toPort":0}],"nat""#,
            )],
            &[
                "/spec/bundle/portForwards/1/toPort",
                "/spec/bundle/portForwards/1/port",
                "/spec/bundle/portForwards/2/toPort",
            ],
        ),
        (
            &[(
                "\"nat\":true",
                r#""firewall":{},"portForwards":[{"protocol":"tcp","toPort":80}],"nat":false"#,
            )],
            &["/spec/bundle/portForwards"],
        ),
        (
            &[(
                "\"nat\"",
                r#""firewall":{"colour":1},"portForwards":[{"protocol":"gre","toPort":80}],"nat""#,
            )],
            &["/spec/bundle/firewall/colour", "/spec/bundle/portForwards/0/protocol"],
        ),
        (
            &[(
                "\"nat\"",
                r#""firewall":{"rules":[{"name":"a","direction":"in","action":"allow","protocol":"tcp","destinationPorts":"22"},{"name":"a","direction":"out","action":"deny","destinationPorts":"22"},{"name":"b","direction":"in","action":"allow","source":"192.0.2.0/24","destination":"2001:db8::/32"}]},"nat""#,
            )],
            &[
                "/spec/bundle/firewall/rules/1/name",
                "/spec/bundle/firewall/rules/1/destinationPorts",
                "/spec/bundle/firewall/rules/2/destination",
            ],
        ),
        (
            &[(
                "\"nat\"",
                r#""firewall":{"rules":[{"name":"a","direction":"up","action":"allow","protocol":"gre","sourcePorts":"2-1"}]},"nat""#,
            )],
            &[
                "/spec/bundle/firewall/rules/0/direction",
                "/spec/bundle/firewall/rules/0/protocol",
                "/spec/bundle/firewall/rules/0/sourcePorts",
            ],
        ),
        (&[("Subscriber", "Node")], &["/kind"]),
        (&[("Subscriber", "Gizmo")], &["/kind"]),
        (&[("\"nat\"", "\"committedUp\":\"20M\",\"committedDown\":\"128k\",\"nat\"")], &[]),
        (
            &[("\"nat\"", "\"committedUp\":\"21M\",\"committedDown\":\"1G\",\"nat\"")],
            &["/spec/bundle/committedUp", "/spec/bundle/committedDown"],
        ),
        (&[("9.9.9.9", "224.0.0.1")], &["/spec/bundle/dns/0"]),
        (
            &[("}}}", "},\"subnet\":\"203.0.113.8/29\",\"subnetLength\":28}}")],
            &["/spec/subnet", "/spec/subnetLength"],
        ),
        (&[("true", "false"), ("}}}", "},\"subnet\":\"203.0.113.8/31\"}}")], &["/spec/subnet"]),
        (&[("true", "false"), ("}}}", "},\"address\":\"100.64.0.9\"}}")], &["/spec/address"]),
        (
            &[("\"alice\"", "\"alice\",\"labels\":{\"a b\":\"\",\"c\":\"d e\"}")],
            &["/metadata/labels/a b", "/metadata/labels/c"],
        ),
    ];
    for (edits, expected) in cases {
        assert_eq!(faults::<SubscriberSpec>(ALICE, edits), expected, "{edits:?}");
    }
}

#[test]
fn every_fault_of_nat_has_its_pointer() {
    let cases: [Case; 17] = [
        (&[("\"nat\"", "\"natFiltering\":\"addressDependent\",\"firewall\":{},\"nat\"")], &[]),
        (
            &[("\"nat\":true", "\"natFiltering\":\"addressDependent\",\"nat\":false")],
            &["/spec/bundle/natFiltering"],
        ),
        (
            &[("\"nat\"", r#""natFiltering":"addressAndPortDependent","firewall":{"enabled":false},"nat""#)],
            &["/spec/bundle/natFiltering"],
        ),
        (
            &[(
                "\"nat\"",
                r#""natFiltering":"addressDependent","firewall":{"rules":[{"name":"a","direction":"in","action":"allow"}]},"nat""#,
            )],
            &["/spec/bundle/natFiltering"],
        ),
        (&[("\"nat\"", "\"overflowBlocks\":4,\"nat\"")], &[]),
        (&[("\"nat\"", "\"overflowBlocks\":5,\"nat\"")], &["/spec/bundle/overflowBlocks"]),
        (&[("\"nat\":true", "\"overflowBlocks\":0,\"nat\":false")], &["/spec/bundle/overflowBlocks"]),
        (
            &[
                ("\"nat\"", "\"natOneToOne\":true,\"natExempt\":true,\"nat\""),
                ("}}}", "},\"publicAddress\":\"203.0.113.77\"}}"),
            ],
            &[],
        ),
        (
            &[("\"nat\":true", "\"natOneToOne\":true,\"natExempt\":true,\"nat\":false")],
            &["/spec/bundle/natOneToOne", "/spec/bundle/natExempt"],
        ),
        (
            &[(
                "\"nat\"",
                r#""natOneToOne":true,"overflowBlocks":1,"natFiltering":"addressDependent","portForwards":[{"protocol":"tcp","toPort":80}],"nat""#,
            )],
            &["/spec/bundle/overflowBlocks", "/spec/bundle/natFiltering", "/spec/bundle/portForwards"],
        ),
        (&[("}}}", "},\"publicAddress\":\"203.0.113.77\"}}")], &["/spec/publicAddress"]),
        (&[("}}}", "},\"moreSubnets\":[\"203.0.113.8/29\"]}}")], &["/spec/moreSubnets"]),
        (
            &[
                ("true", "false"),
                ("}}}", "},\"subnet\":\"203.0.113.8/29\",\"moreSubnets\":[\"203.0.113.16/32\"]}}"),
            ],
            &[],
        ),
        (
            &[
                ("true", "false"),
                (
                    "}}}",
                    "},\"subnet\":\"203.0.113.8/29\",\"moreSubnets\":[\"203.0.113.8/32\",\"203.0.112.0/22\",\"10.0.0.0/7\"]}}",
                ),
            ],
            &["/spec/moreSubnets/0", "/spec/moreSubnets/1", "/spec/moreSubnets/2"],
        ),
        (&[("}}}", "},\"moreSubnets\":[\"2001:db8:1::/56\"]}}")], &["/spec/moreSubnets/0"]),
        (
            &[
                ("\"nat\"", "\"ipv6\":true,\"nat\""),
                ("}}}", "},\"moreSubnets\":[\"2001:db8:1::/56\",\"2001:db8:2::/64\"]}}"),
            ],
            &[],
        ),
        (
            &[
                ("\"nat\"", "\"ipv6\":true,\"nat\""),
                ("}}}", "},\"moreSubnets\":[\"2001:db8:8::/47\",\"2001:db8:1::/56\",\"2001:db8:1::/64\"]}}"),
            ],
            &["/spec/moreSubnets/0", "/spec/moreSubnets/2"],
        ),
    ];
    for (edits, expected) in cases {
        assert_eq!(faults::<SubscriberSpec>(ALICE, edits), expected, "{edits:?}");
    }
}

#[test]
fn an_array_is_no_object() {
    let cases: [Case; 6] = [
        (
            &[(r#"{"node":"node1","port":"access0","sVid":100,"cVid":7}"#, r#"["node1","access0",100,7]"#)],
            &["/spec/access"],
        ),
        (
            &[("{\"rateUp\":\"20M\",\"rateDown\":\"100M\",\"nat\":true,\"dns\":[\"9.9.9.9\"]}", "[]")],
            &["/spec/bundle"],
        ),
        (&[(r#"{"name":"alice"}"#, r#"["alice"]"#)], &["/metadata"]),
        (
            &[(r#""alice""#, r#""alice","ownerReferences":[["Node","a","b"]]"#)],
            &["/metadata/ownerReferences/0"],
        ),
        (&[(r#""alice""#, r#""alice","labels":["a","b"]"#)], &["/metadata/labels"]),
        (&[(r#""bundle""#, r#""mac":null,"bundle""#)], &[]),
    ];
    for (edits, expected) in cases {
        let mut found = faults::<SubscriberSpec>(ALICE, edits);
        found.sort();
        assert_eq!(found, expected, "{edits:?}");
    }
    let port = r#"{"name":"access0","role":"access","outerTpid":"0x88a8","mtu":1500}"#;
    let edit = (port, r#"["access0","access","0x88a8",1500,[]]"#);
    assert_eq!(faults::<NodeSpec>(NODE, &[edit]), ["/spec/ports/0"]);
    assert_eq!(faults::<AddressPoolSpec>("[]", &[]), [""]);
    let value = serde_json::json!(["AddressPool", {"name": "inside"}, {}]);
    let faults = parse_value::<Draft<AddressPoolSpec>>(value).expect_err("an array");
    assert_eq!(faults, [Fault::new(Pointer::root(), "invalid type: sequence, expected an object")]);
}

#[test]
fn nodes_and_pools_are_judged() {
    let cases: [Case; 9] = [
        (&[("core0", "access0")], &["/spec/ports/1/name"]),
        (&[("192.0.2.1\"", "192.0.2.9\"")], &["/spec/routes/0/via"]),
        (&[("\"mtu\":1500", "\"mtu\":9000")], &["/spec/ports/0/mtu"]),
        (&[("\"core\",", "\"core\",\"outerTpid\":\"0x8100\",")], &["/spec/ports/1/outerTpid"]),
        (&[("\"core\",", "\"core\",\"priorityFromDscp\":true,")], &["/spec/ports/1/priorityFromDscp"]),
        (&[("\"core\",", "\"core\",\"dscpFromPriority\":true,")], &["/spec/ports/1/dscpFromPriority"]),
        (&[("\"core\",", "\"core\",\"broadcastLimit\":50,")], &["/spec/ports/1/broadcastLimit"]),
        (&[("\"access\",", "\"access\",\"broadcastLimit\":0,")], &["/spec/ports/0/broadcastLimit"]),
        (&[("192.0.2.129", "127.0.0.1"), ("access0", "wc-lo0")], &["/spec/loopback", "/spec/ports/0/name"]),
    ];
    for (edits, expected) in cases {
        assert_eq!(faults::<NodeSpec>(NODE, edits), expected, "{edits:?}");
    }
    let route6 = r#""routes6":[{"prefix":"::/0","via":"fe80::1","port":"core0"}],"routes"#;
    for (from, to, expected) in [
        ("core0", "core0", None),
        ("fe80::1", "2001:db8::1", Some("/spec/routes6/0/via")),
        ("core0", "access0", Some("/spec/routes6/0/port")),
        ("core0", "core9", Some("/spec/routes6/0/port")),
        ("[{", r#"[{"prefix":"::/0","via":"fe80::2","port":"core0"},{"#, Some("/spec/routes6/1/prefix")),
    ] {
        let found = faults::<NodeSpec>(NODE, &[("\"routes\"", &(route6.replacen(from, to, 1) + "\""))]);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{to}");
    }
    let garden = r#""garden":{"portal":"https://[2001:db8::80]/pay","allowed":["192.0.2.66/32","2001:db8::/64"]},"routes"#;
    for (from, to, expected) in [
        ("192", "192", None),
        ("https://[2001:db8::80]/pay", "http://portal.example", None),
        ("2001:db8::80", "2001:db8:1::80", Some("/spec/garden/portal")),
        ("[2001:db8::80]", "192.0.2.67:8080", Some("/spec/garden/portal")),
        ("192.0.2.66/32", "0.0.0.0/0", Some("/spec/garden/allowed/0")),
    ] {
        let found = faults::<NodeSpec>(NODE, &[("\"routes\"", &(garden.replacen(from, to, 1) + "\""))]);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{to}");
    }
    for (to, expected) in [("192.0.2.64/26", None), ("0.0.0.0/0", Some("/spec/natExempt/0"))] {
        let exempt = format!("\"natExempt\":[\"{to}\"],\"routes\"");
        let found = faults::<NodeSpec>(NODE, &[("\"routes\"", &exempt)]);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{to}");
    }
    let voice = r#""voice":{"platforms":["192.0.2.70/32","2001:db8::/64"],"dscp":46,"priority":5},"routes"#;
    for (from, to, expected) in [
        ("46", "46", None),
        (r#","dscp":46,"priority":5"#, "", None),
        ("46", "64", Some("/spec/voice/dscp")),
        ("5}", "8}", Some("/spec/voice/priority")),
        ("2001:db8::/64", "::/0", Some("/spec/voice/platforms/1")),
        ("192.0.2.70/32", "192.0.2.70/33", Some("/spec/voice/platforms/0")),
    ] {
        let found = faults::<NodeSpec>(NODE, &[("\"routes\"", &(voice.replacen(from, to, 1) + "\""))]);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{to}");
    }
    let log = r#""natLog":{"collector":"192.0.2.66:4739","observationDomain":7,"perFlow":true},"routes"#;
    for (from, to, expected) in [
        ("192.0.2.66", "192.0.2.66", None),
        ("192.0.2.66", "[2001:db8::9]", None),
        (r#","observationDomain":7,"perFlow":true"#, "", None),
        (":7", ":0", Some("/spec/natLog/observationDomain")),
        ("192.0.2.66", "collector.example", Some("/spec/natLog/collector")),
        ("192.0.2.66", "224.0.0.1", Some("/spec/natLog/collector")),
        ("4739", "0", Some("/spec/natLog/collector")),
        ("perFlow", "flows", Some("/spec/natLog/flows")),
    ] {
        let found = faults::<NodeSpec>(NODE, &[("\"routes\"", &(log.replacen(from, to, 1) + "\""))]);
        assert_eq!(found, expected.into_iter().collect::<Vec<_>>(), "{to}");
    }
    let cases: [Case; 10] = [
        (&[("\"purpose\"", "\"overflowPorts\":256,\"purpose\"")], &["/spec/overflowPorts"]),
        (
            &[("subscriber", "nat"), (".1\"", ".1\",\"overflowPorts\":128")],
            &["/spec/gateway", "/spec/overflowPorts"],
        ),
        (
            &[("subscriber", "nat"), (".1\"", ".1\",\"overflowPorts\":33024,\"portsPerSubscriber\":64")],
            &["/spec/gateway", "/spec/overflowPorts"],
        ),
        (&[("100.64.0.1\"", "100.65.0.1\"")], &["/spec/gateway"]),
        (&[("100.64.0.1\"", "100.64.0.0\"")], &["/spec/gateway"]),
        (&[("/16", "/31")], &["/spec/prefix"]),
        (&[("100.64.0.0/16", "2001:db8::/32")], &["/spec/prefix"]),
        (&[("\"purpose\"", "\"delegatedLength\":56,\"purpose\"")], &["/spec/delegatedLength"]),
        (
            &[("subscriber", "nat"), (".1\"", ".1\",\"portsPerSubscriber\":100")],
            &["/spec/gateway", "/spec/portsPerSubscriber"],
        ),
        (
            &[(".1\"", ".1\",\"leaseSeconds\":1,\"portsPerSubscriber\":64")],
            &["/spec/portsPerSubscriber", "/spec/leaseSeconds"],
        ),
    ];
    for (edits, expected) in cases {
        assert_eq!(faults::<AddressPoolSpec>(POOL, edits), expected, "{edits:?}");
    }
}

#[test]
fn pools_of_ipv6_are_judged() {
    const POOL6: &str = r#"{"kind":"AddressPool","metadata":{"name":"links"},"spec":{"node":"node1","purpose":"link6","prefix":"2001:db8:100::/48"}}"#;
    const DELEGATED: (&str, &str) = ("link6", "delegated6");
    const LENGTH: (&str, &str) = ("/48\"", "/48\",\"delegatedLength\":60");
    let cases: [Case; 14] = [
        (&[], &[]),
        (&[("/48\"", "/64\",\"leaseSeconds\":600")], &[]),
        (&[("/48", "/65")], &["/spec/prefix"]),
        (&[("2001:db8:100::/48", "2000::/15")], &["/spec/prefix"]),
        (&[("2001:db8:100::/48", "fe80::/48")], &["/spec/prefix"]),
        (&[("2001:db8:100::/48", "ff00::/48")], &["/spec/prefix"]),
        (&[("2001:db8:100::/48", "100.64.0.0/16")], &["/spec/prefix"]),
        (&[("/48\"", "/48\",\"gateway\":\"192.0.2.1\"")], &["/spec/gateway"]),
        (&[LENGTH], &["/spec/delegatedLength"]),
        (&[DELEGATED, LENGTH], &[]),
        (&[DELEGATED, ("/48", "/56")], &[]),
        (&[DELEGATED, ("/48", "/57")], &["/spec/delegatedLength"]),
        (&[DELEGATED, ("/48\"", "/48\",\"delegatedLength\":65")], &["/spec/delegatedLength"]),
        (&[DELEGATED, ("/48\"", "/48\",\"leaseSeconds\":600")], &["/spec/leaseSeconds"]),
    ];
    for (edits, expected) in cases {
        assert_eq!(faults::<AddressPoolSpec>(POOL6, edits), expected, "{edits:?}");
    }
}

#[test]
fn malformed_json_has_a_position() {
    for (text, at) in [("{", (1, 1)), ("{\n\"kind\":\"Node\",}", (2, 15)), ("{}x", (1, 3))] {
        match parse::<serde_json::Map<String, serde_json::Value>>(text.as_bytes()) {
            Err(ParseError::Syntax { line, column, .. }) => assert_eq!((line, column), at, "{text}"),
            other => panic!("{text}: {other:?}"),
        }
    }
    assert!(matches!(parse::<Draft<NodeSpec>>(b"{\"kind\":\"Node\""), Err(ParseError::Syntax { .. })));
    assert!(matches!(parse::<Draft<NodeSpec>>(b"{\"kind\":1,"), Err(ParseError::Syntax { .. })));
}

#[test]
fn merge_patches_as_rfc_7396_says() {
    let cases = [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":{"b":"c"}}"#, r#"{"a":{"b":"d","c":null}}"#, r#"{"a":{"b":"d"}}"#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
        ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
    ];
    for (target, patch, expected) in cases {
        let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        let mut value = json(target);
        merge_patch(&mut value, json(patch));
        assert_eq!(value, json(expected), "{target} {patch}");
    }
}

#[test]
fn a_condition_turns_only_with_its_status() {
    let at = |seconds| jiff::Timestamp::from_second(seconds).expect("in range");
    let mut conditions = Vec::new();
    set_condition(&mut conditions, READY, ConditionStatus::False, "Progressing", "", at(1));
    set_condition(&mut conditions, READY, ConditionStatus::False, "Refused", "no", at(2));
    assert_eq!((conditions.len(), conditions[0].last_transition_time), (1, at(1)));
    set_condition(&mut conditions, READY, ConditionStatus::True, "Programmed", "", at(3));
    assert_eq!((conditions.len(), conditions[0].last_transition_time), (1, at(3)));
}
