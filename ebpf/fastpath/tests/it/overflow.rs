//! Further port blocks: how they come, what is in them, in the kernel and on the host alike, and how they go.

use std::collections::BTreeMap;

use fastpath::{DropReason, Events, Extension, Fastpath, Inspector, KernelEvent, NatBlock, Punts};
use node_state::NodeState;

use crate::{
    fixtures::{ADDRESSES, external_port, fragments, redirected, to_alice},
    frames::{
        ALICE, EXTERNAL, REMOTE, assert_checksums, echo_reply, echo_request, from_alice, from_core, tcp, udp,
        unreachable,
    },
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot_at,
    upgrade::{assert_nothing_lost, change_to_probe},
    world::{CORE_MAC, GATEWAY_MAC, World, desired_but, now_ns, settle},
};

/// Alice's own ports are 1024 to 1087. What is lent begins here.
const LENT: u16 = 65_024;
const BLOCK: u16 = 64;
const NAT: &str = r#""ports":64},"#;
const RULES: &str = r#""firewall":{"flows":1024,"ipv4":true},"firewallRules":[{"name":"no-mail","direction":"out","action":"deny","protocol":6,"destinationPorts":{"first":25,"last":25}},{"name":"hairpin","direction":"in","action":"allow","protocol":17,"source":"198.51.100.1/32"}],"#;

fn office(blocks: u8, more: &str) -> NodeState {
    desired_but(|text| {
        let overflow =
            format!(r#"{NAT}{more}"natOverflow":{{"firstPort":{LENT},"ports":256,"blocks":{blocks}}},"#);
        text.replace(NAT, &overflow)
    })
}

struct Node {
    world: World,
    fastpath: Fastpath,
    inspector: Inspector,
    punts: Punts,
    events: Events,
}

impl Node {
    fn new(desired: &NodeState) -> Self {
        Self::on(World::new(), desired)
    }

    fn on(world: World, desired: &NodeState) -> Self {
        let mut fastpath = world.office(desired);
        let punts = fastpath.punts().expect("not taken yet");
        let events = fastpath.events().expect("not taken yet");
        let inspector = Inspector::open(&world.pin_dir).expect("pinned");
        Self { world, fastpath, inspector, punts, events }
    }

    /// As after the agent was killed: what it held is gone, the maps stay.
    fn again(self, desired: &NodeState) -> Self {
        let Self { world, .. } = self;
        Self::on(world, desired)
    }

    fn kernel(&mut self) -> Kernel<'_> {
        let Self { world, fastpath, inspector, punts, .. } = self;
        Kernel { world, fastpath, inspector, punts }
    }

    fn host(&self) -> Host<'_> {
        let ports = [self.world.access, self.world.core];
        let tables = snapshot_at(&self.world.pin_dir, ports, &ADDRESSES, now_ns());
        Host { world: &self.world, tables }
    }

    fn alice(&self) -> u32 {
        self.fastpath.index_of(&name()).expect("a session")
    }

    fn exhausted(&mut self) -> Vec<u32> {
        let all = std::iter::from_fn(|| self.events.next());
        all.filter_map(|event| match event {
            KernelEvent::PortsExhausted { session } => Some(session),
            KernelEvent::Mapping(_) => None,
        })
        .collect()
    }

    fn extend(&mut self) -> Extension {
        let index = self.alice();
        assert_eq!(self.exhausted(), [index], "it is told once");
        let (subscriber, extension) = self.fastpath.extend_nat(index).expect("extends").expect("a session");
        assert_eq!(subscriber, name());
        extension
    }

    fn first_ports(&self) -> Vec<u16> {
        self.fastpath.nat_blocks(&name()).iter().map(|block| block.first_port).collect()
    }
}

fn name() -> net_types::Name {
    "alice".parse().expect("a name")
}

fn block(first_port: u16) -> NatBlock {
    NatBlock { inside: ALICE.into(), external: EXTERNAL.into(), first_port, ports: BLOCK }
}

fn flow(n: u16) -> Vec<u8> {
    udp((ALICE, 20_000 + n), (REMOTE, 53), 64, b"query")
}

