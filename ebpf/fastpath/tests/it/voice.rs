//! Voice: a class of its own, on the host and in the kernel alike.

use fastpath::{Change, DropReason, Inspector};
use node_state::{NodeState, Resource};

use crate::{
    fixtures::{ADDRESSES, external_port},
    frames::{
        ALICE, Address, BOB, EXTERNAL, assert_checksums, from_alice, from_bob, from_core, udp, with_header,
    },
    runner::{Host, Kernel, Outcome, Runner},
    six,
    snapshot::snapshot,
    world::World,
};

const PLATFORM: Address = [192, 0, 9, 5];
const ELSEWHERE: Address = [192, 0, 10, 5];
const VOICE: &str =
    r#"{"kind":"voice","platforms":["192.0.9.0/24","2606:4700::/32"],"dscp":46,"priority":5}"#;
/// A type of service: expedited forwarding, and a packet that met congestion (RFC 3168).
const EXPEDITED_AND_CONGESTED: u8 = 46 << 2 | 3;

fn resource(text: &str) -> Resource {
    Resource::decode(text.as_bytes()).expect("a resource")
}

/// Alice behind NAT and Bob with a routed subnet and IPv6, both with 128 kbit/s of bulk and as much of voice: two packets of
/// 1450 bytes do not fit in either.
fn office(has_voice: bool) -> NodeState {
    let limit = r#"{"rate":"128k","burstUs":1000}"#;
    let rates = format!("\"rateUp\":{limit},\"rateDown\":{limit}");
    let mut office: NodeState = six::office()
        .resources()
        .map(|resource| {
            let text = String::from_utf8(resource.encode()).expect("text");
            let text = text.replace("\"rateUp\":null,\"rateDown\":null", &rates);
            let is_session = text.contains("\"kind\":\"session\"") && has_voice;
            let text = if is_session {
                format!("{},\"voice\":{limit}}}", text.strip_suffix('}').expect("an object"))
            } else {
                text
            };
            Resource::decode(text.as_bytes()).expect("a resource")
        })
        .collect();
    office.insert(resource(VOICE));
    office
}

fn everywhere(state: &NodeState, script: impl Fn(&mut dyn Runner)) {
    let world = World::new();
    let mut fastpath = six::opened(&world, state);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    script(&mut Host { world: &world, tables });
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });
}

/// The type of service of the packet that goes out, and the priorities of its tags.
fn sent(outcome: Outcome) -> (u8, Vec<u8>) {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    let (mut at, mut priorities) = (12, Vec::new());
    while matches!(frame[at..at + 2], [0x88, 0xa8] | [0x81, 0]) {
        priorities.push(frame[at + 2] >> 5);
        at += 4;
    }
    let packet = &frame[at + 2..];
    if frame[at..at + 2] == [8, 0] {
        assert_checksums(packet);
        return (packet[1], priorities);
    }
    (packet[0] << 4 | packet[1] >> 4, priorities)
}

/// 1450 bytes on a line with two tags.
fn large(from: (Address, u16), to: (Address, u16), mark: u8) -> Vec<u8> {
    let packet = udp(from, to, 64, &[0; 1400]);
    with_header(&packet, |header| {
        header.dscp = (mark >> 2).try_into().expect("six bits");
        header.ecn = (mark & 3).try_into().expect("two bits");
    })
}

#[test]
fn voice_has_a_rate_a_mark_and_a_priority_of_its_own() {
    everywhere(&office(true), |runner| {
        let bulk = from_bob(&large((BOB, 5000), (ELSEWHERE, 5060), 0));
        let voice = from_bob(&large((BOB, 5000), (PLATFORM, 5060), 3));
        assert_eq!(sent(runner.up(&bulk)), (0, vec![]));
        assert_eq!(runner.up(&bulk), Outcome::Drop(DropReason::RateUp, None), "the bulk has had its share");
        assert_eq!(sent(runner.up(&voice)), (EXPEDITED_AND_CONGESTED, vec![]), "voice has its own");
        assert_eq!(runner.up(&voice), Outcome::Drop(DropReason::RateUp, None), "and no more than that");

        let bulk = from_core(&large((ELSEWHERE, 5060), (BOB, 5000), 0));
        let voice = from_core(&large((PLATFORM, 5060), (BOB, 5000), 3));
        assert_eq!(sent(runner.down(&bulk)), (0, vec![0, 0]));
        assert_eq!(runner.down(&bulk), Outcome::Drop(DropReason::RateDown, None));
        assert_eq!(sent(runner.down(&voice)), (EXPEDITED_AND_CONGESTED, vec![5, 5]));
        assert_eq!(runner.down(&voice), Outcome::Drop(DropReason::RateDown, None));
    });
}

