use std::collections::{BTreeMap, BTreeSet};

use dhcproto::{
    Decodable, Decoder,
    v4::{self, MessageType as Kind},
};
use proptest::prelude::*;

use super::*;
use crate::{
    Frame, Ipv4, Udp,
    dhcp4::{
        ClientState,
        tests::client::{
            Client, DECLINE, DISCOVER, GATEWAY, INFORM, OTHER, RELEASE, REQUEST, port_mac, session,
        },
    },
};

const NOW_S: u64 = 1_000_000;

/// A line for three devices, with a block of four addresses.
fn line() -> Session {
    Session {
        devices: 3,
        lease: "100.64.0.4/16".parse().expect("an address"),
        network: "100.64.0.4/30".parse().expect("a prefix"),
        nat: Some(node_state::Nat { address: [198, 51, 100, 1].into(), first_port: 1024, ports: 64 }),
        ipv6: None,
        ..session()
    }
}

fn at(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(100, 64, 0, last)
}

/// A line, its leases, and the time.
struct World {
    session: Session,
    leases: Leases,
    now_s: u64,
}

impl World {
    fn new() -> Self {
        Self { session: line(), leases: Leases::default(), now_s: NOW_S }
    }

    /// What is answered, with which address, and why.
    fn says(&mut self, client: &Client) -> (Option<(Kind, Ipv4Addr)>, Event) {
        let Self { session, leases, now_s } = self;
        let context = Context { session, port_mac: port_mac(), leases, now_s: *now_s };
        let outcome = handle(&context, &client.frame());
        leases.change(outcome.change, *now_s);
        assert_eq!(outcome.client, Some(client.mac));
        (outcome.reply.map(|reply| read(&reply, client.mac)), outcome.event)
    }

    fn discover(&mut self, device: u8) -> Option<Ipv4Addr> {
        let (said, event) = self.says(&Client::new(DISCOVER).mac(device));
        let Some((kind, address)) = said else {
            assert_eq!(event, Event::Ignored(Ignored::DeviceLimit(self.session.devices)));
            return None;
        };
        assert_eq!((kind, event), (Kind::Offer, Event::Offered));
        Some(address)
    }

    fn select(&mut self, device: u8, address: Ipv4Addr) -> Kind {
        let request = Client::new(REQUEST).mac(device).requested(address).server(GATEWAY);
        let (said, event) = self.says(&request);
        let (kind, given) = said.expect("answered");
        if kind == Kind::Ack {
            assert_eq!(given, address);
            let state = ClientState::Selecting;
            assert_eq!(event, Event::Leased { state, displaced: None }, "nobody is displaced");
        }
        kind
    }

    /// A whole exchange.
    fn lease(&mut self, device: u8) -> Option<Ipv4Addr> {
        let address = self.discover(device)?;
        assert_eq!(self.select(device, address), Kind::Ack);
        Some(address)
    }

    fn renew(&mut self, device: u8, address: Ipv4Addr) -> Kind {
        let renewal = Client::new(REQUEST).mac(device).ciaddr(address).to(GATEWAY);
        self.says(&renewal).0.expect("answered").0
    }

    fn live(&self) -> Vec<(u8, u8)> {
        let live = self.leases.live(&self.session, self.now_s);
        live.map(|(address, bound)| (address.octets()[3], bound.mac.octets()[5])).collect()
    }
}

fn read(reply: &[u8], to: Mac) -> (Kind, Ipv4Addr) {
    let frame = Frame::parse(reply).expect("a frame");
    let ip = Ipv4::parse(&frame).expect("IPv4");
    let message =
        v4::Message::decode(&mut Decoder::new(Udp::parse(&ip).expect("UDP").payload)).expect("DHCP");
    let kind = message.opts().msg_type().expect("a message type");
    assert!(frame.destination == to.octets() || kind == Kind::Nak, "to the device");
    (kind, message.yiaddr())
}

#[test]
fn each_device_gets_an_address_of_its_own_and_the_same_again() {
    let mut world = World::new();
    for (device, address) in [(10, 4), (11, 5), (12, 6)] {
        assert_eq!(world.lease(device), Some(at(address)));
    }
    assert_eq!(world.live(), [(4, 10), (5, 11), (6, 12)]);
    // Who has a lease gets that, whatever it asks for.
    assert_eq!(world.discover(11), Some(at(5)));
    assert_eq!(world.renew(11, at(5)), Kind::Ack);
    // After it has ended, too, as long as nobody else needed it.
    let release = Client::new(RELEASE).mac(11).ciaddr(at(5)).to(GATEWAY);
    assert_eq!(world.says(&release), (None, Event::Released));
    assert_eq!(world.live(), [(4, 10), (6, 12)]);
    assert_eq!(world.lease(13), Some(at(7)), "what nobody had comes before what somebody had");
    world.now_s += 3601;
    assert_eq!(world.live(), []);
    for (device, address) in [(12, 6), (11, 5), (13, 7)] {
        assert_eq!(world.lease(device), Some(at(address)));
    }
    assert_eq!(world.lease(10), None);
}