/// Sends new flows until one finds no port for the tenth time; returns the ports of all that went out.
fn fill(r: &mut dyn Runner, from: u16) -> BTreeMap<u16, u16> {
    let mut ports = BTreeMap::new();
    let mut refused = 0;
    for n in from..from + 2000 {
        match r.up(&from_alice(&flow(n))) {
            Outcome::Redirect(out) => drop(ports.insert(n, external_port(&out[14..]))),
            other => {
                assert_eq!(other, Outcome::Drop(DropReason::NatPortsExhausted, None));
                refused += 1;
            }
        }
        if refused == 10 {
            return ports;
        }
    }
    panic!("the blocks are never full");
}

fn is_in(block: u16, port: u16) -> bool {
    (block + node_state::Nat::HEAD..block + BLOCK).contains(&port)
}

/// All kinds of packets of flows, of which those that begin here find a place in the block.
fn script(r: &mut dyn Runner, ports: &BTreeMap<u16, u16>, block: u16) {
    for (n, port) in ports {
        let out = redirected(r.up(&from_alice(&flow(*n))), GATEWAY_MAC, CORE_MAC);
        assert_eq!(out, udp((EXTERNAL, *port), (REMOTE, 53), 63, b"query"), "a flow keeps its port");
        let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, *port), 64, b"answer"));
        assert_eq!(to_alice(r.down(&answer)), udp((REMOTE, 53), (ALICE, 20_000 + n), 63, b"answer"));
    }
    let mut seen = 0;
    for n in 0..200 {
        // Whichever of the flows is in the block: a place depends on the inside port.
        let Outcome::Redirect(out) =
            r.up(&from_alice(&tcp((ALICE, 30_000 + n), (REMOTE, 80), 64, b"abcdefgh")))
        else {
            continue;
        };
        let port = external_port(&out[14..]);
        if !is_in(block, port) {
            continue;
        }
        seen += 1;
        assert_eq!(out[14..], tcp((EXTERNAL, port), (REMOTE, 80), 63, b"abcdefgh"));
        let answer = from_core(&tcp((REMOTE, 80), (EXTERNAL, port), 64, b"welcome"));
        assert_eq!(to_alice(r.down(&answer)), tcp((REMOTE, 80), (ALICE, 30_000 + n), 63, b"welcome"));
        let back = to_alice(r.down(&from_core(&unreachable([9, 9, 9, 9], EXTERNAL, 64, &out[14..]))));
        assert_eq!(back[28..52], tcp((ALICE, 30_000 + n), (REMOTE, 80), 63, b"abcdefgh")[..24]);
        // An error from inside about what came in.
        let came = tcp((REMOTE, 80), (ALICE, 30_000 + n), 63, b"welcome");
        let error =
            redirected(r.up(&from_alice(&unreachable(ALICE, REMOTE, 64, &came))), GATEWAY_MAC, CORE_MAC);
        let quoted = tcp((REMOTE, 80), (EXTERNAL, port), 63, b"welcome");
        assert_eq!(error, unreachable(EXTERNAL, REMOTE, 63, &quoted));
        let (first, second) = fragments(&udp((REMOTE, 53), (EXTERNAL, port), 64, &[7; 64]));
        assert_eq!(
            r.down(&from_core(&first)),
            Outcome::Drop(DropReason::NatNoMapping, None),
            "a port is of one protocol at a time"
        );
        assert_eq!(r.down(&from_core(&second)), Outcome::Drop(DropReason::FragmentUnknown, None));
        break;
    }
    assert_eq!(seen, 1, "there was room");
    for (n, port) in ports.iter().filter(|(_, port)| is_in(block, **port)).take(3) {
        let (first, second) = fragments(&udp((REMOTE, 53), (EXTERNAL, *port), 64, &[7; 64]));
        let (expected, expected_second) = fragments(&udp((REMOTE, 53), (ALICE, 20_000 + n), 63, &[7; 64]));
        assert_eq!(to_alice(r.down(&from_core(&first))), expected);
        assert_eq!(to_alice(r.down(&from_core(&second))), expected_second);
        let (first, second) = fragments(&udp((ALICE, 20_000 + n), (REMOTE, 53), 64, &[7; 64]));
        let (expected, expected_second) = fragments(&udp((EXTERNAL, *port), (REMOTE, 53), 63, &[7; 64]));
        assert_eq!(redirected(r.up(&from_alice(&first)), GATEWAY_MAC, CORE_MAC), expected);
        assert_eq!(redirected(r.up(&from_alice(&second)), GATEWAY_MAC, CORE_MAC), expected_second);
    }
    let (n, port) = ports.iter().find(|(_, port)| is_in(block, **port)).expect("one is in there");
    // Hairpin (RFC 4787, REQ-9), from a flow that finds a place to one in the block.
    let hairpin = (0..200).find_map(|m| {
        match r.up(&from_alice(&udp((ALICE, 40_000 + m), (EXTERNAL, *port), 64, b"me"))) {
            Outcome::Redirect(out) => Some(out),
            _ => None,
        }
    });
    let came = to_alice(Outcome::Redirect(hairpin.expect("there was room")));
    assert_checksums(&came);
    assert_eq!((&came[12..16], &came[16..20]), (&EXTERNAL[..], &ALICE[..]));
    assert_eq!(came[22..24], (20_000 + n).to_be_bytes());
    let ping = (0..200).find_map(|id| match r.up(&from_alice(&echo_request(ALICE, REMOTE, id, 64))) {
        Outcome::Redirect(out) => Some((id, u16::from_be_bytes([out[38], out[39]]))),
        _ => None,
    });
    let (id, outside) = ping.expect("there was room");
    let answer = from_core(&echo_reply(REMOTE, EXTERNAL, outside, 64));
    assert_eq!(to_alice(r.down(&answer)), echo_reply(REMOTE, ALICE, id, 63));
}

