//! Homes with several devices, bridged to the office: on the host and in the kernel alike.

mod blocks;
mod parental;

use std::{net::Ipv4Addr, os::fd::AsRawFd};

use fastpath::{DropReason, Fastpath, Inspector, LeasedDevice, PuntReason};
use net_types::Mac;
use node_state::{NodeState, Resource};

use crate::{
    fixtures::{ADDRESSES, Build, external_port, fragments, redirected},
    frames::{
        Address, EXTERNAL, GATEWAY, REMOTE, assert_checksums, echo_reply, echo_request, from_core, tagged,
        tcp, udp, unreachable,
    },
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    upgrade::{assert_nothing_lost, change_to_probe},
    world::{ACCESS_MAC, CORE_MAC, GATEWAY_MAC, World, desired_but, settle},
};

/// A device of a home: its Ethernet address, and the address that it has leased.
type Device = ([u8; 6], Address);

/// Of Alice's, who has a block of four addresses of which three are leased.
const PHONE: Device = ([0x02, 0xd0, 0, 0, 0, 4], [100, 64, 0, 4]);
const LAPTOP: Device = ([0x02, 0xd0, 0, 0, 0, 5], [100, 64, 0, 5]);
const PRINTER: Device = ([0x02, 0xd0, 0, 0, 0, 7], [100, 64, 0, 7]);
const FREE: Address = [100, 64, 0, 6];
const STRANGER: [u8; 6] = [0x02, 0x57, 0, 0, 0, 1];
/// Of Bob's, whose subnet is routed.
const SERVER: Device = ([0x02, 0xd1, 0, 0, 0, 1], [203, 0, 113, 10]);
const CAMERA: Device = ([0x02, 0xd1, 0, 0, 0, 2], [203, 0, 113, 12]);

const NAT: &str = r#""nat":{"address":"198.51.100.1","firstPort":1024,"ports":64},"#;

/// Alice with four devices and what else her session has, and Bob with three.
fn office(more: &str) -> NodeState {
    desired_but(|text| {
        text.replace(
            r#""mac":"02:a1:00:00:00:01","lease":"100.64.0.2/16""#,
            r#""mac":null,"devices":4,"lease":"100.64.0.4/16""#,
        )
        .replace("100.64.0.2/32", "100.64.0.4/30")
        .replace(NAT, &format!("{NAT}{more}"))
        .replace(r#""mac":"02:b0:00:00:00:01""#, r#""mac":null,"devices":3"#)
    })
}

fn leased(devices: &[Device]) -> Vec<LeasedDevice> {
    let one = |(mac, address): &Device| LeasedDevice {
        address: Ipv4Addr::from(*address),
        mac: Mac::new(*mac).expect("unicast"),
        lease_ends_s: 1_000_000,
    };
    devices.iter().map(one).collect()
}

fn lease(fastpath: &mut Fastpath, subscriber: &str, devices: &[Device]) {
    fastpath.set_devices(&subscriber.parse().expect("a name"), &leased(devices)).expect("a session");
}

fn opened(world: &World, desired: &NodeState) -> Fastpath {
    let mut fastpath = world.office(desired);
    lease(&mut fastpath, "alice", &[PHONE, LAPTOP, PRINTER]);
    lease(&mut fastpath, "bob-inc", &[SERVER, CAMERA]);
    fastpath
}

/// On the host and in the kernel, each from the same beginning.
fn in_both(desired: &NodeState, script: impl Fn(&mut dyn Runner)) {
    let world = World::new();
    let mut fastpath = opened(&world, desired);
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let tables = snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES);
    script(&mut Host { world: &world, tables });
    script(&mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts });
    settle(&mut fastpath, desired);
    assert_eq!(fastpath.writes(), 0, "all is as desired");
}

fn from_home(mac: [u8; 6], packet: &[u8]) -> Vec<u8> {
    tagged(mac, 0x88a8, (100, 7), 0x0800, packet)
}