#[test]
fn one_device_more_gets_nothing_until_a_lease_ends() {
    let mut world = World::new();
    for device in [10, 11, 12] {
        world.lease(device).expect("a lease");
    }
    assert_eq!(world.discover(13), None);
    // What it requests is refused, the fourth address of the block too.
    for address in [at(4), at(7), OTHER] {
        assert_eq!(world.select(13, address), Kind::Nak);
        assert_eq!(world.renew(13, address), Kind::Nak);
    }
    let elsewhere = Client::new(REQUEST).mac(13).requested(at(7)).server(OTHER);
    assert_eq!(world.says(&elsewhere), (None, Event::Ignored(Ignored::OtherServer)));
    for message in [INFORM, RELEASE, DECLINE] {
        let client = Client::new(message).mac(13).ciaddr(at(5));
        assert_eq!(world.says(&client), (None, Event::Ignored(Ignored::DeviceLimit(3))));
    }
    world.now_s += 3000;
    assert_eq!(world.renew(10, at(4)), Kind::Ack);
    world.now_s += 601;
    assert_eq!(world.live(), [(4, 10)], "the others have ended");
    assert_eq!(world.lease(13), Some(at(7)));
}

#[test]
fn with_fewer_allowed_those_with_the_first_addresses_stay() {
    let mut world = World::new();
    world.session.devices = 4;
    for device in [10, 11, 12, 13] {
        world.lease(device).expect("a lease");
    }
    world.session.devices = 3;
    assert_eq!(world.live(), [(4, 10), (5, 11), (6, 12)]);
    assert_eq!(world.renew(13, at(7)), Kind::Nak);
    assert_eq!(world.renew(12, at(6)), Kind::Ack);
}

#[test]
fn what_is_anothers_is_refused_and_what_is_nobodys_may_be_asked_for() {
    let mut world = World::new();
    world.lease(10).expect("a lease");
    world.lease(11).expect("a lease");
    // Of a device that has a lease, and of one that has none.
    for device in [11, 12] {
        assert_eq!(world.select(device, at(4)), Kind::Nak);
        assert_eq!(world.renew(device, at(4)), Kind::Nak);
        let (said, _) = world.says(&Client::new(REQUEST).mac(device).requested(at(4)));
        assert_eq!(said.expect("answered").0, Kind::Nak);
    }
    // Nor can it be given up by another.
    let release = Client::new(RELEASE).mac(11).ciaddr(at(4)).to(GATEWAY);
    assert_eq!(world.says(&release).1, Event::Ignored(Ignored::NotTheirs(at(4))));
    assert_eq!(world.live(), [(4, 10), (5, 11)]);
    // A client that remembers an address that is free, which the office has forgotten, has it.
    let (said, _) = world.says(&Client::new(REQUEST).mac(12).requested(at(7)));
    assert_eq!(said, Some((Kind::Ack, at(7))));
    assert_eq!(world.live(), [(4, 10), (5, 11), (7, 12)]);
}

#[test]
fn offers_are_kept_for_whom_they_were_made_and_never_use_up_what_there_is() {
    let mut world = World::new();
    assert_eq!(world.discover(10), Some(at(4)));
    assert_eq!(world.discover(11), Some(at(5)), "what was offered to another is not");
    assert_eq!(world.discover(10), Some(at(4)), "the same again");
    assert_eq!(world.select(11, at(5)), Kind::Ack);
    assert_eq!(world.select(10, at(4)), Kind::Ack);
    // Somebody asks under many addresses, and takes none of what is offered.
    for device in 20..60 {
        world.now_s += 1;
        world.discover(device).expect("an offer");
    }
    assert_eq!(world.lease(12), Some(at(6)), "the oldest offer goes");
}

#[test]
fn an_address_that_is_in_use_on_the_line_is_set_aside() {
    let mut world = World::new();
    assert_eq!(world.lease(10), Some(at(4)));
    let decline = Client::new(DECLINE).mac(10).requested(at(4)).server(GATEWAY);
    assert_eq!(world.says(&decline), (None, Event::Declined));
    assert_eq!(world.lease(10), Some(at(5)));
    assert_eq!(world.lease(11), Some(at(6)));
    world.now_s += 601;
    assert_eq!(world.lease(12), Some(at(4)), "for a while");
    assert_eq!(world.live(), [(4, 12), (5, 10), (6, 11)]);
}