fn lives_in_further_blocks(more: &str) {
    let wanted = office(2, more);
    let mut node = Node::new(&wanted);
    let own = fill(&mut node.kernel(), 0);
    assert!(own.values().all(|port| is_in(1024, *port)) && own.len() > 30, "{own:?}");
    assert_eq!(node.extend(), Extension::Given(block(LENT)));
    assert_eq!(node.fastpath.nat_blocks(&name()), [block(1024), block(LENT)]);
    // A few flows in the block, so that there is room for others.
    let mut ports = own;
    for n in 3000..3010 {
        let Outcome::Redirect(out) = node.kernel().up(&from_alice(&flow(n))) else { panic!("goes out") };
        ports.insert(n, external_port(&out[14..]));
    }
    assert!(ports.values().filter(|port| is_in(LENT, **port)).count() > 5, "{ports:?}");
    script(&mut node.host(), &ports, LENT);
    script(&mut node.kernel(), &ports, LENT);
    assert_eq!(node.exhausted(), [0_u32; 0]);
    // What changes the session changes nothing about its blocks, and after a restart they are as they were.
    settle(&mut node.fastpath, &office(3, more));
    settle(&mut node.fastpath, &wanted);
    settle(&mut node.fastpath, &wanted);
    assert_eq!((node.fastpath.writes(), node.first_ports()), (0, vec![1024, LENT]));
    let mut node = node.again(&wanted);
    assert_eq!((node.fastpath.writes(), node.first_ports()), (0, vec![1024, LENT]));
    for (n, port) in &ports {
        let out = redirected(node.kernel().up(&from_alice(&flow(*n))), GATEWAY_MAC, CORE_MAC);
        assert_eq!(external_port(&out), *port);
        let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, *port), 64, b"answer"));
        to_alice(node.kernel().down(&answer));
    }
    // While she is suspended, her further ports are, too.
    let suspended: NodeState = wanted
        .resources()
        .map(|resource| match resource {
            node_state::Resource::Session(mut session) => {
                session.state = node_state::SessionState::Suspended;
                node_state::Resource::Session(session)
            }
            other => other,
        })
        .collect();
    settle(&mut node.fastpath, &suspended);
    let (n, port) = ports.iter().find(|(_, port)| is_in(LENT, **port)).expect("one is in there");
    assert_eq!(node.kernel().up(&from_alice(&flow(*n))), Outcome::Drop(DropReason::Suspended, None));
    let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, *port), 64, b"answer"));
    assert_eq!(node.kernel().down(&answer), Outcome::Drop(DropReason::Suspended, None));
    settle(&mut node.fastpath, &wanted);
    to_alice(node.kernel().down(&answer));
}

