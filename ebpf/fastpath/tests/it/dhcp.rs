//! DHCPv4 in the kernel: what it answers, and that it answers as user space would.

mod clients;
mod message;
mod office;
mod profiles;
mod properties;

use fastpath::{DropReason, PuntReason};
use message::{Message, OTHER, kind};
use office::{Office, with_resolvers};

use crate::{
    frames::{ALICE, GATEWAY},
    runner::Outcome,
    world::{ALICE_MAC, BOB_MAC},
};

#[test]
fn the_known_home_gets_its_offer_and_its_lease() {
    let world = crate::world::World::new();
    let mut office = Office::open(&world, &with_resolvers());
    let discover = Message::new(kind::DISCOVER);
    let request = Message::new(kind::REQUEST);
    for (why, message) in [
        ("DISCOVER", discover.clone()),
        ("DISCOVER of a client that had an address", discover.clone().address(50, OTHER)),
        ("SELECTING", request.clone().address(54, GATEWAY).address(50, ALICE)),
        ("INIT-REBOOT", request.clone().address(50, ALICE)),
        ("RENEWING", request.clone().ciaddr(ALICE).to(GATEWAY)),
        ("REBINDING", request.clone().ciaddr(ALICE)),
        ("the broadcast flag", discover.clone().flags(0x8000)),
        ("few options, and no byte after the end", discover.clone().exact()),
        ("no checksum", discover.clone().check(message::Check::None)),
        ("a checksum left to hardware that is not there", discover.clone().check(message::Check::Partial)),
        ("a list of parameters in another order", discover.clone().option(55, &[6, 3, 1, 15, 28, 250])),
        ("a list without any that there are", discover.clone().option(55, &[15, 66])),
        ("RFC 6842", discover.clone().option(61, &[1, 2, 0xa1, 0, 0, 0, 1])),
        ("RFC 3046", discover.clone().option(82, b"\x01\x04port\x02\x03olt")),
        ("RFC 3046, an empty one", discover.clone().option(82, b"")),
        ("the largest of both", discover.clone().option(61, &[7; 160]).option(82, &[9; 165])),
        ("the longest identifier", discover.clone().option(61, &[7; 255])),
    ] {
        office.assert_answered(why, &message);
    }
}

#[test]
fn few_or_many_options_in_any_order() {
    let world = crate::world::World::new();
    let mut office = Office::open(&world, &with_resolvers());
    let mut options: Vec<Vec<u8>> = (100..158).map(|code| vec![code, 1, code]).collect();
    options.extend([
        vec![53, 1, kind::REQUEST],
        [&[54, 4], &GATEWAY[..]].concat(),
        [&[50, 4], &ALICE[..]].concat(),
        vec![55, 3, 6, 1, 3],
        vec![61, 2, 0, 1],
        vec![82, 3, 1, 1, b'x'],
    ]);
    assert_eq!(options.len(), 64);
    for turn in [0, 7, 31, 60] {
        options.rotate_left(turn);
        for padded in [false, true] {
            let pad: &[u8] = if padded { &[0] } else { &[] };
            // Padding between half of the options: it counts as options do.
            let parts = options.iter().enumerate().map(|(n, option)| match n % 2 {
                0 => [pad, option].concat(),
                _ => option.clone(),
            });
            office.assert_answered("many options", &Message::with(parts.flatten().collect()));
        }
    }
    let too_many: Vec<u8> = (0..127).flat_map(|_| [200, 0]).chain([53, 1, kind::DISCOVER]).collect();
    office.assert_handed_over("more than are looked at", &Message::with(too_many));
}