fn goes_out(r: &mut dyn Runner, device: Device, packet: &[u8]) -> Vec<u8> {
    redirected(r.up(&from_home(device.0, packet)), GATEWAY_MAC, CORE_MAC)
}

/// The packet in a frame to a device.
fn comes_to(outcome: Outcome, device: Device, tags: (u16, u16)) -> Vec<u8> {
    let Outcome::Redirect(frame) = outcome else { panic!("{outcome:?}") };
    let mut expected = tagged(ACCESS_MAC, 0x88a8, tags, 0x0800, &[]);
    expected[..6].copy_from_slice(&device.0);
    assert_eq!(frame[..22], expected);
    assert_checksums(&frame[22..]);
    assert_eq!(frame[22 + 16..22 + 20], device.1, "to its address");
    frame[22..].to_vec()
}

fn to(outcome: Outcome, device: Device) -> Vec<u8> {
    comes_to(outcome, device, (100, 7))
}

fn identifier(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[24], packet[25]])
}

/// The same inside port of two devices: each has a mapping of its own, both ways.
fn the_same_port(r: &mut dyn Runner) {
    for build in [udp as Build, tcp] {
        let ports = [PHONE, LAPTOP, PRINTER].map(|device| {
            let out = goes_out(r, device, &build((device.1, 5000), (REMOTE, 53), 64, b"question"));
            let port = external_port(&out);
            assert_eq!(out, build((EXTERNAL, port), (REMOTE, 53), 63, b"question"));
            let again = goes_out(r, device, &build((device.1, 5000), ([8, 8, 8, 8], 99), 64, b"question"));
            assert_eq!(external_port(&again), port, "one port for all that one inside port says");
            port
        });
        assert!(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2], "{ports:?}");
        for (device, port) in [PHONE, LAPTOP, PRINTER].into_iter().zip(ports) {
            let came = to(r.down(&from_core(&build((REMOTE, 53), (EXTERNAL, port), 64, b"answer"))), device);
            assert_eq!(came, build((REMOTE, 53), (device.1, 5000), 63, b"answer"));
        }
    }
    let ids = [PHONE, LAPTOP]
        .map(|device| identifier(&goes_out(r, device, &echo_request(device.1, REMOTE, 77, 64))));
    assert_ne!(ids[0], ids[1]);
    for (device, id) in [PHONE, LAPTOP].into_iter().zip(ids) {
        let came = to(r.down(&from_core(&echo_reply(REMOTE, EXTERNAL, id, 64))), device);
        assert_eq!(came, echo_reply(REMOTE, device.1, 77, 63));
    }
}

fn quotes_and_fragments(r: &mut dyn Runner) {
    for (device, other) in [(LAPTOP, PHONE), (PHONE, LAPTOP)] {
        let sent = udp((device.1, 6000), (REMOTE, 7), 64, b"abcdefgh");
        goes_out(r, other, &udp((other.1, 6000), (REMOTE, 7), 64, b"abcdefgh"));
        let out = goes_out(r, device, &sent);
        // An error about what a device sent goes to it, with what it sent.
        let came = to(r.down(&from_core(&unreachable([9, 9, 9, 9], EXTERNAL, 64, &out))), device);
        assert_eq!(came[28..52], udp((device.1, 6000), (REMOTE, 7), 63, b"abcdefgh")[..24]);
        // And a device's error about what came to it says what came to the office.
        let answer = udp((REMOTE, 7), (EXTERNAL, external_port(&out)), 64, b"12345678");
        let came = to(r.down(&from_core(&answer)), device);
        let error = goes_out(r, device, &unreachable(device.1, REMOTE, 64, &came));
        assert_eq!(error[28..52], udp((REMOTE, 7), (EXTERNAL, external_port(&out)), 63, b"12345678")[..24]);
        assert_eq!(error[12..16], EXTERNAL);
        // One about what came to another it may not send.
        let of_other = unreachable(device.1, REMOTE, 64, &udp((REMOTE, 7), (other.1, 6000), 63, b"12345678"));
        let outcome = r.up(&from_home(device.0, &of_other));
        assert_eq!(outcome, Outcome::Drop(DropReason::IcmpErrorUnknown, None));
        // Later fragments find the device that the first one was for.
        let whole = udp((REMOTE, 7), (EXTERNAL, external_port(&out)), 64, &[7; 24]);
        let (first, second) = fragments(&whole);
        to(r.down(&from_core(&first)), device);
        to(r.down(&from_core(&second)), device);
        let (first, second) = fragments(&udp((device.1, 6000), (REMOTE, 7), 64, &[7; 24]));
        for fragment in [first, second] {
            assert_eq!(goes_out(r, device, &fragment)[12..16], EXTERNAL);
        }
    }
}