#[test]
fn flows_live_in_further_port_blocks_as_in_the_own_one() {
    lives_in_further_blocks("");
}

#[test]
fn flows_live_in_further_port_blocks_behind_a_firewall_with_rules() {
    lives_in_further_blocks(RULES);
}

#[test]
fn further_port_blocks_come_up_to_the_quota_and_go_when_they_are_idle() {
    let wanted = office(2, "");
    let mut node = Node::new(&wanted);
    let mut ports = fill(&mut node.kernel(), 0);
    for (n, lent) in [(1, LENT), (2, LENT + BLOCK)] {
        assert_eq!(node.extend(), Extension::Given(block(lent)));
        let more = fill(&mut node.kernel(), n * 3000);
        assert!(more.values().filter(|port| is_in(lent, **port)).count() > 30, "{more:?}");
        ports.extend(more);
    }
    let mut outside: Vec<u16> = ports.values().copied().collect();
    outside.sort_unstable();
    outside.dedup();
    assert_eq!(outside.len(), ports.len(), "no two flows have one port");
    assert_eq!(node.extend(), Extension::Quota { blocks: 2 });
    // Who was denied is not heard again, until there is a reason.
    fill(&mut node.kernel(), 12_000);
    assert_eq!(node.exhausted(), [0_u32; 0]);
    assert_eq!(node.fastpath.reclaim_nat().expect("looks"), []);
    assert_eq!(node.first_ports(), [1024, LENT, LENT + BLOCK], "they are in use");
    fill(&mut node.kernel(), 15_000);
    assert_eq!(node.extend(), Extension::Quota { blocks: 2 });
    // Seven minutes later: UDP's five, and two more.
    let later = |minutes: u64| now_ns() + minutes * 60_000_000_000 + 5_000_000_000;
    assert_eq!(node.fastpath.reclaim_nat_at(later(6)).expect("looks"), []);
    assert_eq!(node.fastpath.reclaim_nat_at(later(7)).expect("takes"), [name()]);
    assert_eq!(node.first_ports(), [1024]);
    for (n, port) in &ports {
        let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, *port), 64, b"answer"));
        match node.kernel().down(&answer) {
            Outcome::Redirect(_) => assert!(is_in(1024, *port), "{n} {port}"),
            other => {
                assert_eq!(other, Outcome::Drop(DropReason::NatNoMapping, None));
                assert!(!is_in(1024, *port), "{n} {port}");
            }
        }
    }
    settle(&mut node.fastpath, &wanted);
    assert_eq!(node.fastpath.writes(), 0);
    fill(&mut node.kernel(), 18_000);
    assert_eq!(node.extend(), Extension::Given(block(LENT)), "they are free again");
}

