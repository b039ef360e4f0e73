//! A firewall's rules: on the host and in the kernel alike, for a routed subscriber, for IPv6, and behind NAT.

use fastpath::{Change, DropReason, Fastpath, Inspector};
use node_state::NodeState;
use serde_json::{Value, json};

use crate::{
    fixtures::{ADDRESSES, external_port, fragments, redirected, to_alice, to_bob},
    frames::{
        ALICE, Address, BOB, EXTERNAL, REMOTE, echo_reply, echo_request, from_alice, from_bob, from_core,
        tcp, udp, unreachable, with_header,
    },
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{CORE_MAC, GATEWAY_MAC, World, desired_but, settle},
};

mod model;

const OTHER: Address = [8, 8, 8, 8];

/// The office, with these rules for one of its subscribers; alice has a port forward besides.
fn office(of: &str, rules: &Value) -> NodeState {
    let name = format!("\"subscriber\":\"{of}\"");
    let more = format!(r#""firewall":{{"flows":64,"ipv4":true}},"firewallRules":{rules}"#);
    desired_but(|text| {
        let forward = r#""ports":64},"portForwards":[{"protocol":"tcp","port":1040,"toPort":80}],"#;
        let text = text.replace(r#""ports":64},"#, forward);
        if !text.contains(&name) {
            return text;
        }
        format!("{},{more}}}", text.strip_suffix('}').expect("an object"))
    })
}

fn rule(name: &str, direction: &str, action: &str, more: Value) -> Value {
    let mut rule = json!({"name": name, "direction": direction, "action": action});
    let Value::Object(more) = more else { panic!("an object") };
    rule.as_object_mut().expect("an object").extend(more);
    rule
}

fn ports(first: u16, last: u16) -> Value {
    json!({"first": first, "last": last})
}

fn bobs_rules() -> Value {
    json!([
        rule("not-from-there", "in", "deny", json!({"source": "8.8.8.0/24"})),
        rule(
            "ssh",
            "in",
            "allow",
            json!({"protocol": 6, "destinationPorts": ports(22, 22), "destination": "203.0.113.10/32"})
        ),
        rule("games", "in", "allow", json!({"protocol": 17, "sourcePorts": ports(1000, 2000)})),
        rule("ping", "in", "allow", json!({"protocol": 1})),
        rule("mail", "out", "deny", json!({"protocol": 6, "destinationPorts": ports(25, 25)})),
        rule("never", "out", "deny", json!({"destination": "9.9.9.9/32"})),
    ])
}

fn up(r: &mut dyn Runner, sent: &[u8]) {
    let out = redirected(r.up(&from_bob(sent)), GATEWAY_MAC, CORE_MAC);
    assert_eq!(out, with_header(sent, |header| header.time_to_live -= 1));
}

fn down(r: &mut dyn Runner, sent: &[u8]) {
    let came = to_bob(r.down(&from_core(sent)));
    assert_eq!(came, with_header(sent, |header| header.time_to_live -= 1));
}

fn dropped(outcome: &Outcome, reason: DropReason) {
    assert_eq!(*outcome, Outcome::Drop(reason, None));
}

/// Bob, who is routed.
fn routed(r: &mut dyn Runner) {
    let ssh = |from| tcp((from, 9999), (BOB, 22), 64, b"");
    down(r, &ssh(REMOTE));
    up(r, &tcp((BOB, 22), (REMOTE, 9999), 64, b""));
    down(r, &ssh(REMOTE));
    dropped(&r.down(&from_core(&ssh(OTHER))), DropReason::Rule);
    for other in [
        tcp((REMOTE, 9999), (BOB, 23), 64, b""),
        tcp((REMOTE, 9999), ([203, 0, 113, 11], 22), 64, b""),
        udp((REMOTE, 999), (BOB, 22), 64, b""),
        udp((REMOTE, 2001), (BOB, 22), 64, b""),
    ] {
        dropped(&r.down(&from_core(&other)), DropReason::Firewall);
    }
    for port in [1000, 2000] {
        down(r, &udp((REMOTE, port), (BOB, 22), 64, b"play"));
    }
    down(r, &echo_request(REMOTE, BOB, 7, 64));
    up(r, &echo_reply(BOB, REMOTE, 7, 64));
    dropped(&r.up(&from_bob(&tcp((BOB, 5000), (REMOTE, 25), 64, b""))), DropReason::Rule);
    dropped(&r.up(&from_bob(&udp((BOB, 5000), ([9, 9, 9, 9], 53), 64, b""))), DropReason::Rule);
    // What a rule forbids to begin may answer, and what it allows to begin outside may be answered.
    let from_there = udp((OTHER, 53), (BOB, 5000), 64, b"answer");
    dropped(&r.down(&from_core(&from_there)), DropReason::Rule);
    up(r, &udp((BOB, 5000), (OTHER, 53), 64, b"question"));
    down(r, &from_there);
    // Errors are asked about by what they quote, and begin nothing.
    let known = unreachable([9, 9, 9, 9], BOB, 64, &udp((BOB, 5000), (OTHER, 53), 63, b"question"));
    down(r, &known);
    let unknown = unreachable([9, 9, 9, 9], BOB, 64, &udp((BOB, 5001), (OTHER, 53), 63, b"question"));
    dropped(&r.down(&from_core(&unknown)), DropReason::Firewall);
    // A first fragment that is allowed brings the others.
    let (first, second) = fragments(&udp((REMOTE, 1500), (BOB, 7777), 64, &[7; 64]));
    dropped(&r.down(&from_core(&second)), DropReason::FragmentUnknown);
    down(r, &first);
    down(r, &second);
    // Between subscribers.
    dropped(&r.up(&from_alice(&tcp((ALICE, 5000), (BOB, 4000), 64, b""))), DropReason::Firewall);
}

fn alices_rules() -> Value {
    json!([
        rule("not-from-there", "in", "deny", json!({"source": "8.8.8.0/24"})),
        rule("games", "in", "allow", json!({"protocol": 17, "destinationPorts": ports(6000, 6000)})),
        rule("mail", "out", "deny", json!({"protocol": 6, "destinationPorts": ports(25, 25)})),
    ])
}

/// Alice, who is behind NAT: a mapping lets in only whom it was made for, or a rule allows.
fn translated(r: &mut dyn Runner) {
    let out = |r: &mut dyn Runner, to, payload: &[u8]| {
        let packet =
            redirected(r.up(&from_alice(&udp((ALICE, 5000), to, 64, payload))), GATEWAY_MAC, CORE_MAC);
        let port = external_port(&packet);
        assert_eq!(packet, udp((EXTERNAL, port), to, 63, payload));
        port
    };
    let port = out(r, (REMOTE, 53), b"question");
    assert_eq!(out(r, ([7, 7, 7, 7], 7), b"question"), port, "the mapping is for all");
    let came = to_alice(r.down(&from_core(&udp((REMOTE, 53), (EXTERNAL, port), 64, b"answer"))));
    assert_eq!(came, udp((REMOTE, 53), (ALICE, 5000), 63, b"answer"));
    let stranger = from_core(&udp((REMOTE, 54), (EXTERNAL, port), 64, b"hello"));
    dropped(&r.down(&stranger), DropReason::Firewall);
    let error =
        unreachable([9, 9, 9, 9], EXTERNAL, 64, &udp((EXTERNAL, port), (REMOTE, 53), 63, b"question"));
    to_alice(r.down(&from_core(&error)));
    // Rules say what the inside port is.
    let games =
        redirected(r.up(&from_alice(&udp((ALICE, 6000), (REMOTE, 1), 64, b""))), GATEWAY_MAC, CORE_MAC);
    let games = external_port(&games);
    to_alice(r.down(&from_core(&udp(([7, 7, 7, 7], 7), (EXTERNAL, games), 64, b"play"))));
    dropped(&r.down(&from_core(&udp((OTHER, 7), (EXTERNAL, games), 64, b"play"))), DropReason::Rule);
    // A port forward is an invitation, which rules can narrow.
    to_alice(r.down(&from_core(&tcp((REMOTE, 9999), (EXTERNAL, 1040), 64, b""))));
    dropped(&r.down(&from_core(&tcp((OTHER, 9999), (EXTERNAL, 1040), 64, b""))), DropReason::Rule);
    dropped(&r.up(&from_alice(&tcp((ALICE, 5000), (REMOTE, 25), 64, b""))), DropReason::Rule);
    let ping = redirected(r.up(&from_alice(&echo_request(ALICE, REMOTE, 77, 64))), GATEWAY_MAC, CORE_MAC);
    let id = u16::from_be_bytes([ping[24], ping[25]]);
    let back = to_alice(r.down(&from_core(&echo_reply(REMOTE, EXTERNAL, id, 64))));
    assert_eq!(back, echo_reply(REMOTE, ALICE, 77, 63));
    dropped(&r.down(&from_core(&echo_reply(OTHER, EXTERNAL, id, 64))), DropReason::Rule);
    let (first, second) = fragments(&udp((REMOTE, 53), (EXTERNAL, port), 64, &[7; 64]));
    to_alice(r.down(&from_core(&first)));
    to_alice(r.down(&from_core(&second)));
}

fn run(state: &NodeState, script: fn(&mut dyn Runner), expected: &[(&str, &str, u64)]) {
    let world = World::new();
    let mut fastpath = world.office(state);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    script(&mut Host { world: &world, tables });
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });
    for (name, rule, hits) in expected {
        assert_eq!(hits_of(&inspector, name, rule), *hits, "{rule}");
    }
}