fn hairpin(r: &mut dyn Runner) {
    let out = goes_out(r, LAPTOP, &udp((LAPTOP.1, 7000), (REMOTE, 7), 64, b"a"));
    let (port, phone) =
        (external_port(&out), udp((PHONE.1, 7000), (EXTERNAL, external_port(&out)), 64, b"me"));
    let came = to(r.up(&from_home(PHONE.0, &phone)), LAPTOP);
    assert_eq!(came[12..16], EXTERNAL, "from the public address");
    let back = udp((LAPTOP.1, 7000), (EXTERNAL, external_port(&came)), 64, b"you");
    let came = to(r.up(&from_home(LAPTOP.0, &back)), PHONE);
    assert_eq!(came, udp((EXTERNAL, port), (PHONE.1, 7000), 63, b"you"));
}

/// Source check and MAC limit in one: a packet is of a pair that was leased, or of nobody.
fn spoofed(r: &mut dyn Runner) {
    for (mac, address, reason) in [
        (PHONE.0, LAPTOP.1, DropReason::SourceMac),
        (LAPTOP.0, PHONE.1, DropReason::SourceMac),
        (STRANGER, PHONE.1, DropReason::SourceMac),
        ([0; 6], PHONE.1, DropReason::SourceMac),
        (PHONE.0, FREE, DropReason::SourceAddress),
        (STRANGER, FREE, DropReason::SourceAddress),
        (PHONE.0, [100, 64, 0, 8], DropReason::SourceAddress),
        (PHONE.0, REMOTE, DropReason::SourceAddress),
        (SERVER.0, SERVER.1, DropReason::SourceAddress),
    ] {
        for build in [udp as Build, tcp] {
            let outcome = r.up(&from_home(mac, &build((address, 5000), (REMOTE, 53), 64, b"a")));
            assert_eq!(outcome, Outcome::Drop(reason, None), "{mac:?} {address:?}");
        }
        let outcome = r.up(&from_home(mac, &echo_request(address, GATEWAY, 1, 64)));
        assert_eq!(outcome, Outcome::Drop(reason, None));
        assert_eq!(r.up(&arp(mac, address, GATEWAY)), Outcome::Drop(reason, None), "{mac:?} {address:?}");
    }
    // There is no IPv6 for such homes.
    let six = tagged(PHONE.0, 0x88a8, (100, 7), 0x86dd, &[0x60; 40]);
    assert!(matches!(r.up(&six), Outcome::Drop(..)));
}

fn arp(mac: [u8; 6], sender: Address, target: Address) -> Vec<u8> {
    crate::fixtures::r_arp(mac, mac, sender, target)
}