#[test]
fn all_else_is_for_user_space() {
    let world = crate::world::World::new();
    let mut office = Office::open(&world, &with_resolvers());
    let discover = Message::new(kind::DISCOVER);
    let request = Message::new(kind::REQUEST);
    let selecting = request.clone().address(54, GATEWAY).address(50, ALICE);
    for (why, message) in [
        ("another's address", request.clone().address(54, GATEWAY).address(50, OTHER)),
        ("another's address, after a restart", request.clone().address(50, OTHER)),
        ("another's address, to be renewed", request.clone().ciaddr(OTHER)),
        ("no address", request.clone()),
        ("another server", selecting.clone().server(OTHER)),
        ("another device", selecting.clone().chaddr(BOB_MAC).from(BOB_MAC)),
        ("another device behind this one", selecting.clone().chaddr(BOB_MAC)),
        ("another device with this one's address inside", selecting.clone().from(BOB_MAC)),
        ("a relay", selecting.clone().giaddr(OTHER)),
        ("overload", selecting.clone().option(52, &[1])),
        ("an option in two parts", discover.clone().option(61, &[1]).option(61, &[2])),
        ("two types", discover.clone().option(53, &[kind::REQUEST])),
        ("no end option", discover.clone().endless()),
        ("an option beyond the end", discover.clone().tail(&[12, 200, 1])),
        ("an option without length", discover.clone().endless().tail(&[12]).exact()),
        ("a type of two bytes", Message::with(vec![53, 2, 1, 1])),
        ("no type", Message::with(vec![12, 1, b'a'])),
        ("an address of three bytes", discover.clone().option(50, &ALICE[..3])),
        ("RELEASE", Message::new(kind::RELEASE).ciaddr(ALICE).to(GATEWAY)),
        ("DECLINE", Message::new(kind::DECLINE).address(50, ALICE)),
        ("INFORM", Message::new(kind::INFORM).ciaddr(ALICE)),
        ("an answer", discover.clone().byte(0, 2)),
        ("no Ethernet", discover.clone().byte(1, 6)),
        ("a longer hardware address", discover.clone().byte(2, 16)),
        ("BOOTP", discover.clone().byte(236, 0)),
        ("a wrong checksum", discover.clone().check(message::Check::Wrong)),
        ("to somebody else", discover.clone().to(OTHER)),
        ("too many parameters", discover.clone().option(55, &[1; 65])),
        ("a long message", discover.clone().padded(577)),
    ] {
        office.assert_handed_over(why, &message);
    }
    for len in [0, 1, 100, 239, 240] {
        office.assert_handed_over("a message that ends early", &discover.clone().cut(len));
    }
}

#[test]
fn a_flood_is_not_reflected() {
    let world = crate::world::World::new();
    let mut office = Office::open(&world, &with_resolvers());
    let discover = Message::new(kind::DISCOVER).frame();
    let release = Message::new(kind::RELEASE).ciaddr(ALICE).to(GATEWAY).frame();
    for mut runner in office.runners() {
        for _ in 0..10 {
            assert!(matches!(runner.up(&discover), Outcome::Redirect(_)));
            assert_eq!(runner.up(&release), Outcome::Punt(PuntReason::Dhcp));
        }
        assert_eq!(runner.up(&discover), Outcome::Drop(DropReason::PuntLost, None));
        assert_eq!(runner.up(&release), Outcome::Drop(DropReason::PuntLost, None));
    }
    let summary = office.inspector.summary();
    assert_eq!((summary.dhcp_offers, summary.dhcp_acks), (10, 0));
    assert_eq!(office.tables().dhcp_answers().get(&map_abi::dhcp_answer::OFFER), Some(&10));
}

#[test]
fn the_office_knows_until_when_the_kernel_has_given_a_lease() {
    let world = crate::world::World::new();
    let mut office = Office::open(&world, &with_resolvers());
    let alice = "alice".parse().expect("a name");
    office.assert_answered("DISCOVER", &Message::new(kind::DISCOVER));
    assert_eq!(office.fastpath.lease(&alice), None, "an offer is no lease");
    office.assert_answered("REBINDING", &Message::new(kind::REQUEST).ciaddr(ALICE));
    let now_s =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    let lease = office.fastpath.lease(&alice).expect("a lease");
    assert_eq!(lease.mac.octets(), ALICE_MAC);
    assert!((now_s + 3590..=now_s + 3601).contains(&lease.expires_s), "{} at {now_s}", lease.expires_s);
    assert_eq!(office.fastpath.leases(), [(alice.clone(), lease)]);
    // Another agent finds it.
    let second = world.open();
    assert_eq!(second.leases().len(), 1);
    drop(second);
    office.fastpath.forget_lease(&alice).expect("a session");
    assert_eq!(office.fastpath.lease(&alice), None);
    // With another device, the one before has none.
    office.assert_answered("REBINDING", &Message::new(kind::REQUEST).ciaddr(ALICE));
    let index = office.fastpath.index_of(&alice).expect("a session");
    let bob = net_types::Mac::new(BOB_MAC).expect("unicast");
    office.fastpath.learn_mac(index, bob).expect("a session");
    assert_eq!(office.fastpath.lease(&alice), None);
    office.fastpath.forget_mac(index).expect("a session");
    office.renew_host();
    office.assert_handed_over("nobody is known", &Message::new(kind::DISCOVER));
}