fn hits_of(inspector: &Inspector, name: &str, rule: &str) -> u64 {
    let views = inspector.sessions();
    let view = views.iter().find(|view| view.name == name).expect("there");
    view.rules.iter().find(|view| view.name == rule).expect("a rule of that name").hits
}

#[test]
fn rules_of_a_routed_subscriber() {
    let hits = [
        ("bob-inc", "not-from-there", 2),
        ("bob-inc", "ssh", 1),
        ("bob-inc", "games", 3),
        ("bob-inc", "ping", 1),
        ("bob-inc", "mail", 1),
        ("bob-inc", "never", 1),
    ];
    run(&office("bob-inc", &bobs_rules()), routed, &hits);
}

#[test]
fn rules_behind_nat() {
    let hits = [("alice", "not-from-there", 3), ("alice", "games", 1), ("alice", "mail", 1)];
    run(&office("alice", &alices_rules()), translated, &hits);
}

/// A change of rules ends what it forbids and nothing else, and counters go on.
#[test]
fn a_change_of_rules_ends_what_it_forbids() {
    let world = World::new();
    let mut fastpath = world.office(&office("bob-inc", &bobs_rules()));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let mut kernel =
        Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    let ssh = from_core(&tcp((REMOTE, 9999), (BOB, 22), 64, b""));
    let play = from_core(&udp((REMOTE, 1500), (BOB, 22), 64, b"play"));
    let dns =
        (udp((BOB, 5000), (REMOTE, 53), 64, b"q"), from_core(&udp((REMOTE, 53), (BOB, 5000), 64, b"a")));
    for frame in [&ssh, &play] {
        to_bob(kernel.down(frame));
    }
    up(&mut kernel, &dns.0);
    let mut rules = bobs_rules();
    rules.as_array_mut().expect("a list").remove(1);
    let change = |fastpath: &mut Fastpath, rules: &Value| {
        settle(fastpath, &office("bob-inc", rules));
        settle(fastpath, &office("bob-inc", rules));
        assert_eq!(fastpath.writes(), 0, "nothing is left to do");
    };
    change(kernel.fastpath, &rules);
    dropped(&kernel.down(&ssh), DropReason::Firewall);
    // It is the outside that speaks first, after the change.
    to_bob(kernel.down(&play));
    to_bob(kernel.down(&dns.1));
    assert_eq!(hits_of(&inspector, "bob-inc", "games"), 2, "asked once, and again after the change");
    // What began inside may not any more.
    let no_dns =
        json!([rule("dns", "out", "deny", json!({"protocol": 17, "destinationPorts": ports(53, 53)}))]);
    change(kernel.fastpath, &no_dns);
    dropped(&kernel.down(&dns.1), DropReason::Rule);
    dropped(&kernel.up(&from_bob(&dns.0)), DropReason::Rule);
    dropped(&kernel.down(&play), DropReason::Firewall);
    change(kernel.fastpath, &json!([]));
    up(&mut kernel, &dns.0);
    to_bob(kernel.down(&dns.1));
    dropped(&kernel.down(&play), DropReason::Firewall);
    let session = |rules: &Value| {
        let state = office("bob-inc", rules);
        state.resources().find(|resource| resource.key().as_str() == "session/bob-inc").expect("bob")
    };
    let states = [session(&rules), session(&json!([]))];
    // Round and round, so that generations come again.
    for _ in 0..70 {
        for state in &states {
            for (key, done) in kernel.fastpath.apply(&[Change::Upsert(state.clone())]) {
                done.unwrap_or_else(|error| panic!("{key}: {error}"));
            }
        }
        up(&mut kernel, &dns.0);
        to_bob(kernel.down(&dns.1));
        dropped(&kernel.down(&ssh), DropReason::Firewall);
    }
    change(kernel.fastpath, &bobs_rules());
    to_bob(kernel.down(&ssh));
    drop(fastpath);
    // Whoever opens the maps anew finds all of it.
    let mut again = world.office(&office("bob-inc", &bobs_rules()));
    let mut kernel = Kernel { world: &world, fastpath: &mut again, inspector: &inspector, punts: &mut punts };
    to_bob(kernel.down(&ssh));
    assert_eq!(hits_of(&inspector, "bob-inc", "ssh"), 1);
    let used = inspector.summary().home_units_used;
    settle(kernel.fastpath, &office("bob-inc", &json!([])));
    assert_eq!(inspector.summary().home_units_used, used);
}

