//! A bridged home, whose devices the office serves one by one: unmodified DHCP clients, each in a host of its own.

mod device;

use std::{collections::BTreeSet, thread};

use lab::DhcpClient;
use serde_json::{Value, json};

use self::device::{Client, Device};
use crate::{
    office::{Office, home},
    server::Server,
};

const RESOLVER: &str = "192.0.2.53";
const OUTSIDE: &str = "192.0.2.66";
const HOME: &str = "home4";

/// A home without a router of its own, which may have three devices, and a resolver on the Internet.
fn office() -> (Office, Server) {
    let mut office = Office::up_with("devices", "0x88a8", [home(4, DhcpClient::Absent, true)]);
    let here = format!("ip address add {RESOLVER}/32 dev lo");
    assert_eq!(office.exec("inet", &here).0, 0, "{here}");
    let there = format!("ip route add {RESOLVER}/32 via {OUTSIDE}");
    assert_eq!(office.exec("upstream", &there).0, 0, "{there}");
    let serving = ["--keep-in-foreground", "--log-facility=-", "--user=root", "--pid-file=", "--no-resolv"];
    let names = [
        "--no-hosts",
        "--conf-file=/dev/null",
        "--bind-interfaces",
        "--listen-address=192.0.2.53",
        "--address=/#/192.0.2.66",
    ];
    let resolver =
        Server::start(&mut office, "inet", &[&["dnsmasq"][..], &serving, &names].concat(), "started");
    office.apply(
        &json!({"kind": "BlockList", "metadata": {"name": "games"}, "spec": {"domains": ["games.example"]}}),
    );
    for command in ["ip link add br0 type bridge", "ip link set eth0 master br0", "ip link set br0 up"] {
        let (status, said) = office.exec(HOME, command);
        assert_eq!(status, 0, "{command}: {said}");
    }
    office.apply(&json!({
        "kind": "Subscriber",
        "metadata": {"name": "dora"},
        "spec": {
            "access": {"node": "node1", "port": "access0", "sVid": 100, "cVid": 4},
            "bundle": {"devices": 3, "dns": [RESOLVER]},
        },
    }));
    office.wait_ready(&["dora"]);
    (office, resolver)
}

fn session(office: &mut Office) -> Value {
    let sessions = office.wcnode(&["sessions", "dora"]);
    sessions.as_array().map_or(&sessions, |list| &list[0]).clone()
}

/// Addresses and hardware addresses, as the node's diagnostics list them.
fn listed(office: &mut Office) -> BTreeSet<(String, String)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let devices = session(office)["devices"].as_array().expect("a list").clone();
    devices.iter().map(|device| (text(&device["address"]), text(&device["mac"]))).collect()
}

#[test]
fn devices_of_a_bridged_home_have_a_lease_each_and_one_more_gets_nothing() {
    let (mut office, _resolver) = office();
    let block = office.subscriber("dora")["status"]["addresses"].as_str().expect("a block").to_owned();
    let mut devices =
        [("phone", 4, Client::Udhcpc), ("laptop", 5, Client::Dhclient), ("tv", 6, Client::Udhcpc)]
            .map(|(name, number, client)| Device::plug_in(&mut office, HOME, name, number, client));
    let mut leased = BTreeSet::new();
    for device in &mut devices {
        let address = device.lease().unwrap_or_else(|said| panic!("{}: {said}", device.name));
        leased.insert((address, device.mac.clone()));
    }
    assert_eq!(leased.iter().map(|(address, _)| address).collect::<BTreeSet<_>>().len(), 3, "{leased:?}");
    assert_eq!(listed(&mut office), leased, "in the block {block}");
    all_at_once(&mut office, &devices);
    one_more(&mut office);
    by_device(&mut office, &devices);
    spoofed(&mut office, &devices);
    survives(&mut office, &mut devices, &leased);
    // When one gives its address up, another may have it.
    devices[1].release();
    let mut tablet = Device::plug_in(&mut office, HOME, "tablet", 8, Client::Udhcpc);
    tablet.lease().unwrap_or_else(|said| panic!("{said}"));
    assert!(tablet.fetches(&format!("http://{OUTSIDE}/")));
    assert_eq!(listed(&mut office).len(), 3);
    // One more may come, of as large a block: nobody else is touched.
    let before = listed(&mut office);
    office.change("dora", |spec| spec["bundle"]["devices"] = json!(4));
    assert_eq!(office.subscriber("dora")["status"]["addresses"], block);
    assert_eq!(listed(&mut office), before);
    assert!(tablet.fetches(&format!("http://{OUTSIDE}/")));
    devices[1].lease().unwrap_or_else(|said| panic!("{said}"));
    assert_eq!(listed(&mut office).len(), 4);
}

