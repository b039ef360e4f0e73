//! Random messages: what the kernel answers, user space would have answered so.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::{
    message::{Check, Message, OTHER},
    office::{Office, with_resolvers},
};
use crate::{
    frames::{ALICE, Address, GATEWAY},
    runner::Outcome,
    world::{ALICE_MAC, BOB_MAC, World},
};

fn option(code: u8, data: &[u8]) -> Vec<u8> {
    [&[code, u8::try_from(data.len()).expect("short")], data].concat()
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![9 => prop::collection::vec(any::<u8>(), 0..24), 1 => prop::collection::vec(any::<u8>(), 0..=max)]
}

fn address(likely: Address) -> impl Strategy<Value = Address> {
    prop_oneof![6 => Just(likely), 1 => Just(OTHER), 1 => any::<Address>()]
}

/// An option that matters, or one that does not, or padding.
fn an_option() -> impl Strategy<Value = Vec<u8>> {
    let listed = prop_oneof![3 => prop::sample::select(vec![1_u8, 3, 6]), 1 => any::<u8>()];
    prop_oneof![
        4 => prop::collection::vec(listed, 0..12).prop_map(|list| option(55, &list)),
        2 => bytes(255).prop_map(|data| option(61, &data)),
        2 => bytes(255).prop_map(|data| option(82, &data)),
        2 => any::<u16>().prop_map(|size| option(57, &size.to_be_bytes())),
        2 => prop::collection::vec(Just(0_u8), 1..4),
        4 => (56_u8..=254, bytes(60)).prop_map(|(code, data)| option(code, &data)),
        1 => (0_u8..=254, bytes(8)).prop_map(|(code, data)| option(code, &data)),
    ]
}

fn options() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![4 => Just(1_u8), 8 => Just(3), 1 => 0_u8..10];
    let kind = kind.prop_map(|kind| option(53, &[kind]));
    let maybe = |code: u8, likely: Address| {
        prop::option::of(address(likely)).prop_map(move |address| match address {
            Some(address) => option(code, &address),
            None => Vec::new(),
        })
    };
    let others = prop::collection::vec(an_option(), 0..8);
    (kind, maybe(50, ALICE), maybe(54, GATEWAY), others)
        .prop_flat_map(|(kind, requested, server, mut all)| {
            all.extend([kind, requested, server]);
            Just(all).prop_shuffle()
        })
        .prop_map(|all| all.concat())
}

fn a_message() -> impl Strategy<Value = Message> {
    let rarely = |odds: u32| prop::bool::weighted(f64::from(odds) / 100.0);
    let fixed = (
        prop_oneof![3 => Just([0; 4]), 3 => Just(ALICE), 1 => Just(OTHER)],
        prop_oneof![4 => Just(0_u16), 2 => Just(0x8000), 1 => any::<u16>()],
        prop_oneof![8 => Just(ALICE_MAC), 1 => Just(BOB_MAC)],
        prop_oneof![8 => Just(ALICE_MAC), 1 => Just(BOB_MAC)],
        (rarely(3), 0_usize..240, any::<u8>()),
    );
    let sent = (
        prop_oneof![4 => Just([255; 4]), 3 => Just(GATEWAY), 1 => Just(OTHER)],
        prop_oneof![6 => Just(Check::Right), 1 => Just(Check::None), 1 => Just(Check::Partial), 1 => Just(Check::Wrong)],
        (rarely(5), bytes(300)),
        prop_oneof![6 => Just(300_usize), 2 => Just(0), 1 => 0_usize..700],
        prop_oneof![12 => Just(2000_usize), 1 => 200_usize..400],
    );
    (options(), fixed, sent).prop_map(|(options, fixed, sent)| {
        let (ciaddr, flags, hardware, station, (is_spoilt, at, value)) = fixed;
        let (to, check, (is_endless, tail), len_min, len_max) = sent;
        let message =
            Message::with(options).ciaddr(ciaddr).flags(flags).chaddr(hardware).from(station).to(to);
        let message = if is_spoilt { message.byte(at, value) } else { message };
        let message = if is_endless { message.tail(&tail) } else { message };
        message.check(check).padded(len_min).cut(len_max)
    })
}

#[test]
fn the_kernel_answers_as_user_space_would() {
    const CASES: u32 = 1500;
    let world = World::new();
    let office = std::cell::RefCell::new(Office::open(&world, &with_resolvers()));
    let answered = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let done = runner.run(&a_message(), |message| {
        let frame = message.frame();
        let mut office = office.borrow_mut();
        let leases_before = office.inspector.summary().dhcp_acks;
        if let Outcome::Redirect(answer) = office.run(&frame) {
            answered.set(answered.get() + 1);
            office.assert_as_user_space("random", &frame, &answer);
            let is_lease = office.reference(&frame).1;
            let leases = office.inspector.summary().dhcp_acks - leases_before;
            prop_assert_eq!(leases, u64::from(is_lease));
        }
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
    assert!(answered.get() > CASES / 10, "only {} of {CASES} are answered", answered.get());
    println!("{} of {CASES} are answered in the kernel", answered.get());
}
