//! Ports that devices share: what is told of their mappings, and further port blocks.

use std::{net::Ipv4Addr, time::Duration};

use fastpath::{DropReason, Extension, Inspector, KernelEvent};
use map_abi::{EventKind, NatFlow};
use node_state::Resource;

use super::{Device, LAPTOP, PHONE, from_home, goes_out, office, opened, to};
use crate::{
    fixtures::{ADDRESSES, external_port, fragments},
    frames::{EXTERNAL, REMOTE, from_core, tcp, udp, unreachable},
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::{snapshot, snapshot_at},
    world::{World, now_ns},
};

const LOG: &str = r#"{"kind":"natLog","collector":"192.0.2.66:4739","observationDomain":7,"perFlow":true}"#;
const OVERFLOW: &str = r#""natOverflow":{"firstPort":65024,"ports":256,"blocks":1},"#;

fn flow(device: Device, n: u16) -> Vec<u8> {
    udp((device.1, 10_000 + n), (REMOTE, 53), 64, b"question")
}

/// Whether it is a mapping that was made, and of whom.
type Told = (bool, Ipv4Addr, u16);

#[test]
fn the_nat_log_knows_which_device_a_mapping_is_of() {
    let world = World::new();
    let mut desired = office("");
    desired.insert(Resource::decode(LOG.as_bytes()).expect("a resource"));
    let mut fastpath = opened(&world, &desired);
    let (mut punts, mut events) = (fastpath.punts().expect("there"), fastpath.events().expect("there"));
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    let expected: Vec<Told> = [PHONE, LAPTOP].map(|device| (true, device.1.into(), 10_000)).to_vec();
    let mut host = Host { world: &world, tables };
    let told = |host: &Host<'_>| -> Vec<Told> {
        let records = host.tables.take_events();
        let flow = |record: &map_abi::EventRecord| {
            let flow = NatFlow::of_payload(record.payload);
            let is_made = record.kind == EventKind::MappingMade as u32;
            (is_made, flow.inside.into(), u16::from_be_bytes(flow.inside_port))
        };
        records.iter().map(flow).collect()
    };
    for device in [PHONE, LAPTOP] {
        goes_out(&mut host, device, &flow(device, 0));
        let kernel =
            &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        goes_out(kernel, device, &flow(device, 0));
    }
    assert_eq!(told(&host), expected);
    let in_kernel = std::iter::from_fn(|| events.next());
    let in_kernel = in_kernel.filter_map(|event| match event {
        KernelEvent::Mapping(event) => Some((event.is_made, *event.inside.ip(), event.inside.port())),
        KernelEvent::PortsExhausted { .. } => None,
    });
    assert_eq!(in_kernel.collect::<Vec<Told>>(), expected);
    // Another device's flows take their places when they have run out: the end is the former device's.
    host.tables.advance_ns(u64::try_from(Duration::from_mins(15).as_nanos()).expect("some minutes"));
    for n in 1..200 {
        host.up(&from_home(LAPTOP.0, &flow(LAPTOP, n)));
    }
    let ended: Vec<Told> = told(&host).into_iter().filter(|(is_made, ..)| !is_made).collect();
    let expected: Vec<Told> = expected.iter().map(|(_, inside, port)| (false, *inside, *port)).collect();
    assert!(expected.iter().all(|flow| ended.contains(flow)), "{ended:?}");
}

/// Sends new flows until one finds no port.
fn fill(r: &mut dyn Runner, device: Device) {
    for n in 0..500 {
        match r.up(&from_home(device.0, &flow(device, n))) {
            Outcome::Redirect(_) => {}
            other => {
                assert_eq!(other, Outcome::Drop(DropReason::NatPortsExhausted, None));
                return;
            }
        }
    }
    panic!("the block is never full");
}

fn in_a_further_block(r: &mut dyn Runner) {
    // What one device's flows have no place for is another block's, for either.
    for n in 0..12 {
        for device in [LAPTOP, PHONE] {
            let sent = flow(device, 1000 + n);
            let out = goes_out(r, device, &sent);
            let port = external_port(&out);
            let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, port), 64, &[7; 24]));
            to(r.down(&answer), device);
            let (first, second) = fragments(&answer[14..]);
            to(r.down(&from_core(&first)), device);
            to(r.down(&from_core(&second)), device);
            let came = to(r.down(&from_core(&unreachable([9, 9, 9, 9], EXTERNAL, 64, &out))), device);
            assert_eq!(came[28..52], udp((device.1, 11_000 + n), (REMOTE, 53), 63, b"question")[..24]);
        }
    }
    goes_out(r, LAPTOP, &tcp((LAPTOP.1, 11_000), (REMOTE, 80), 64, b""));
}

#[test]
fn further_port_blocks_are_for_all_devices_of_the_home() {
    let world = World::new();
    let mut fastpath = opened(&world, &office(OVERFLOW));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let index = fastpath.index_of(&"alice".parse().expect("a name")).expect("a session");
    {
        let kernel =
            &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        fill(kernel, PHONE);
    }
    let (_, extension) = fastpath.extend_nat(index).expect("extends").expect("a session");
    assert!(matches!(extension, Extension::Given(_)), "{extension:?}");
    let tables = snapshot_at(&world.pin_dir, [world.access, world.core], &ADDRESSES, now_ns());
    in_a_further_block(&mut Host { world: &world, tables });
    in_a_further_block(&mut Kernel {
        world: &world,
        fastpath: &mut fastpath,
        inspector: &inspector,
        punts: &mut punts,
    });
}