/// Each gets pages while the others do, and all from the home's share of one public address.
fn all_at_once(office: &mut Office, devices: &[Device]) {
    let page = office.lab().page();
    let seen: BTreeSet<String> = thread::scope(|scope| {
        let fetch = |device: &Device| {
            let page = page.clone();
            let device = device.namespace.clone();
            scope.spawn(move || {
                // One port inside for all, so that NAT has to tell them apart.
                let told = (0..5).map(|_| device::fetch(&device, &["--local-port", "40000-40010", &page]));
                told.map(|page| page.expect("a page")).collect::<Vec<_>>()
            })
        };
        let fetching: Vec<_> = devices.iter().map(fetch).collect();
        fetching.into_iter().flat_map(|one| one.join().expect("fetches")).collect()
    });
    let public =
        office.subscriber("dora")["status"]["nat"]["address"].as_str().expect("an address").to_owned();
    assert!(seen.iter().all(|told| told.contains(&public)), "{seen:?}");
}

/// A fourth device is offered nothing, and that is said.
fn one_more(office: &mut Office) {
    let before = listed(office);
    let mut visitor = Device::plug_in(office, HOME, "visitor", 7, Client::Udhcpc);
    assert!(visitor.lease().is_err(), "a fourth lease");
    assert_eq!(listed(office), before);
    let devices = office.wcnode(&["status"])["agent"]["status"]["devices"].clone();
    assert_eq!((&devices["homes"], &devices["leased"]), (&1.into(), &3.into()), "{devices}");
    assert!(devices["overLimit"].as_u64() >= Some(1), "{devices}");
    let log = std::fs::read_to_string(office.lab().log("agent")).expect("a log");
    assert_eq!(log.matches("more devices than it may have").count(), 1, "said once");
}

/// What is blocked for one device is not for another.
fn by_device(office: &mut Office, devices: &[Device]) {
    let rules = json!([{"block": ["games"], "devices": [devices[0].mac]}]);
    office.change("dora", |spec| spec["bundle"]["parentalControl"] = json!({"rules": rules}));
    for (device, is_blocked) in devices.iter().zip([true, false, false]) {
        let said = device.runs(&["dig", "+tries=2", "+time=3", "@192.0.2.53", "games.example"]).1;
        assert_eq!(said.contains("status: NXDOMAIN"), is_blocked, "{}: {said}", device.name);
        assert!(is_blocked || said.contains(OUTSIDE), "{}: {said}", device.name);
    }
}

/// A device with its neighbour's address, or another than its own hardware address, reaches nothing.
fn spoofed(office: &mut Office, devices: &[Device]) {
    let drops = |office: &mut Office| (office.drops("source_mac"), office.drops("source_address"));
    let before = drops(office);
    let theirs = devices[1].address.clone().expect("leased");
    let (tv, page) = (&devices[2], format!("http://{OUTSIDE}/"));
    tv.must(&["ip", "addr", "add", &format!("{theirs}/32"), "dev", "eth0"]);
    assert!(!tv.fetches_with(&["--interface", &theirs, &page]));
    tv.must(&["ip", "addr", "del", &format!("{theirs}/32"), "dev", "eth0"]);
    assert!(drops(office).0 > before.0, "the neighbour's address");
    assert!(tv.fetches(&page), "its own goes on");
}

/// The agent's end touches nobody, and the agent that comes after it knows who has what.
fn survives(office: &mut Office, devices: &mut [Device], leased: &BTreeSet<(String, String)>) {
    let page = format!("http://{OUTSIDE}/");
    office.lab().kill_agent().expect("ends");
    for device in devices.iter() {
        assert!(device.fetches(&page), "{} without an agent", device.name);
    }
    assert_eq!(listed(office), *leased, "the kernel knows them");
    office.lab().start_agent().expect("starts");
    for device in devices.iter_mut() {
        let before = device.address.clone().expect("leased");
        assert_eq!(device.lease().as_ref(), Ok(&before), "the same again");
        assert!(device.fetches(&page));
    }
    assert_eq!(listed(office), *leased);
}
