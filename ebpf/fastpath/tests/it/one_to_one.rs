//! An address of one's own: one to one NAT, destinations exempt from NAT, and several routed networks; on the host and in
//! the kernel alike.

use fastpath::{DropReason, Inspector, NatBlock};
use node_state::{NodeState, Resource};

use crate::{
    fixtures::{ADDRESSES, Build, fragments, redirected, to_alice, to_bob},
    frames::{
        ALICE, Address, BOB, EXTERNAL, REMOTE, assert_checksums, echo_reply, echo_request, from_alice,
        from_bob, from_core, tcp, udp, unreachable,
    },
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{CORE_MAC, GATEWAY_MAC, World, desired_but, settle},
};

/// What stands for Alice outside.
const PUBLIC: Address = [203, 0, 113, 77];
/// A destination exempt from NAT, of which the core knows the way back.
const SERVICE: Address = [10, 9, 8, 7];
/// Another network of Bob's, and a host in it.
const SECOND: &str = "203.0.113.128/28";
const IN_SECOND: Address = [203, 0, 113, 130];
const NAT: &str = r#""nat":{"address":"198.51.100.1","firstPort":1024,"ports":64},"#;
const EXEMPT: &str = r#"{"kind":"natExempt","destinations":["10.9.0.0/16","203.0.113.8/29"]}"#;

fn one_to_one(more: &str) -> NodeState {
    let own = format!(r#""nat":null,"natAddress":"203.0.113.77",{more}"#);
    office(|text| text.replace(NAT, &own))
}

fn exempt(more: &str) -> NodeState {
    let own = format!(r#"{NAT}"natExempt":true,{more}"#);
    office(|text| text.replace(NAT, &own))
}

fn office(change: impl Fn(&str) -> String) -> NodeState {
    let mut office = desired_but(change);
    office.insert(Resource::decode(EXEMPT.as_bytes()).expect("a resource"));
    office
}

/// On the host and in the kernel, each from the same beginning.
fn in_both(desired: &NodeState, script: impl Fn(&mut dyn Runner)) {
    let world = World::new();
    let mut fastpath = world.office(desired);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    script(&mut Host { world: &world, tables });
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });
    settle(&mut fastpath, desired);
    assert_eq!(fastpath.writes(), 0, "all is as desired");
}

fn goes_out(r: &mut dyn Runner, packet: &[u8]) -> Vec<u8> {
    redirected(r.up(&from_alice(packet)), GATEWAY_MAC, CORE_MAC)
}