#[test]
fn a_session_with_other_addresses_begins_anew() {
    let mut world = World::new();
    world.lease(10).expect("a lease");
    world.session.devices = 4;
    assert!(!world.leases.keep_only_of(&world.session), "the block is the same");
    world.session.devices = 2;
    world.session.network = "100.64.0.8/31".parse().expect("a prefix");
    world.session.lease = "100.64.0.8/16".parse().expect("an address");
    assert_eq!(world.live(), []);
    assert_eq!(world.renew(10, at(4)), Kind::Nak, "it has to ask anew");
    assert!(world.leases.keep_only_of(&world.session));
    assert_eq!(world.lease(10), Some(at(8)));
}

/// What a device does, and when.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Discover,
    Select,
    Reboot(u8),
    Renew(u8),
    Release(u8),
    Decline(u8),
    Wait(u64),
}

fn deeds() -> impl Strategy<Value = Vec<(u8, Deed)>> {
    let address = 3..9_u8;
    let deed = prop_oneof![
        3 => Just(Deed::Discover),
        3 => Just(Deed::Select),
        1 => address.clone().prop_map(Deed::Reboot),
        2 => address.clone().prop_map(Deed::Renew),
        1 => address.clone().prop_map(Deed::Release),
        1 => address.prop_map(Deed::Decline),
        2 => (0..4000_u64).prop_map(Deed::Wait),
    ];
    prop::collection::vec((10..16_u8, deed), 1..60)
}

proptest! {
    /// Whatever devices do: an address is one device's at a time, a device has one address, no more devices than may be
    /// have leases, and who has a lease keeps it until it ends or is given up.
    #[test]
    fn leases_are_exclusive_and_limited(deeds in deeds(), devices in 2..5_u8) {
        let mut world = World::new();
        world.session.devices = devices;
        if devices == 2 {
            world.session.network = "100.64.0.4/31".parse().expect("a prefix");
        }
        let mut offers: BTreeMap<u8, Ipv4Addr> = BTreeMap::new();
        for (device, deed) in deeds {
            let before: BTreeMap<u8, u8> = world.live().into_iter().collect();
            let acked = match deed {
                Deed::Discover => {
                    let offer = world.discover(device);
                    prop_assert_eq!(offer.is_none(), before.len() >= usize::from(devices)
                        && !before.values().any(|holder| *holder == device));
                    offers.extend(offer.map(|offer| (device, offer)));
                    None
                }
                Deed::Select => offers.get(&device).copied().and_then(|offer| {
                    (world.select(device, offer) == Kind::Ack).then(|| offer.octets()[3])
                }),
                Deed::Reboot(last) => {
                    let (said, _) = world.says(&Client::new(REQUEST).mac(device).requested(at(last)));
                    (said.expect("answered").0 == Kind::Ack).then_some(last)
                }
                Deed::Renew(last) => (world.renew(device, at(last)) == Kind::Ack).then_some(last),
                Deed::Release(last) => {
                    world.says(&Client::new(RELEASE).mac(device).ciaddr(at(last)).to(GATEWAY));
                    None
                }
                Deed::Decline(last) => {
                    world.says(&Client::new(DECLINE).mac(device).requested(at(last)).server(GATEWAY));
                    None
                }
                Deed::Wait(seconds) => {
                    world.now_s += seconds;
                    None
                }
            };
            let after: BTreeMap<u8, u8> = world.live().into_iter().collect();
            let holders: BTreeSet<u8> = after.values().copied().collect();
            prop_assert!(after.len() <= usize::from(devices) && holders.len() == after.len());
            if let Some(address) = acked {
                prop_assert!(before.get(&address).is_none_or(|holder| *holder == device), "it was another's");
                prop_assert_eq!(after.get(&address), Some(&device));
            }
            let is_over = matches!(deed, Deed::Wait(_));
            for (address, holder) in before {
                if holder != device && !is_over {
                    prop_assert_eq!(after.get(&address), Some(&holder), "nobody else's doing");
                }
            }
        }
    }

    #[test]
    fn whatever_the_bytes_nothing_breaks(frame in prop::collection::vec(any::<u8>(), 0..400)) {
        let (session, leases) = (line(), Leases::default());
        let context = Context { session: &session, port_mac: port_mac(), leases: &leases, now_s: NOW_S };
        prop_assert_eq!(handle(&context, &frame).change, Change::Keep);
    }
}
