//! Marks by priority: what a line sends has the class of its outer tag, on the host and in the kernel alike.

use fastpath::Inspector;
use map_abi::{PortEntry, port_flags};
use node_state::{NodeState, Resource};
use packet_logic::{HostPacket, HostTables};

use crate::{
    fixtures::{ADDRESSES, external_port},
    frames::{
        ALICE, Address, BOB, EXTERNAL, REMOTE, assert_checksums, from_core, tagged, tcp, udp, with_header,
    },
    runner::{Host, Kernel, Outcome, Runner},
    six,
    snapshot::snapshot,
    world::{ACCESS_MAC, ALICE_MAC, BOB_MAC, World, desired, settle},
};

const PLATFORM: Address = [192, 0, 8, 5];
/// The class selector 5, so that a priority alone would make a packet look like voice.
const VOICE: &str =
    r#"{"kind":"voice","platforms":["192.0.8.0/24","2606:4700:5::/48"],"dscp":40,"priority":5}"#;

/// Alice behind NAT, and Bob with voice, on a port where priorities are marks.
fn office() -> NodeState {
    let plain = six::office();
    let texts = plain.resources().map(|resource| {
        let text = String::from_utf8(resource.encode()).expect("JSON");
        let text =
            text.replace("\"outerTpid\":\"0x88a8\"", "\"outerTpid\":\"0x88a8\",\"dscpFromPriority\":true");
        match text.strip_suffix('}') {
            Some(bob) if text.contains("bob-inc") => {
                format!(r#"{bob},"voice":{{"rate":"1M","burstUs":100000}}}}"#)
            }
            _ => text,
        }
    });
    let texts = texts.chain([VOICE.to_owned()]);
    texts.map(|text| Resource::decode(text.as_bytes()).unwrap_or_else(|e| panic!("{text}: {e}"))).collect()
}

fn marked(packet: &[u8], dscp: u8, ecn: u8) -> Vec<u8> {
    with_header(packet, |header| {
        header.dscp = dscp.try_into().expect("six bits");
        header.ecn = ecn.try_into().expect("two bits");
    })
}

fn alice(priority: u16, packet: &[u8]) -> Vec<u8> {
    // The inner tag says something else.
    tagged(ALICE_MAC, 0x88a8, (priority << 13 | 0x64, 0xe007), 0x0800, packet)
}

fn bob(priority: u16, ethertype: u16, packet: &[u8]) -> Vec<u8> {
    tagged(BOB_MAC, 0x88a8, (priority << 13 | 0x65, 9), ethertype, packet)
}

fn packet(outcome: Outcome) -> Vec<u8> {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    frame[14..].to_vec()
}

fn script(r: &mut dyn Runner) {
    for (priority, dscp, ecn) in [(0, 46, 0), (0, 0, 3), (1, 0, 1), (6, 46, 2), (7, 8, 0)] {
        let class = u8::try_from(priority).expect("three bits") << 3;
        for build in [udp, tcp] {
            let sent = build((ALICE, 5000), (REMOTE, 53), 64, b"abcd");
            let out = packet(r.up(&alice(priority, &marked(&sent, dscp, ecn))));
            assert_checksums(&out);
            let expected = build((EXTERNAL, external_port(&out)), (REMOTE, 53), 63, b"abcd");
            assert_eq!(out, marked(&expected, class, ecn), "priority {priority}");
        }
        let mut sent = six::udp((six::bob(), 5000), (six::remote(), 53), 64, b"abcd");
        let traffic_class = dscp << 2 | ecn;
        (sent[0], sent[1]) = (0x60 | traffic_class >> 4, traffic_class << 4);
        // To a bystander: Bob's voice is the last of the classes.
        let out = packet(r.up(&bob(priority, 0x86dd, &sent)));
        assert_eq!(out[0] << 4 | out[1] >> 4, class << 2 | ecn, "priority {priority} of IPv6");
    }
    // Voice has its own mark, and nobody else of a home with voice: not by a mark, nor by a priority.
    for (to, priority, dscp, expected) in [
        (PLATFORM, 0, 0, 40),
        (PLATFORM, 3, 40, 40),
        (REMOTE, 5, 0, 0),
        (REMOTE, 5, 40, 0),
        (REMOTE, 4, 40, 32),
    ] {
        let sent = marked(&udp((BOB, 5000), (to, 5060), 64, b"a"), dscp, 0);
        let out = packet(r.up(&bob(priority, 0x0800, &sent)));
        assert_eq!(out[1] >> 2, expected, "priority {priority}, mark {dscp}, to {to:?}");
    }
    // What comes in from the core keeps its mark.
    let down = marked(&udp((REMOTE, 53), (BOB, 5000), 64, b"a"), 46, 1);
    let Outcome::Redirect(frame) = r.down(&from_core(&down)) else { panic!("it comes in") };
    assert_eq!(frame[23], 46 << 2 | 1);
    // One subscriber's packet to another has the mark that it was given.
    let between = marked(&udp((ALICE, 5000), (BOB, 5000), 64, b"a"), 46, 0);
    let Outcome::Redirect(frame) = r.up(&alice(2, &between)) else { panic!("it comes in") };
    assert_eq!(frame[23], 16 << 2);
}

#[test]
fn what_a_line_sends_has_the_class_of_its_outer_tag() {
    let world = World::new();
    let mut fastpath = six::opened(&world, &office());
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    script(&mut Host { world: &world, tables });
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });

    // A port begins and ceases to ask for it while packets flow, and the flow stays what it is.
    let sent = alice(3, &marked(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a"), 46, 0));
    let mut ports = Vec::new();
    for (state, dscp) in [(six::with_ipv6(&desired()), 46), (office(), 24)] {
        settle(&mut fastpath, &state);
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        let out = packet(kernel.up(&sent));
        assert_eq!(out[1] >> 2, dscp);
        ports.push(external_port(&out));
    }
    assert_eq!(ports[0], ports[1], "the same mapping");
}

/// The type of service of Alice's packet behind no tag, or one that says a priority and no VLAN.
fn untagged(tables: &HostTables, world: &World, tag: &[u8]) -> u8 {
    let sent = marked(&udp((ALICE, 5000), (REMOTE, 53), 64, b"a"), 46, 1);
    let frame = [&ACCESS_MAC[..], &ALICE_MAC, tag, &[8, 0], &sent].concat();
    let mut packet = HostPacket::new(&frame, world.access);
    let mut verdict = packet_logic::up(&mut packet, tables);
    while let Some(next) = packet_logic::lead_on(&mut packet, tables, verdict) {
        verdict = next;
    }
    packet.bytes()[15]
}

#[test]
fn without_a_tag_there_is_no_priority() {
    let world = World::new();
    let plain = desired();
    let state = plain.resources().map(|resource| {
        let text = String::from_utf8(resource.encode()).expect("JSON");
        Resource::decode(text.replace(r#""sVid":100,"cVid":7"#, "").as_bytes()).expect("a resource")
    });
    drop(world.office(&state.collect()));
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    let flags = port_flags::ACCESS | port_flags::MARK_BY_PRIORITY;
    let entry = PortEntry { mac: ACCESS_MAC, index_plus_one: 1 | flags };
    let tag = [0x81, 0, 0x60, 0];
    assert_eq!([untagged(&tables, &world, &[]), untagged(&tables, &world, &tag)], [46 << 2 | 1; 2]);
    tables.set_port(world.access, entry);
    assert_eq!([untagged(&tables, &world, &[]), untagged(&tables, &world, &tag)], [1, 3 << 5 | 1]);
}