#[test]
fn rules_that_cannot_be_are_refused_by_name() {
    let world = World::new();
    let mut fastpath = world.office(&office("bob-inc", &bobs_rules()));
    let many: Vec<Value> = (0..32).map(|n| rule(&format!("r{n}"), "in", "allow", json!({}))).collect();
    for (rules, why) in [
        (json!(many), "firewallRules are 32; at most 31 are possible"),
        (
            json!([rule("a", "in", "allow", json!({})), rule("a", "out", "deny", json!({}))]),
            "firewallRules: there are two of the name a",
        ),
        (
            json!([rule("a", "in", "allow", json!({"source": "::/0", "destination": "192.0.2.0/24"}))]),
            "firewallRules: a has a source and a destination of different families",
        ),
        (
            json!([rule("a", "in", "allow", json!({"destinationPorts": ports(1, 2)}))]),
            "firewallRules: a has ports, but is not about TCP (6) or UDP (17)",
        ),
        (
            json!([rule("a", "in", "allow", json!({"protocol": 6, "sourcePorts": ports(2, 1)}))]),
            "firewallRules: a has ports of which the first comes after the last",
        ),
    ] {
        let outcomes = fastpath.reconcile(&office("bob-inc", &rules));
        let error = outcomes.iter().find_map(|(_, done)| done.as_ref().err()).expect("refused");
        assert_eq!(error.to_string(), why);
    }
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    assert_eq!(hits_of(&inspector, "bob-inc", "ssh"), 0, "what was there stays");
    settle(&mut fastpath, &office("bob-inc", &json!(many[..31])));
    assert_eq!(hits_of(&inspector, "bob-inc", "r30"), 0);
}
