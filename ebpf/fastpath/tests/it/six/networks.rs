//! Networks of IPv6 besides the link's and the delegated prefix.

use super::*;

/// Alice with two networks more, on lines with and without them.
fn with_networks(networks: &str) -> NodeState {
    let plain = office();
    let texts = plain.resources().map(|resource| {
        let text = String::from_utf8(resource.encode()).expect("JSON");
        let own = r#""delegated":"2001:db8:1aa:ff00::/56""#;
        text.replace(own, &format!(r#"{own},"moreNetworks":[{networks}]"#))
    });
    texts.map(|text| Resource::decode(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))).collect()
}

const NETWORKS: &str = r#""2001:db8:1ab::/48","2001:db8:1ac:8::/61""#;

#[test]
fn several_networks_of_ipv6_lead_to_one_subscriber_and_come_and_go_without_its_flows() {
    let script = |r: &mut dyn Runner| {
        for host in ["2001:db8:1ab::1", "2001:db8:1ab:ffff::1", "2001:db8:1ac:f::1", "2001:db8:100:a::5"] {
            let out = udp((address(host), 5000), (remote(), 53), 64, b"question");
            goes_out(r.up(&from_alice(&out)), &out);
            let back = udp((remote(), 53), (address(host), 5000), 64, b"answer");
            comes_in(r.down(&from_core(&back)), TO_ALICE, &back);
        }
        for host in ["2001:db8:1ac::1", "2001:db8:1ac:10::1", "2001:db8:100:b::5", "2606:4700::1"] {
            let spoofed = from_alice(&udp((address(host), 5000), (remote(), 53), 64, b""));
            dropped(&r.up(&spoofed), DropReason::SourceAddress);
        }
        // Another home has none of them.
        let spoofed = from_bob(&udp((address("2001:db8:1ab::1"), 5000), (remote(), 53), 64, b""));
        dropped(&r.up(&spoofed), DropReason::SourceAddress);
        let between = udp((bob(), 1), (address("2001:db8:1ab::1"), 1), 64, b"");
        comes_in(r.up(&from_bob(&between)), TO_ALICE, &between);
    };
    let world = World::new();
    let both = with_networks(NETWORKS);
    let mut fastpath = opened(&world, &both);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &[]);
    script(&mut Host { world: &world, tables });
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });

    let out = from_alice(&udp((address("2001:db8:1ac:9::1"), 5000), (remote(), 53), 64, b"question"));
    let back = from_core(&udp((remote(), 53), (address("2001:db8:1ac:9::1"), 5000), 64, b"answer"));
    let index = fastpath.index_of(&"alice".parse().expect("a name"));
    let one = with_networks(r#""2001:db8:1ab::/48""#);
    for (state, passes) in [(&both, true), (&one, false), (&office(), false), (&both, true)] {
        crate::world::settle(&mut fastpath, state);
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        assert_eq!(matches!(kernel.up(&out), Outcome::Redirect(_)), passes);
        assert_eq!(matches!(kernel.down(&back), Outcome::Redirect(_)), passes);
        crate::world::settle(&mut fastpath, state);
        assert_eq!(fastpath.writes(), 0, "nothing is left to do");
    }
    // One by one, as a controller's changes come.
    for (state, passes) in [(&one, false), (&both, true)] {
        let alice = state.resources().find(|r| r.key().as_str() == "session/alice").expect("alice");
        for (key, done) in fastpath.apply(&[fastpath::Change::Upsert(alice)]) {
            done.unwrap_or_else(|error| panic!("{key}: {error}"));
        }
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        assert_eq!(matches!(kernel.up(&out), Outcome::Redirect(_)), passes);
        assert_eq!(matches!(kernel.down(&back), Outcome::Redirect(_)), passes);
    }
    assert_eq!(fastpath.index_of(&"alice".parse().expect("a name")), index, "it is the same");
    drop(fastpath);
    let mut again = world.open();
    let redirects =
        again.run_once(fastpath::ProgramOf::AccessPorts, world.access, &out).expect("runs").0 == 4;
    assert!(redirects, "before the next agent knows what is desired");
    crate::world::settle(&mut again, &both);
    assert_eq!(again.writes(), 0);
}
