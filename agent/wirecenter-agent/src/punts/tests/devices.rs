//! Homes with several devices.

use std::net::Ipv4Addr;

use node_state::{Nat, Session};

use super::*;

/// Alice with a block of four addresses and at most three devices.
fn bridged() -> Line {
    let mut line = line();
    let alice = line.desired.sessions.values_mut().next().expect("alice");
    *alice = Session {
        devices: 3,
        lease: "100.64.0.4/16".parse().expect("an address"),
        network: "100.64.0.4/30".parse().expect("a prefix"),
        nat: Some(Nat { address: [198, 51, 100, 1].into(), first_port: 1024, ports: 64 }),
        ..alice.clone()
    };
    line
}

fn station(last: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, last]
}

fn discover(device: u8) -> Punt {
    dhcp_from(station(device), Ipv4Addr::UNSPECIFIED, &[53, 1, 1])
}

fn request(device: u8, address: u8) -> Punt {
    let options = [53, 1, 3, 54, 4, 100, 64, 0, 254, 50, 4, 100, 64, 0, address];
    dhcp_from(station(device), Ipv4Addr::UNSPECIFIED, &options)
}

impl Line {
    async fn kinds(&mut self, punts: Vec<Punt>) -> Vec<u8> {
        self.punt(punts).await.iter().map(|reply| message_type(reply)).collect()
    }

    /// Last numbers of addresses and devices that the fast path knows.
    fn known(&self) -> Vec<(u8, u8)> {
        let world = self.fake.world();
        let devices = world.devices.values().flatten();
        devices.map(|device| (device.address.octets()[3], device.mac.octets()[5])).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_device_has_a_lease_on_the_disk_and_in_the_kernel_before_it_is_given() {
    let mut line = bridged();
    // All at once: each sees what the ones before it were offered.
    let asked = vec![discover(10), discover(11), request(10, 4), request(11, 5)];
    assert_eq!(line.kinds(asked).await, [2, 2, 5, 5]);
    assert_eq!(line.fake.world().log, ["devices alice", "send", "send", "send", "send"], "one write");
    assert_eq!(line.known(), [(4, 10), (5, 11)]);
    // An offer alone is nothing to keep.
    line.fake.world().log.clear();
    assert_eq!(line.kinds(vec![discover(12)]).await, [2]);
    assert_eq!(line.fake.world().log, ["send"]);
    assert_eq!(line.kinds(vec![request(12, 6)]).await, [5]);
    // One more gets nothing, and neither does who asks for another's.
    assert_eq!(
        line.kinds(vec![discover(13), request(13, 7), request(13, 4), request(11, 4)]).await,
        [6, 6, 6]
    );
    assert_eq!(line.known(), [(4, 10), (5, 11), (6, 12)]);
    let now = Duration::from_hours(500_000);
    let counts = line.answerer.device_counts(&line.desired, &line.leases, now);
    let expected = DeviceCounts { homes: 1, leased: 3, over_limit: 3 };
    assert_eq!(counts, expected);
    // When one is given up, another may have it.
    let release = dhcp_from(station(11), Ipv4Addr::new(100, 64, 0, 5), &[53, 1, 7]);
    assert_eq!(line.kinds(vec![release, discover(13), request(13, 7)]).await, [2, 5]);
    assert_eq!(line.known(), [(4, 10), (6, 12), (7, 13)]);
    assert!(line.fake.world().macs.is_empty() && line.leases.v4.is_empty(), "no device is the home's");
    let dir = line.dir;
    drop(line.store);
    let (store, kept) = Store::open(dir.path()).expect("opens");
    let bound = |leases: &Leases| -> Vec<_> {
        leases.devices.values().flat_map(dhcp4::devices::Leases::all).collect()
    };
    assert_eq!(bound(&kept.leases), bound(&line.leases));
    // They go with the session.
    let alice = kept.leases.devices.keys().next().expect("alice").clone();
    store.keep(&chunk(2, &[], &[node_state::ResourceKey::session(&alice)])).expect("kept");
    drop(store);
    let (_store, kept) = Store::open(dir.path()).expect("opens");
    assert!(kept.leases.devices.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_lease_any_more_is_not_told_to_the_fast_path() {
    let mut line = bridged();
    line.kinds(vec![discover(10), request(10, 4), discover(11), request(11, 5)]).await;
    let alice = line.desired.sessions.values().next().expect("alice").clone();
    for (later_s, known) in [(3599, 2), (3601, 0)] {
        let now = Duration::from_hours(500_000) + Duration::from_secs(later_s);
        crate::devices::tell(&mut line.fake, &alice, &line.leases.devices, now);
        assert_eq!(line.known().len(), known);
    }
    // A home with one device has none of them.
    line.fake.world().log.clear();
    let single = Session { devices: 1, ..alice };
    crate::devices::tell(&mut line.fake, &single, &line.leases.devices, Duration::from_hours(500_000));
    assert!(line.fake.world().log.is_empty());
}
