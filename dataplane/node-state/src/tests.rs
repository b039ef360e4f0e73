use super::*;

const ALICE: &str = r#"{"kind":"session","subscriber":"alice","port":"access0","tags":{"sVid":100,"cVid":7},"state":"active","mac":null,"lease":"100.64.0.2/16","gateway":"100.64.0.1","network":"100.64.0.2/32","dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":{"address":"198.51.100.1","firstPort":1024,"ports":256},"rateUp":{"rate":"20M","burstUs":50000},"rateDown":null}"#;

/// Behind a router that is delegated a /56; a host on the link has an address of its own.
const BOB: &str = r#"{"kind":"session","subscriber":"bob","port":"access0","tags":{"sVid":100,"cVid":8},"state":"active","mac":null,"lease":"100.64.0.3/16","gateway":"100.64.0.1","network":"100.64.0.3/32","dnsServers":[],"leaseSeconds":3600,"nat":null,"rateUp":null,"rateDown":null,"ipv6":{"link":"2001:db8:0:1::/64","address":"2001:db8:0:1::2","delegated":"2001:db8:1::/56","autonomous":false,"dnsServers":["2001:db8::53"],"preferredSeconds":1800,"validSeconds":3600}}"#;

/// With two rates in one direction.
const CAROL: &str = r#"{"kind":"session","subscriber":"carol","port":"access0","tags":{"sVid":100,"cVid":9},"state":"active","mac":null,"lease":"100.64.0.4/16","gateway":"100.64.0.1","network":"100.64.0.4/32","dnsServers":[],"leaseSeconds":3600,"nat":null,"rateUp":{"rate":"20M","burstUs":50000},"rateDown":null,"committedUp":{"rate":"5M","burstUs":50000}}"#;

const OTHERS: [&str; 8] = [
    r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#,
    r#"{"kind":"port","name":"core0","role":"core","mtu":1500,"addresses":["192.0.2.2/30"]}"#,
    r#"{"kind":"link","name":"wc-lo0","type":"token-ring","mtu":1500,"addresses":[]}"#,
    r#"{"kind":"route6","prefix":"::/0","target":{"via":{"gateway":"fe80::1","port":"core0"}}}"#,
    r#"{"kind":"route6","prefix":"2001:db8:100::/48","target":"pool"}"#,
    r#"{"kind":"route","prefix":"0.0.0.0/0","target":{"via":{"gateway":"192.0.2.1","port":"core0"}}}"#,
    r#"{"kind":"garden","portal":"http://192.0.2.66/pay","allowed":["192.0.2.66/32","2001:db8:66::/48"]}"#,
    r#"{"kind":"natLog","collector":"192.0.2.66:4739","observationDomain":7,"perFlow":true}"#,
];

#[test]
fn wire_form_round_trips_and_is_stable() {
    for text in
        [ALICE, BOB, CAROL, OTHERS[0], OTHERS[1], OTHERS[3], OTHERS[4], OTHERS[5], OTHERS[6], OTHERS[7]]
    {
        let resource = Resource::decode(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(String::from_utf8(resource.encode()).expect("JSON"), text);
        assert_eq!(resource.version(), Version::of(text.as_bytes()));
    }
}

#[test]
fn illegal_values_do_not_decode() {
    for (from, to) in [
        ("\"sVid\":100", "\"sVid\":0"),
        ("\"cVid\":7", "\"cVid\":4095"),
        ("alice", "Alice"),
        (r#""active""#, "true"),
    ] {
        assert!(Resource::decode(ALICE.replace(from, to).as_bytes()).is_err(), "{to}");
    }
    let (link, wrong) = ("2001:db8:0:1::/64", "2001:db8:0:1::2/64");
    assert!(Resource::decode(BOB.replace(link, wrong).as_bytes()).is_err());
    assert!(Resource::decode(OTHERS[2].as_bytes()).is_err());
    assert!(Resource::decode(OTHERS[6].replace("http:", "ftp:").as_bytes()).is_err());
}

#[test]
fn tags_are_two_one_or_none() {
    for (tags, shown) in [(r#"{"sVid":100,"cVid":7}"#, "100.7"), (r#"{"cVid":7}"#, "7"), ("{}", "untagged")] {
        let text = ALICE.replace(r#"{"sVid":100,"cVid":7}"#, tags);
        let resource = Resource::decode(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"));
        assert_eq!(String::from_utf8(resource.encode()).expect("JSON"), text);
        let Resource::Session(session) = resource else { panic!("a session") };
        assert_eq!(session.tags.to_string(), shown);
    }
    for wrong in [r#"{"sVid":100}"#, r#"{"cVid":7,"vid":7}"#, r#"{"cVid":0}"#] {
        let text = ALICE.replace(r#"{"sVid":100,"cVid":7}"#, wrong);
        assert!(Resource::decode(text.as_bytes()).is_err(), "{wrong}");
    }
}

#[test]
fn a_session_is_in_one_of_four_states() {
    for (text, state) in [
        ("active", SessionState::Active),
        ("suspended", SessionState::Suspended),
        ("unauthenticated", SessionState::Unauthenticated),
        ("quarantined", SessionState::Quarantined),
    ] {
        let text = ALICE.replace(r#""state":"active""#, &format!(r#""state":"{text}""#));
        let Ok(Resource::Session(session)) = Resource::decode(text.as_bytes()) else { panic!("{text}") };
        assert_eq!((session.state, session.is_active()), (state, state == SessionState::Active));
        let is_in_garden = matches!(state, SessionState::Suspended | SessionState::Unauthenticated);
        assert_eq!(session.is_in_garden(), is_in_garden);
    }
}

#[test]
fn state_is_the_set_of_its_resources() {
    let decode = |text: &&str| Resource::decode(text.as_bytes()).expect("decodes");
    let resources: Vec<_> =
        [ALICE, OTHERS[0], OTHERS[1], OTHERS[3], OTHERS[4], OTHERS[5]].iter().map(decode).collect();
    let state: NodeState = resources.iter().cloned().collect();
    let again: NodeState = state.resources().collect();
    assert_eq!(state, again);
    assert_eq!(
        state.sessions.len() + state.ports.len() + state.routes.len() + state.routes6.len(),
        resources.len()
    );
    let key = resources[0].key();
    assert_eq!(key.as_str(), "session/alice");
    assert_eq!(key.subscriber().as_ref(), state.sessions.keys().next());
}

#[test]
fn each_kind_of_resource_can_be_taken_out_by_its_key() {
    const STATION: &str =
        r#"{"kind":"station","link":"wc-vx7","mac":"02:00:00:00:00:05","remote":"10.0.0.2"}"#;
    const LINK: &str = r#"{"kind":"link","name":"wc-lo0","type":"bridge","mtu":1500,"addresses":[]}"#;
    let decode = |text: &str| Resource::decode(text.as_bytes()).expect("decodes");
    let resources = [ALICE, OTHERS[0], OTHERS[3], LINK, STATION, OTHERS[6]].map(decode);
    let mut state: NodeState = resources.iter().cloned().collect();
    for resource in &resources {
        assert!(state.remove(&resource.key()), "{}", resource.key());
        assert!(!state.remove(&resource.key()), "{}", resource.key());
    }
    assert_eq!(state, NodeState::default());
    for absent in [
        "",
        "session",
        "tunnel/x",
        "station/wc-vx7",
        "station/wc-vx7/02",
        "garden/other",
        "route/10.0.0.1/8",
        "natLog/other",
    ] {
        assert!(!state.remove(&ResourceKey::from(absent.to_owned())), "{absent}");
    }
}