fn neighbours(r: &mut dyn Runner) {
    for device in [PHONE, LAPTOP] {
        for target in [GATEWAY, REMOTE, [100, 64, 0, 9]] {
            let Outcome::Redirect(answer) = r.up(&arp(device.0, device.1, target)) else {
                panic!("answered")
            };
            let expected = [&ACCESS_MAC[..], &target, &device.0, &device.1].concat();
            assert_eq!((&answer[..6], &answer[22 + 8..22 + 28]), (&device.0[..], &expected[..]));
        }
        assert_eq!(
            r.up(&from_home(device.0, &echo_request(device.1, GATEWAY, 1, 64))),
            Outcome::Punt(PuntReason::GatewayEcho)
        );
    }
    // Other devices answer for themselves.
    for target in [LAPTOP.1, FREE, [127, 0, 0, 1]] {
        assert_eq!(r.up(&arp(PHONE.0, PHONE.1, target)), Outcome::Drop(DropReason::Arp, None));
    }
    // Whoever has no address yet may find out that another than those of the home is in use, and no more.
    assert!(matches!(r.up(&arp(STRANGER, [0; 4], [192, 168, 0, 1])), Outcome::Redirect(_)));
    assert_eq!(r.up(&arp(STRANGER, [0; 4], FREE)), Outcome::Drop(DropReason::Arp, None));
    let other = crate::fixtures::r_arp(PHONE.0, LAPTOP.0, LAPTOP.1, GATEWAY);
    assert_eq!(r.up(&other), Outcome::Drop(DropReason::SourceMac, None));
}

/// Who leases is user space's to say, of devices that have a lease too.
fn dhcp(r: &mut dyn Runner) {
    for (mac, source, target) in
        [(STRANGER, [0; 4], [255; 4]), (PHONE.0, [0; 4], [255; 4]), (PHONE.0, PHONE.1, GATEWAY)]
    {
        let outcome = r.up(&from_home(mac, &udp((source, 68), (target, 67), 64, &[1; 300])));
        assert_eq!(outcome, Outcome::Punt(PuntReason::Dhcp));
    }
}

/// Addresses of a subnet are what they are, and still one device's each.
fn routed(r: &mut dyn Runner) {
    let up = |r: &mut dyn Runner, device: Device, source: Address| {
        r.up(&tagged(device.0, 0x88a8, (101, 9), 0x0800, &udp((source, 5000), (REMOTE, 53), 64, b"question")))
    };
    for (device, other) in [(SERVER, CAMERA), (CAMERA, SERVER)] {
        let out = redirected(up(r, device, device.1), GATEWAY_MAC, CORE_MAC);
        assert_eq!(out, udp((device.1, 5000), (REMOTE, 53), 63, b"question"));
        let answer = from_core(&udp((REMOTE, 53), (device.1, 5000), 64, b"answer"));
        let came = comes_to(r.down(&answer), device, (101, 9));
        assert_eq!(came, udp((REMOTE, 53), (device.1, 5000), 63, b"answer"));
        assert_eq!(up(r, device, other.1), Outcome::Drop(DropReason::SourceMac, None));
        assert_eq!(up(r, device, [203, 0, 113, 11]), Outcome::Drop(DropReason::SourceAddress, None));
        // From one home to another.
        let outcome = r.up(&from_home(PHONE.0, &udp((PHONE.1, 5000), (device.1, 80), 64, b"a")));
        assert_eq!(comes_to(outcome, device, (101, 9))[12..16], EXTERNAL);
    }
    let nobody = from_core(&udp((REMOTE, 53), ([203, 0, 113, 11], 5000), 64, b"a"));
    assert_eq!(r.down(&nobody), Outcome::Drop(DropReason::SubscriberMacUnknown, None));
}

#[test]
fn devices_of_a_home_are_kept_apart() {
    in_both(&office(""), |r| {
        the_same_port(r);
        quotes_and_fragments(r);
        hairpin(r);
        spoofed(r);
        neighbours(r);
        routed(r);
        dhcp(r);
    });
}