#[test]
fn an_address_of_ones_own_stands_for_the_inside_one_whatever_the_packet_is() {
    in_both(&one_to_one(""), |r| {
        for build in [udp as Build, tcp] {
            let out = goes_out(r, &build((ALICE, 5000), (REMOTE, 53), 64, b"abcdefgh"));
            assert_eq!(out, build((PUBLIC, 5000), (REMOTE, 53), 63, b"abcdefgh"));
            // From anybody, for there is no firewall.
            let came = build(([8, 8, 8, 8], 7), (PUBLIC, 22), 64, b"abcdefgh");
            assert_eq!(
                to_alice(r.down(&from_core(&came))),
                build(([8, 8, 8, 8], 7), (ALICE, 22), 63, b"abcdefgh")
            );
            // Errors about either.
            let back = to_alice(r.down(&from_core(&unreachable([9, 9, 9, 9], PUBLIC, 64, &out))));
            let quoted = build((ALICE, 5000), (REMOTE, 53), 63, b"abcdefgh");
            assert_eq!(back, unreachable([9, 9, 9, 9], ALICE, 63, &quoted));
            let inside = build(([8, 8, 8, 8], 7), (ALICE, 22), 63, b"abcdefgh");
            let error = goes_out(r, &unreachable(ALICE, [8, 8, 8, 8], 64, &inside));
            let quoted = build(([8, 8, 8, 8], 7), (PUBLIC, 22), 63, b"abcdefgh");
            assert_eq!(error, unreachable(PUBLIC, [8, 8, 8, 8], 63, &quoted));
            // About somebody else's.
            let strange = build((EXTERNAL, 5000), (REMOTE, 53), 63, b"abcdefgh");
            let outcome = r.down(&from_core(&unreachable([9, 9, 9, 9], PUBLIC, 64, &strange)));
            assert_eq!(outcome, Outcome::Drop(DropReason::IcmpErrorUnknown, None));
        }
        let (first, second) = fragments(&udp((ALICE, 5000), (REMOTE, 53), 64, &[7; 64]));
        let (sent, sent_second) = fragments(&udp((PUBLIC, 5000), (REMOTE, 53), 63, &[7; 64]));
        assert_eq!((goes_out(r, &first), goes_out(r, &second)), (sent, sent_second));
        let (first, second) = fragments(&udp((REMOTE, 53), (PUBLIC, 5000), 64, &[7; 64]));
        let (came, came_second) = fragments(&udp((REMOTE, 53), (ALICE, 5000), 63, &[7; 64]));
        let [first, second] = [first, second].map(|packet| to_alice(r.down(&from_core(&packet))));
        assert_eq!((first, second), (came, came_second));
        assert_eq!(goes_out(r, &echo_request(ALICE, REMOTE, 9, 64)), echo_request(PUBLIC, REMOTE, 9, 63));
        let ping = from_core(&echo_request(REMOTE, PUBLIC, 9, 64));
        assert_eq!(to_alice(r.down(&ping)), echo_request(REMOTE, ALICE, 9, 63));
        assert_eq!(goes_out(r, &echo_reply(ALICE, REMOTE, 9, 64)), echo_reply(PUBLIC, REMOTE, 9, 63));
        // To oneself by one's public address, and to another.
        let hairpin = to_alice(r.up(&from_alice(&udp((ALICE, 5000), (PUBLIC, 6000), 64, b"me"))));
        assert_checksums(&hairpin);
        assert_eq!(hairpin, udp((PUBLIC, 5000), (ALICE, 6000), 63, b"me"));
        let other = to_bob(r.up(&from_alice(&udp((ALICE, 5000), (BOB, 6000), 64, b"you"))));
        assert_eq!(other, udp((PUBLIC, 5000), (BOB, 6000), 63, b"you"));
        // The inside address is nobody's outside.
        let outcome = r.down(&from_core(&udp((REMOTE, 53), (ALICE, 5000), 64, b"")));
        assert_eq!(outcome, Outcome::Drop(DropReason::Blackhole, None));
        let outcome = r.up(&from_alice(&udp((PUBLIC, 5000), (REMOTE, 53), 64, b"")));
        assert_eq!(outcome, Outcome::Drop(DropReason::SourceAddress, None));
    });
}

#[test]
fn whose_an_address_is_the_log_can_ask() {
    let world = World::new();
    let fastpath = world.office(&one_to_one(""));
    let name = "alice".parse().expect("a name");
    assert_eq!(fastpath.nat_blocks(&name), [NatBlock::whole(ALICE.into(), PUBLIC.into())]);
    assert_eq!(fastpath.nat_blocks(&"bob-inc".parse().expect("a name")), []);
}

#[test]
fn a_firewall_stands_before_an_address_of_ones_own() {
    let rules = r#""firewall":{"flows":64,"ipv4":true},"firewallRules":[{"name":"ssh","direction":"in","action":"allow","protocol":6,"destination":"100.64.0.2/32","destinationPorts":{"first":22,"last":22}}],"#;
    in_both(&one_to_one(rules), |r| {
        let strange = from_core(&tcp((REMOTE, 999), (PUBLIC, 23), 64, b""));
        assert_eq!(r.down(&strange), Outcome::Drop(DropReason::Firewall, None));
        let ssh = to_alice(r.down(&from_core(&tcp((REMOTE, 999), (PUBLIC, 22), 64, b""))));
        assert_eq!(ssh, tcp((REMOTE, 999), (ALICE, 22), 63, b""));
        let out = goes_out(r, &udp((ALICE, 5000), (REMOTE, 53), 64, b"question"));
        assert_eq!(out, udp((PUBLIC, 5000), (REMOTE, 53), 63, b"question"));
        let answer = to_alice(r.down(&from_core(&udp((REMOTE, 53), (PUBLIC, 5000), 64, b"answer"))));
        assert_eq!(answer, udp((REMOTE, 53), (ALICE, 5000), 63, b"answer"));
        let back = to_alice(r.down(&from_core(&unreachable([9, 9, 9, 9], PUBLIC, 64, &out))));
        assert_eq!(back[28..50], udp((ALICE, 5000), (REMOTE, 53), 63, b"question")[..22]);
    });
}

