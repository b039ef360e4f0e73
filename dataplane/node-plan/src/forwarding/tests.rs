mod fib;
mod group_slots;
mod routes;

use std::net::Ipv4Addr;

use map_abi::{Burst, HomeRef, Limits, Rate, RulesRef, flags, line6};
use net_types::Mac;
use node_state::{Ipv6Line, Nat, RateLimit, Resource, SessionState};
use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn runs_never_overlap(steps in prop::collection::vec((0..=4_u32, prop::bool::ANY), 1..200)) {
        let mut runs = Runs::new(100);
        let mut taken: Vec<(u32, u32)> = Vec::new();
        for (order, give_back) in steps {
            if give_back && !taken.is_empty() {
                let (first, order) = taken.swap_remove(taken.len() / 2);
                runs.release(first, order);
            } else if let Some(first) = runs.take(order) {
                prop_assert!(first != 0 && first % (1 << order) == 0 && first + (1 << order) <= 100);
                prop_assert!(taken.iter().all(|&(f, o)| f + (1 << o) <= first || first + (1 << order) <= f));
                taken.push((first, order));
            }
        }
        let mut again = Runs::new(100);
        for &(first, order) in &taken {
            prop_assert!(again.take_at(first, order));
            prop_assert!(!again.take_at(first, order));
        }
        prop_assert_eq!(again.used(), runs.used());
        for (first, order) in taken {
            runs.release(first, order);
        }
        prop_assert_eq!(runs.used(), 0);
        prop_assert_eq!(std::iter::from_fn(|| runs.take(0)).count(), 99);
    }
}

fn alice() -> node_state::Session {
    let text = r#"{"kind":"session","subscriber":"alice","port":"access0","tags":{"sVid":100,"cVid":7},"state":"active","mac":null,"lease":"100.64.0.2/16","gateway":"100.64.0.1","network":"100.64.0.2/32","dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":{"address":"198.51.100.1","firstPort":1024,"ports":256},"rateUp":{"rate":"20M","burstUs":50000},"rateDown":null}"#;
    let Ok(Resource::Session(session)) = Resource::decode(text.as_bytes()) else { panic!("a session") };
    session
}

#[test]
fn a_homes_size_follows_from_the_number_of_ports() {
    let order = |first_port, ports| {
        let nat = Some(Nat { address: Ipv4Addr::LOCALHOST, first_port, ports });
        home_order(&node_state::Session { nat, ..alice() })
    };
    assert_eq!(home_order(&node_state::Session { nat: None, ..alice() }), Ok(0));
    assert_eq!(order(1024, 64), Ok(0));
    assert_eq!(order(1024, 256), Ok(2));
    assert_eq!(order(32_768, 1024), Ok(4));
    assert_eq!(order(1024, 96), Err(NatError::Ports(96)));
    assert_eq!(order(1024, 32), Err(NatError::Ports(32)));
    assert_eq!(order(1024, 2048), Err(NatError::Ports(2048)));
    assert_eq!(order(1000, 64), Err(NatError::FirstPort(1000)));
    assert_eq!(order(65_472, 128), Err(NatError::TooFar { first: 65_472, ports: 128 }));
}

#[test]
fn a_session_in_its_place() {
    let mut session = alice();
    let home = HomeRef::new(4, 2).expect("legal");
    let context =
        ImageContext { index: 9, port: 3, home, flows: HomeRef::NONE, rules: RulesRef::NONE, mac: None };
    let image = session_image(&session, &context);
    assert_eq!(image.up.flags, flags::ACTIVE | flags::NAT);
    assert_eq!((image.up.network, image.up.prefix_len), ([100, 64, 0, 2], 32));
    assert_eq!((image.up.external, image.up.first_port), ([198, 51, 100, 1], 1024));
    assert_eq!((image.down.s_tci, image.down.c_tci), ([0, 100], [0, 7]));
    assert_eq!((image.down.owner.session(), image.down.owner.port()), (9, 3));
    let limits = Limits { peak: Rate::of(20_000_000), peak_burst: Burst::of_us(50_000), ..Limits::default() };
    assert_eq!((image.up.limits, image.down.limits), (limits, Limits::default()));
    session.committed_up = Some(RateLimit { rate: "5M".parse().expect("a rate"), burst_us: 60_000 });
    let both = Limits { committed: Rate::of(5_000_000), committed_burst: Burst::of_us(60_000), ..limits };
    let image = session_image(&session, &context);
    assert_eq!((image.up.limits, image.session.limits_up), (both, both));
    assert_eq!((image.down.limits, image.session.limits_down), (Limits::default(), Limits::default()));
    assert_eq!((image.session.home, image.session.gateway), (home, [100, 64, 0, 1]));

    let version = image.session.version;
    let mac: Mac = "02:00:00:00:00:01".parse().expect("a MAC");
    let learned = session_image(&session, &ImageContext { mac: Some(mac), ..context });
    assert_eq!(learned.session.version, version, "what was learned is not what was asked for");
    assert_eq!((learned.down.mac, learned.session.mac), (mac.octets(), mac.octets()));
    let moved = session_image(&session, &ImageContext { port: 4, ..context });
    assert_ne!(moved.session.version, version);
    for (state, flag) in [
        (SessionState::Suspended, flags::GARDEN),
        (SessionState::Unauthenticated, flags::GARDEN),
        (SessionState::Quarantined, 0),
    ] {
        session.state = state;
        assert_eq!(session_image(&session, &context).up.flags, flags::NAT | flag, "{state:?}");
    }
}