/// What stands before and beside NAT knows devices by their addresses.
#[test]
fn with_a_firewall_rules_and_exempt_destinations() {
    let wall = r#""firewall":{"flows":256,"ipv4":true},"firewallRules":[{"name":"ssh","direction":"out","action":"deny","protocol":6,"source":"100.64.0.5/32","destinationPorts":{"first":22,"last":22}}],"#;
    in_both(&office(wall), |r| {
        the_same_port(r);
        quotes_and_fragments(r);
        let ssh = |device: Device| tcp((device.1, 5022), (REMOTE, 22), 64, b"");
        goes_out(r, PHONE, &ssh(PHONE));
        assert_eq!(r.up(&from_home(LAPTOP.0, &ssh(LAPTOP))), Outcome::Drop(DropReason::Rule, None));
    });
    let mut exempt = office(r#""natExempt":true,"#);
    let places = r#"{"kind":"natExempt","destinations":["10.9.0.0/16"]}"#;
    exempt.insert(Resource::decode(places.as_bytes()).expect("a resource"));
    in_both(&exempt, |r| {
        the_same_port(r);
        let service = [10, 9, 8, 7];
        for device in [PHONE, LAPTOP] {
            let out = goes_out(r, device, &udp((device.1, 5000), (service, 53), 64, b"question"));
            assert_eq!(out, udp((device.1, 5000), (service, 53), 63, b"question"));
            let answer = from_core(&udp((service, 53), (device.1, 5000), 64, b"answer"));
            assert_eq!(to(r.down(&answer), device), udp((service, 53), (device.1, 5000), 63, b"answer"));
            let strange = from_core(&udp((REMOTE, 53), (device.1, 5000), 64, b"answer"));
            assert_eq!(r.down(&strange), Outcome::Drop(DropReason::NatNoMapping, None));
        }
        let nobody = from_core(&udp((service, 53), (FREE, 5000), 64, b"answer"));
        assert_eq!(r.down(&nobody), Outcome::Drop(DropReason::SubscriberMacUnknown, None));
    });
}

/// Of a home that is suspended, the same pairs reach the walled garden, and no others.
#[test]
fn in_the_walled_garden() {
    let mut suspended: NodeState = office("")
        .resources()
        .map(|resource| {
            let text = String::from_utf8(resource.encode()).expect("JSON");
            let text = text.replace(r#""active""#, r#""suspended""#);
            Resource::decode(text.as_bytes()).expect("a resource")
        })
        .collect();
    let garden = r#"{"kind":"garden","portal":"http://192.0.9.9/","allowed":["192.0.9.9/32"]}"#;
    suspended.insert(Resource::decode(garden.as_bytes()).expect("a resource"));
    in_both(&suspended, |r| {
        for device in [PHONE, LAPTOP] {
            let out = goes_out(r, device, &udp((device.1, 5000), (REMOTE, 53), 64, b"question"));
            let answer = from_core(&udp((REMOTE, 53), (EXTERNAL, external_port(&out)), 64, b"answer"));
            assert_eq!(to(r.down(&answer), device), udp((REMOTE, 53), (device.1, 5000), 63, b"answer"));
            let elsewhere = udp((device.1, 5000), ([8, 8, 8, 8], 99), 64, b"a");
            assert_eq!(r.up(&from_home(device.0, &elsewhere)), Outcome::Drop(DropReason::Garden, None));
        }
        let spoofed = udp((LAPTOP.1, 5000), (REMOTE, 53), 64, b"question");
        assert_eq!(r.up(&from_home(PHONE.0, &spoofed)), Outcome::Drop(DropReason::SourceMac, None));
    });
}

/// Port forwards lead to the first address of the block, and what that device says leaves by them.
#[test]
fn port_forwards_lead_to_the_first_address() {
    in_both(&office(r#""portForwards":[{"protocol":"tcp","port":1040,"toPort":80}],"#), |r| {
        let came = to(r.down(&from_core(&tcp((REMOTE, 999), (EXTERNAL, 1040), 64, b"hello"))), PHONE);
        assert_eq!(came, tcp((REMOTE, 999), (PHONE.1, 80), 63, b"hello"));
        let out = goes_out(r, PHONE, &tcp((PHONE.1, 80), (REMOTE, 999), 64, b"welcome"));
        assert_eq!(external_port(&out), 1040);
        let out = goes_out(r, LAPTOP, &tcp((LAPTOP.1, 80), (REMOTE, 999), 64, b"welcome"));
        assert_ne!(external_port(&out), 1040, "another device has a port of its own");
    });
}

#[test]
fn devices_come_and_go_and_stay_over_a_restart() {
    let world = World::new();
    let desired = office("");
    let mut fastpath = opened(&world, &desired);
    let mut punts = fastpath.punts().expect("not taken yet");
    assert!(punts.as_raw_fd() >= 0);
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let flow = |device: Device| udp((device.1, 5000), (REMOTE, 53), 64, b"a");
    let ports = {
        let r =
            &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        [PHONE, LAPTOP].map(|device| external_port(&goes_out(r, device, &flow(device))))
    };
    let answer = |port| from_core(&udp((REMOTE, 53), (EXTERNAL, port), 64, b"b"));
    // Without its lease, nothing comes from or to a device, and nothing of the others changes.
    lease(&mut fastpath, "alice", &[LAPTOP, PRINTER]);
    {
        let r =
            &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        assert_eq!(r.down(&answer(ports[0])), Outcome::Drop(DropReason::SubscriberMacUnknown, None));
        assert_eq!(r.up(&from_home(PHONE.0, &flow(PHONE))), Outcome::Drop(DropReason::SourceAddress, None));
        to(r.down(&answer(ports[1])), LAPTOP);
    }
    // Another device with that address.
    let tablet = (STRANGER, PHONE.1);
    lease(&mut fastpath, "alice", &[tablet, LAPTOP, PRINTER]);
    {
        let r =
            &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        to(r.down(&answer(ports[0])), tablet);
        assert_eq!(r.up(&from_home(PHONE.0, &flow(PHONE))), Outcome::Drop(DropReason::SourceMac, None));
    }
    let shown = inspector.sessions();
    assert_eq!(shown[0].devices, Some(leased(&[tablet, LAPTOP, PRINTER])));
    assert_eq!((shown[0].mac, shown[1].devices.as_ref().map(Vec::len)), (None, Some(2)));
    drop((fastpath, punts));
    // Over to an agent whose maps are laid out otherwise, and back.
    assert_nothing_lost(&change_to_probe(&world));
    let mut fastpath = world.open();
    assert_nothing_lost(fastpath.migration().expect("the maps were the other agent's"));
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let mut punts = fastpath.punts().expect("not taken yet");
    {
        let r =
            &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        to(r.down(&answer(ports[1])), LAPTOP);
        goes_out(r, LAPTOP, &flow(LAPTOP));
    }
    // Which version of a session there is, is written anew.
    settle(&mut fastpath, &desired);
    settle(&mut fastpath, &desired);
    lease(&mut fastpath, "alice", &[tablet, LAPTOP, PRINTER]);
    assert_eq!(fastpath.writes(), 0, "all is as it was");
    // How many there may be touches nothing else.
    let three = desired.resources().map(|resource| {
        let text = String::from_utf8(resource.encode()).expect("JSON");
        Resource::decode(text.replace(r#""devices":4"#, r#""devices":3"#).as_bytes()).expect("a resource")
    });
    settle(&mut fastpath, &three.collect());
    assert_eq!(inspector.sessions()[0].devices.as_ref().map(Vec::len), Some(3));
    {
        let r =
            &mut Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
        to(r.down(&answer(ports[1])), LAPTOP);
    }
    // A home with one device has none of them, nor has one that comes after it.
    settle(&mut fastpath, &desired_but(str::to_owned));
    assert_eq!(inspector.sessions()[0].devices, None);
    lease(&mut fastpath, "alice", &[PHONE]);
    settle(&mut fastpath, &desired);
    assert_eq!(inspector.sessions()[0].devices, Some(Vec::new()));
}