/// With no quota, or nothing to lend, the kernel asks for nothing; a subscriber's own block goes before what is lent.
#[test]
fn what_is_lent_gives_way_and_nobody_asks_in_vain() {
    let mut node = Node::new(&office(0, ""));
    fill(&mut node.kernel(), 0);
    assert_eq!(node.exhausted(), [0_u32; 0]);
    let index = node.alice();
    let extended = node.fastpath.extend_nat(index).expect("answers");
    assert_eq!(extended, Some((name(), Extension::Quota { blocks: 0 })));
    settle(&mut node.fastpath, &office(4, ""));
    fill(&mut node.kernel(), 3000);
    assert_eq!(node.extend(), Extension::Given(block(LENT)));
    let ports = fill(&mut node.kernel(), 6000);
    assert_eq!(node.extend(), Extension::Given(block(LENT + BLOCK)));
    // The office gives a part of what was lent to another.
    let mut with_dora = office(4, "");
    let text = r#"{"kind":"session","subscriber":"dora","port":"access0","tags":{"sVid":102,"cVid":7},"state":"active","mac":null,"lease":"100.64.0.3/16","gateway":"100.64.0.1","network":"100.64.0.3/32","dnsServers":[],"leaseSeconds":3600,"nat":{"address":"198.51.100.1","firstPort":65024,"ports":64},"rateUp":null,"rateDown":null}"#;
    with_dora.insert(node_state::Resource::decode(text.as_bytes()).expect("a resource"));
    settle(&mut node.fastpath, &with_dora);
    assert_eq!(node.first_ports(), [1024, LENT + BLOCK]);
    let port = ports.values().find(|port| is_in(LENT, **port)).expect("one was in there");
    let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, *port), 64, b"answer"));
    assert_eq!(node.kernel().down(&answer), Outcome::Drop(DropReason::NatNoMapping, None));
    fill(&mut node.kernel(), 9000);
    assert_eq!(node.extend(), Extension::Given(block(LENT + 2 * BLOCK)));
    fill(&mut node.kernel(), 12_000);
    assert_eq!(node.extend(), Extension::Given(block(LENT + 3 * BLOCK)));
    fill(&mut node.kernel(), 15_000);
    assert_eq!(node.extend(), Extension::NoneFree);
    // With the session, all of its ports go.
    let nobody: NodeState =
        with_dora.resources().filter(|resource| resource.key().as_str() != "session/alice").collect();
    settle(&mut node.fastpath, &nobody);
    for first in [1024, LENT + BLOCK, LENT + 2 * BLOCK] {
        for port in first..first + BLOCK {
            let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, port), 64, b"answer"));
            assert_eq!(node.kernel().down(&answer), Outcome::Drop(DropReason::NatNoMapping, None));
        }
    }
    let mut node = node.again(&with_dora);
    assert_eq!(node.first_ports(), [1024]);
    fill(&mut node.kernel(), 0);
    assert_eq!(node.extend(), Extension::Given(block(LENT + BLOCK)));
    let refused = desired_but(|text| {
        text.replace(NAT, &format!(r#"{NAT}"natOverflow":{{"firstPort":65025,"ports":64,"blocks":1}},"#))
    });
    let outcomes = node.fastpath.reconcile(&refused);
    let error = outcomes.iter().find_map(|(_, done)| done.as_ref().err()).expect("refused");
    assert!(error.to_string().starts_with("natOverflow is 64 ports from 65025 on"), "{error}");
    assert_eq!(node.first_ports(), [1024, LENT + BLOCK], "what was there stays");
}

/// An agent whose maps are laid out otherwise carries the blocks and what is in them over, and back.
#[test]
fn further_port_blocks_survive_a_change_of_layout() {
    let wanted = office(2, "");
    let mut node = Node::new(&wanted);
    let mut ports = fill(&mut node.kernel(), 0);
    for (n, lent) in [(1, LENT), (2, LENT + BLOCK)] {
        assert_eq!(node.extend(), Extension::Given(block(lent)));
        ports.extend(fill(&mut node.kernel(), n * 3000));
    }
    let Node { world, .. } = node;
    let there = change_to_probe(&world);
    assert_nothing_lost(&there);
    assert_eq!((there.mappings, there.flows), (ports.len() as u64, 0));
    let mut node = Node::on(world, &wanted);
    assert_nothing_lost(node.fastpath.migration().expect("the maps were the other agent's"));
    settle(&mut node.fastpath, &wanted);
    assert_eq!((node.fastpath.writes(), node.first_ports()), (0, vec![1024, LENT, LENT + BLOCK]));
    for (n, port) in &ports {
        let out = redirected(node.kernel().up(&from_alice(&flow(*n))), GATEWAY_MAC, CORE_MAC);
        assert_eq!(out, udp((EXTERNAL, *port), (REMOTE, 53), 63, b"query"), "a flow keeps its port");
        let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, *port), 64, b"answer"));
        assert_eq!(
            to_alice(node.kernel().down(&answer)),
            udp((REMOTE, 53), (ALICE, 20_000 + n), 63, b"answer")
        );
    }
}