#[test]
fn exempt_destinations_are_reached_as_one_is_and_reach_back() {
    in_both(&exempt(""), |r| {
        for build in [udp as Build, tcp] {
            let out = goes_out(r, &build((ALICE, 5000), (SERVICE, 53), 64, b"abcdefgh"));
            assert_eq!(out, build((ALICE, 5000), (SERVICE, 53), 63, b"abcdefgh"));
            let answer = from_core(&build((SERVICE, 53), (ALICE, 5000), 64, b"answer"));
            assert_eq!(to_alice(r.down(&answer)), build((SERVICE, 53), (ALICE, 5000), 63, b"answer"));
            // The same port has a mapping for everybody else.
            let out = goes_out(r, &build((ALICE, 5000), (REMOTE, 53), 64, b"abcdefgh"));
            assert_eq!(out[12..16], EXTERNAL);
            let out = goes_out(r, &build((ALICE, 5000), (SERVICE, 53), 64, b"abcdefgh"));
            assert_eq!(out[12..16], ALICE);
            let outcome = r.down(&from_core(&build((REMOTE, 53), (ALICE, 5000), 64, b"")));
            assert_eq!(outcome, Outcome::Drop(DropReason::NatNoMapping, None));
        }
        // What NAT has no way of translating needs none.
        assert_eq!(goes_out(r, &echo_reply(ALICE, SERVICE, 9, 64)), echo_reply(ALICE, SERVICE, 9, 63));
        // A subscriber who is exempt too.
        let other = to_bob(r.up(&from_alice(&udp((ALICE, 5000), (BOB, 6000), 64, b"you"))));
        assert_eq!(other, udp((ALICE, 5000), (BOB, 6000), 63, b"you"));
        let back = to_alice(r.up(&from_bob(&udp((BOB, 6000), (ALICE, 5000), 64, b"me"))));
        assert_eq!(back, udp((BOB, 6000), (ALICE, 5000), 63, b"me"));
    });
    let filtered = r#""natFiltering":"addressAndPortDependent","firewall":{"flows":64,"ipv4":true},"#;
    in_both(&exempt(filtered), |r| {
        let strange = from_core(&udp((SERVICE, 53), (ALICE, 5000), 64, b"answer"));
        assert_eq!(r.down(&strange), Outcome::Drop(DropReason::Firewall, None));
        let out = goes_out(r, &udp((ALICE, 5000), (SERVICE, 53), 64, b"question"));
        assert_eq!(out, udp((ALICE, 5000), (SERVICE, 53), 63, b"question"));
        assert_eq!(to_alice(r.down(&strange)), udp((SERVICE, 53), (ALICE, 5000), 63, b"answer"));
    });
    // With an address of one's own, from and to these it is not used.
    in_both(&one_to_one(r#""natExempt":true,"#), |r| {
        let out = goes_out(r, &udp((ALICE, 5000), (SERVICE, 53), 64, b"question"));
        assert_eq!(out, udp((ALICE, 5000), (SERVICE, 53), 63, b"question"));
        let out = goes_out(r, &udp((ALICE, 5000), (REMOTE, 53), 64, b"question"));
        assert_eq!(out, udp((PUBLIC, 5000), (REMOTE, 53), 63, b"question"));
        let came = from_core(&udp((SERVICE, 53), (ALICE, 5000), 64, b"answer"));
        assert_eq!(to_alice(r.down(&came)), udp((SERVICE, 53), (ALICE, 5000), 63, b"answer"));
    });
}