#[test]
fn nobody_else_has_the_mark_of_voice() {
    everywhere(&office(true), |runner| {
        let frame = from_bob(&large((BOB, 5000), (ELSEWHERE, 5060), EXPEDITED_AND_CONGESTED));
        assert_eq!(sent(runner.up(&frame)), (3, vec![]));
        let frame = from_core(&large((ELSEWHERE, 5060), (BOB, 5000), EXPEDITED_AND_CONGESTED));
        assert_eq!(sent(runner.down(&frame)), (3, vec![0, 0]));
        // Behind NAT it is the same. What is beyond the rate of voice is bulk, for which there is room.
        let frame = from_alice(&large((ALICE, 5000), (PLATFORM, 5060), 0));
        let Outcome::Redirect(out) = runner.up(&frame) else { panic!("it goes out") };
        assert_eq!(out[15], 46 << 2);
        assert_eq!(sent(runner.up(&frame)), (0, vec![]));
        let answer = from_core(&large((PLATFORM, 5060), (EXTERNAL, external_port(&out[14..])), 0));
        assert_eq!(sent(runner.down(&answer)), (46 << 2, vec![5, 5]));
        assert_eq!(sent(runner.down(&answer)), (0, vec![0, 0]));
        // Other marks are not the office's to change.
        let frame = from_core(&large((ELSEWHERE, 5060), (BOB, 5000), 34 << 2));
        assert_eq!(runner.down(&frame), Outcome::Drop(DropReason::RateDown, None));
    });
}

#[test]
fn without_voice_in_the_bundle_a_platform_is_as_anybody() {
    everywhere(&office(false), |runner| {
        let frame = from_bob(&large((BOB, 5000), (PLATFORM, 5060), EXPEDITED_AND_CONGESTED));
        assert_eq!(sent(runner.up(&frame)), (EXPEDITED_AND_CONGESTED, vec![]));
        assert_eq!(runner.up(&frame), Outcome::Drop(DropReason::RateUp, None));
        let frame = from_core(&large((PLATFORM, 5060), (BOB, 5000), EXPEDITED_AND_CONGESTED));
        assert_eq!(sent(runner.down(&frame)), (EXPEDITED_AND_CONGESTED, vec![0, 0]));
    });
}

#[test]
fn a_port_may_take_priorities_from_marks() {
    let office = office(true);
    let office = office.resources().map(|resource| {
        let text = String::from_utf8(resource.encode()).expect("text");
        let text =
            text.replace("\"outerTpid\":\"0x88a8\"", "\"outerTpid\":\"0x88a8\",\"priorityFromDscp\":true");
        Resource::decode(text.as_bytes()).expect("a resource")
    });
    everywhere(&office.collect(), |runner| {
        // The class selector of AF41 is 4 (RFC 2597, section 6).
        let frame = from_core(&large((ELSEWHERE, 5060), (BOB, 5000), 34 << 2));
        assert_eq!(sent(runner.down(&frame)), (34 << 2, vec![4, 4]));
        let frame = from_core(&large((PLATFORM, 5060), (BOB, 5000), 0));
        assert_eq!(sent(runner.down(&frame)), (46 << 2, vec![5, 5]));
        let frame = from_core(&udp((ELSEWHERE, 53), (BOB, 5000), 64, b""));
        assert_eq!(runner.down(&frame), Outcome::Drop(DropReason::RateDown, None));
    });
}

#[test]
fn voice_of_ipv6() {
    everywhere(&office(true), |runner| {
        let (home, platform) = (six::bob(), six::remote());
        let up = six::from_bob(&six::udp((home, 5000), (platform, 5060), 64, &[0; 1400]));
        assert_eq!(sent(runner.up(&up)), (46 << 2, vec![]));
        let down = six::from_core(&six::udp((platform, 5060), (home, 5000), 64, &[0; 1400]));
        assert_eq!(sent(runner.down(&down)), (46 << 2, vec![5, 5]));
        assert_eq!(sent(runner.down(&down)), (0, vec![0, 0]), "as bulk");
        assert_eq!(runner.down(&down), Outcome::Drop(DropReason::RateDown, None));
    });
}

#[test]
fn platforms_come_and_go_while_packets_flow() {
    let world = World::new();
    let mut fastpath = six::opened(&world, &office(true));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let elsewhere = VOICE.replace("192.0.9.0/24", "192.0.11.0/24");
    let other_mark = VOICE.replace("\"dscp\":46", "\"dscp\":40");
    let remove = Change::Remove(Resource::VOICE_KEY.to_owned().into());
    let frame = from_bob(&udp((BOB, 5000), (PLATFORM, 5060), 64, b""));
    for (change, mark) in [
        (None, 46 << 2),
        (Some(Change::Upsert(resource(&other_mark))), 40 << 2),
        (Some(Change::Upsert(resource(&elsewhere))), 0),
        (Some(Change::Upsert(resource(VOICE))), 46 << 2),
        (Some(remove), 0),
    ] {
        if let Some(change) = change {
            let done = fastpath.apply(&[change]);
            assert!(done.iter().all(|(_, result)| result.is_ok()), "{done:?}");
        }
        // 50 bytes take 3.4 ms at the rate.
        std::thread::sleep(std::time::Duration::from_millis(10));
        let mut kernel =
            Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        assert_eq!(sent(kernel.up(&frame)), (mark, vec![]));
    }
}
