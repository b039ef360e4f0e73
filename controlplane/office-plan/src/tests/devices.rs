//! Homes with several devices: blocks of addresses.

use node_state::Session;
use serde_json::json;
use xos_model::SubscriberStatus;

use super::{Book, office, pools, spec, subscriber};
use crate::{Claim, Hints, Refusal, allocate, claims_of, session};

struct World {
    book: Book,
    hints: Hints,
}

impl World {
    fn new() -> Self {
        Self { book: Book::default(), hints: Hints::default() }
    }

    /// Allocates anew, or for who had something, and takes it into the book.
    fn take(
        &mut self,
        name: &str,
        edit: serde_json::Value,
        before: &SubscriberStatus,
    ) -> Result<SubscriberStatus, String> {
        let name: net_types::Name = name.parse().expect("a name");
        self.book.me = Some(name.clone());
        let spec = spec(edit);
        let given = allocate(&spec, before, &pools(), &self.book, &mut self.hints);
        self.book.me = None;
        let given = given.map_err(|refusal| match refusal {
            Refusal::Invalid(fault) => format!("invalid {fault}"),
            Refusal::Conflict(fault) => format!("conflict {fault}"),
        })?;
        let mut status = before.clone();
        given.write_to(&mut status);
        let after = claims_of(&spec, &status);
        for claim in claims_of(&spec, before).iter().filter(|claim| !after.contains(claim)) {
            self.book.claims.remove(&claim.to_string());
            pools().released(claim, &mut self.hints);
        }
        // All of them are on one line here, which is not what this is about.
        let is_line = |claim: &Claim| matches!(claim, Claim::Line { .. });
        for claim in after.into_iter().filter(|claim| !is_line(claim)) {
            let held = self.book.claims.insert(claim.to_string(), name.clone());
            assert!(held.is_none_or(|holder| holder == name), "{claim} was somebody else's");
        }
        Ok(status)
    }

    fn addresses(&mut self, name: &str, edit: serde_json::Value) -> String {
        match self.take(name, edit, &SubscriberStatus::default()) {
            Ok(status) => status.addresses.map_or_else(
                || status.address.expect("one").to_string(),
                |block| {
                    assert_eq!(status.address, Some(block.network()));
                    block.to_string()
                },
            ),
            Err(refusal) => refusal,
        }
    }
}

fn devices(count: u8) -> serde_json::Value {
    json!({"bundle": {"devices": count}})
}

#[test]
fn a_block_is_aligned_and_has_nothing_of_the_pools_own() {
    let mut world = World::new();
    let wanted = |address: &str| json!({"bundle": {"devices": 4}, "address": address});
    for (name, edit, expected) in [
        ("a", devices(1), "100.64.0.2"),
        // Of .0/30 to .12/30, two have the pool's network, gateway or broadcast address.
        ("b", devices(3), "100.64.0.4/30"),
        ("c", devices(2), "100.64.0.8/31"),
        ("d", devices(1), "100.64.0.3"),
        (
            "e",
            wanted("100.64.0.9"),
            "invalid /spec/address: 100.64.0.9 cannot be the first of 4 addresses for devices; 100.64.0.8 can, or none given",
        ),
        ("e", wanted("100.64.0.8"), "conflict /spec/address: 100.64.0.8 is the address of Subscriber c"),
        (
            "e",
            wanted("100.64.0.12"),
            "invalid /spec/address: 100.64.0.12/30 has the gateway, network or broadcast address of pool inside in it",
        ),
        (
            "e",
            devices(4),
            "conflict /spec/address: the subscriber pools of node1 (inside) have no room for 4 addresses in a row",
        ),
        (
            "e",
            devices(32),
            "conflict /spec/address: the subscriber pools of node1 (inside) have no room for 32 addresses in a row",
        ),
        ("e", devices(2), "100.64.0.10/31"),
        ("f", devices(2), "100.64.0.12/31"),
        ("g", json!({"bundle": {"nat": false, "devices": 5}, "subnetLength": 29}), "203.0.113.2"),
    ] {
        // Port blocks are not what this is about.
        world.book.claims.retain(|key, _| !key.starts_with("block/"));
        world.hints = Hints::default();
        assert_eq!(world.addresses(name, edit), expected, "{name}");
    }
}

#[test]
fn who_has_more_devices_than_before_keeps_its_place_if_there_is_room_around_it() {
    let mut world = World::new();
    let none = SubscriberStatus::default();
    let alone = |address: &str| json!({"address": address});
    let mut alice = world.take("alice", alone("100.64.0.6"), &none).expect("free");
    world.take("bob", alone("100.64.0.9"), &none).expect("free");
    for (count, expected) in
        [(2, "100.64.0.6/31"), (4, "100.64.0.4/30"), (3, "100.64.0.4/30"), (2, "100.64.0.4/31")]
    {
        alice = world.take("alice", devices(count), &alice).expect("there is room");
        assert_eq!(alice.addresses.expect("a block").to_string(), expected);
    }
    alice = world.take("alice", devices(1), &alice).expect("there is room");
    assert_eq!((alice.address.expect("one").to_string().as_str(), alice.addresses), ("100.64.0.4", None));
    // What was given up is free again.
    assert_eq!(world.addresses("carol", devices(2)), "100.64.0.2/31");
    assert_eq!(world.addresses("dave", devices(2)), "100.64.0.6/31");
    // Bob's neighbours are somebody's, so that he moves.
    world.take("erin", alone("100.64.0.8"), &none).expect("free");
    let bob = SubscriberStatus { address: Some([100, 64, 0, 9].into()), ..none };
    let bob = world.take("bob", devices(2), &bob).expect("there is room");
    assert_eq!(bob.addresses.expect("a block").to_string(), "100.64.0.10/31");
}

#[test]
fn the_session_says_how_many_devices_there_may_be_and_which_addresses_they_have() {
    let planned = |edit: serde_json::Value| -> Session {
        let status = World::new().take("alice", edit.clone(), &SubscriberStatus::default()).expect("free");
        let alice = subscriber(edit, &serde_json::to_value(status).expect("JSON"));
        session(&alice, &office(), &pools()).expect("a session")
    };
    let several = planned(devices(3));
    assert_eq!((several.devices, several.network.to_string()), (3, "100.64.0.4/30".to_owned()));
    assert_eq!((several.lease.to_string(), several.mac), ("100.64.0.4/28".to_owned(), None));
    let one = planned(devices(1));
    assert_eq!((one.devices, one.network.to_string()), (1, "100.64.0.2/32".to_owned()));
    let routed = planned(json!({"bundle": {"nat": false, "devices": 5}, "subnetLength": 29}));
    assert_eq!((routed.devices, routed.network.to_string()), (5, "203.0.113.0/29".to_owned()));
    assert_eq!(routed.device_addresses().count(), 5);
}