#[test]
fn what_a_line_has_of_ipv6() {
    let line = |link: &str, delegated: Option<&str>| Ipv6Line {
        link: link.parse().expect("a prefix"),
        address: None,
        delegated: delegated.map(|prefix| prefix.parse().expect("a prefix")),
        more_networks: Vec::new(),
        autonomous: true,
        dns_servers: Vec::new(),
        preferred_seconds: 1800,
        valid_seconds: 3600,
    };
    let with = |line| node_state::Session { ipv6: Some(line), ..alice() };
    let session = with(line("2001:db8:1:2::/64", Some("2001:db8:ff00::/56")));
    let flows = HomeRef::new(5, 1).expect("legal");
    let home = HomeRef::new(4, 0).expect("legal");
    let image = session_image(
        &session,
        &ImageContext { index: 9, port: 3, home, flows, rules: RulesRef::NONE, mac: None },
    );
    assert_eq!(image.six.link, [0x20, 1, 0x0d, 0xb8, 0, 1, 0, 2]);
    assert_eq!((image.six.delegated, image.six.delegated_len), ([0x20, 1, 0x0d, 0xb8, 0xff, 0, 0, 0], 56));
    assert_eq!((image.six.is_on, image.six.flows), (1, flows));
    // Of IPv4, only if it is said, and if nothing is translated.
    let firewall = |ipv4, nat| {
        let firewall = Some(node_state::Firewall { flows: 64, ipv4 });
        let session = node_state::Session { firewall, nat, ..alice() };
        let image = session_image(
            &session,
            &ImageContext { index: 9, port: 3, home, flows, rules: RulesRef::NONE, mac: None },
        );
        image.up.flags & image.down.flags & flags::FIREWALL != 0
    };
    assert!(firewall(true, None));
    assert!(!firewall(false, None) && !firewall(true, alice().nat));
    assert_eq!((image.session.link, image.session.flows), (image.six.link, flows));
    assert_eq!(prefixes6(&session).expect("legal").len(), 2);
    assert_eq!(prefixes6(&alice()), Ok(Vec::new()));
    for (link, delegated, fault) in [
        ("2001:db8::/63", None, "ipv6.link is 2001:db8::/63, not a /64"),
        ("2001:db8::/64", Some("::/0"), "ipv6.delegated is ::/0, not a prefix of 1 to 64 bits"),
        ("2001:db8::/64", Some("2001:db8::/48"), "of ipv6, 2001:db8::/48 and 2001:db8::/64 overlap"),
    ] {
        assert_eq!(prefixes6(&with(line(link, delegated))).expect_err(link).to_string(), fault);
    }
    let more = |networks: &[&str]| {
        let more_networks = networks.iter().map(|prefix| prefix.parse().expect("a prefix")).collect();
        with(Ipv6Line { more_networks, ..line("2001:db8:1:2::/64", Some("2001:db8:ff00::/56")) })
    };
    let session = more(&["2001:db8:a::/48", "2001:db8:b::/64"]);
    assert_eq!(prefixes6(&session).expect("legal").len(), 4);
    let context = ImageContext { index: 9, port: 3, home, flows, rules: RulesRef::NONE, mac: None };
    assert_eq!(session_image(&session, &context).six.is_on, line6::ON | line6::NETWORKS);
    for (networks, fault) in [
        (vec!["2001:db8:a::/65"], "ipv6.moreNetworks: 2001:db8:a::/65 is not a prefix of 1 to 64 bits"),
        (
            vec!["2001:db8:a::/48", "2001:db8:a:1::/64"],
            "of ipv6, 2001:db8:a:1::/64 and 2001:db8:a::/48 overlap",
        ),
        (vec!["2001:db8:ff00:1::/64"], "of ipv6, 2001:db8:ff00:1::/64 and 2001:db8:ff00::/56 overlap"),
        (vec!["2001:db8:a::/48"; 17], "ipv6.moreNetworks are 17; at most 16 are possible"),
    ] {
        assert_eq!(prefixes6(&more(&networks)).expect_err(fault).to_string(), fault);
    }
    let flows = |flows| {
        flows_order(&node_state::Session {
            firewall: Some(node_state::Firewall { flows, ipv4: false }),
            ..alice()
        })
    };
    assert_eq!((flows(64), flows(1024)), (Ok(Some(0)), Ok(Some(4))));
    assert!(flows(32).is_err() && flows(100).is_err() && flows(2048).is_err());
    assert_eq!(flows_order(&alice()), Ok(None));
}