fn networks(list: &str) -> NodeState {
    let more = format!(r#""nat":null,"moreNetworks":[{list}],"rateUp""#);
    office(|text| text.replace(r#""nat":null,"rateUp""#, &more))
}

#[test]
fn several_networks_lead_to_one_subscriber_and_come_and_go_without_its_flows() {
    let both = networks(&format!("\"{SECOND}\""));
    in_both(&both, |r| {
        for host in [BOB, IN_SECOND] {
            let out = r.up(&from_bob(&udp((host, 5000), (REMOTE, 53), 64, b"question")));
            let out = redirected(out, GATEWAY_MAC, CORE_MAC);
            assert_eq!(out, udp((host, 5000), (REMOTE, 53), 63, b"question"));
            let came = from_core(&udp((REMOTE, 53), (host, 5000), 64, b"answer"));
            assert_eq!(to_bob(r.down(&came)), udp((REMOTE, 53), (host, 5000), 63, b"answer"));
        }
        for host in [[203, 0, 113, 145], ALICE, [203, 0, 113, 1]] {
            let outcome = r.up(&from_bob(&udp((host, 5000), (REMOTE, 53), 64, b"")));
            assert_eq!(outcome, Outcome::Drop(DropReason::SourceAddress, None), "{host:?}");
        }
    });
    let world = World::new();
    let mut fastpath = world.office(&both);
    let index = fastpath.index_of(&"bob-inc".parse().expect("a name"));
    let home = |world: &World| Inspector::open(&world.pin_dir).expect("pinned").sessions()[1].up.packets;
    let frame = from_bob(&udp((IN_SECOND, 5000), (REMOTE, 53), 64, b"question"));
    let redirects = |fastpath: &mut fastpath::Fastpath, world: &World| {
        fastpath.run_once(fastpath::ProgramOf::AccessPorts, world.access, &frame).expect("runs").0 == 4
    };
    assert!(redirects(&mut fastpath, &world));
    settle(&mut fastpath, &networks(""));
    assert!(!redirects(&mut fastpath, &world));
    settle(&mut fastpath, &both);
    assert!(redirects(&mut fastpath, &world));
    assert_eq!(
        (fastpath.index_of(&"bob-inc".parse().expect("a name")), home(&world)),
        (index, 2),
        "it is the same"
    );
    drop(fastpath);
    let mut fastpath = world.open();
    assert!(redirects(&mut fastpath, &world), "before the next agent knows what is desired");
    settle(&mut fastpath, &both);
    assert_eq!(fastpath.writes(), 0);
    assert!(redirects(&mut fastpath, &world));
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let (share, host) =
        (r#""nat":{"address":"198.51.100.1","firstPort":1024,"ports":64},"#, r#""nat":null,"#);
    let refused = [
        (share, format!(r#"{share}"natAddress":"203.0.113.77","#), "natAddress: "),
        (share, format!(r#"{share}"moreNetworks":["203.0.113.128/28"],"#), "moreNetworks: "),
        (host, format!(r#"{host}"natExempt":true,"#), "natExempt: "),
        (
            host,
            format!(r#"{host}"moreNetworks":["203.0.113.0/28"],"#),
            "moreNetworks: 203.0.113.0/28 and 203.0.113.8/29 overlap",
        ),
    ];
    for (from, to, expected) in refused {
        let world = World::new();
        let mut fastpath = world.office(&office(str::to_owned));
        let outcomes = fastpath.reconcile(&office(|text| text.replace(from, &to)));
        let errors: Vec<String> =
            outcomes.iter().filter_map(|(_, done)| done.as_ref().err().map(ToString::to_string)).collect();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].starts_with(expected), "{errors:?}");
        settle(&mut fastpath, &office(str::to_owned));
        settle(&mut fastpath, &office(str::to_owned));
        assert_eq!(fastpath.writes(), 0);
    }
}
