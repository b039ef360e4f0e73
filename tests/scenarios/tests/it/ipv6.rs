//! IPv6 for a home: from a request at the API to a page, with Linux's own address configuration and a DHCPv6 client.

use std::{
    thread,
    time::{Duration, Instant},
};

use net_types::Prefix6;
use serde_json::{Value, json};

use crate::office::{Office, PATIENCE};

const INTERNET: &str = "2001:db8:ffff::66";

#[test]
fn a_home_has_both_families() {
    let mut office = Office::up("six", "0x88a8");
    office.provision();
    for home in ["home1", "home2"] {
        office.lab().lease(home, PATIENCE).expect("a lease of IPv4");
    }
    let alice = ipv6_of(&mut office, "alice");
    a_host_makes_itself_an_address(&mut office, &alice);
    icmp_behaves_as_on_a_router(&mut office);
    nothing_comes_in_but_answers(&mut office);
    large_transfers_arrive_whole(&mut office);
    a_router_gets_an_address_and_a_prefix(&mut office);
    foreign_sources_are_dropped(&mut office);
    packets_go_on_without_the_agent(&mut office);
    it_is_gone_when_it_is_taken_away(&mut office);
}

/// What the office gave a subscriber of IPv6.
struct Given {
    link: Prefix6,
    address: String,
    delegated: Prefix6,
}

fn ipv6_of(office: &mut Office, subscriber: &str) -> Given {
    let status = office.subscriber(subscriber)["status"]["ipv6"].clone();
    let text =
        |field: &str| status[field].as_str().unwrap_or_else(|| panic!("{field} of {status}")).to_owned();
    let prefix = |field: &str| text(field).parse().expect("a prefix");
    Given { link: prefix("link"), address: text("address"), delegated: prefix("delegated") }
}

/// The global addresses of a home, by its own kernel.
pub(crate) fn addresses(office: &mut Office, home: &str) -> Vec<String> {
    let (status, text) = office.exec(home, "ip -j -6 addr show dev eth0 scope global -tentative");
    assert_eq!(status, 0, "{text}");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let infos = all.as_array().expect("a list").iter().filter_map(|link| link["addr_info"].as_array());
    infos.flatten().filter_map(|info| Some(info["local"].as_str()?.to_owned())).collect()
}

pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn a_host_makes_itself_an_address(office: &mut Office, alice: &Given) {
    // It asked for a router when its line came up, long before there was a subscriber: it asks anew.
    assert_eq!(office.exec("home1", "ip link set eth0 down").0, 0);
    assert_eq!(office.exec("home1", "ip link set eth0 up").0, 0);
    let address = until("home1 has an address of IPv6", || {
        addresses(office, "home1")
            .into_iter()
            .find(|address| address.parse().is_ok_and(|address| alice.link.contains(address)))
    });
    let page = fetch(office, "home1");
    assert_eq!(page.split(' ').next(), Some(address.as_str()), "the page knows the home by its own address");
}

fn fetch(office: &mut Office, home: &str) -> String {
    let (status, page) = office.exec(home, &format!("curl -sS --max-time 10 http://[{INTERNET}]/"));
    assert_eq!(status, 0, "{page}");
    page
}

fn pings(office: &mut Office, home: &str, more: &str) -> bool {
    office.exec(home, &format!("ping -6 -n -c 3 -i 0.2 -W 2 {more}")).0 == 0
}

fn icmp_behaves_as_on_a_router(office: &mut Office) {
    assert!(pings(office, "home1", INTERNET));
    let (_, first_hop) = office.exec("home1", &format!("ping -6 -n -c 1 -t 1 -W 2 {INTERNET}"));
    assert!(first_hop.contains("From fe80::"), "the gateway says that the hop limit ran out: {first_hop}");
    let (_, second_hop) = office.exec("home1", &format!("ping -6 -n -c 1 -t 2 -W 2 {INTERNET}"));
    assert!(second_hop.contains("From 2001:db8:ffff::1"), "an error comes home: {second_hop}");
    assert!(pings(office, "home1", &format!("-s 4000 {INTERNET}")), "fragments");
}

fn nothing_comes_in_but_answers(office: &mut Office) {
    let address = addresses(office, "home1").remove(0);
    let before = office.drops("firewall");
    assert!(!pings(office, "inet", &address));
    assert!(office.drops("firewall") >= before + 3);
}

fn large_transfers_arrive_whole(office: &mut Office) {
    let url = format!("http://[{INTERNET}]/bytes/3000000");
    let line = format!("curl -sS --max-time 60 -o /dev/null -w %{{http_code}}:%{{size_download}} {url}");
    assert_eq!(office.exec("home1", &line), (0, "200:3000000".into()));
}

fn a_router_gets_an_address_and_a_prefix(office: &mut Office) {
    let bob = ipv6_of(office, "bob");
    let dir = office.lab().config.state_dir.clone();
    let [file, pid] = ["leases6", "pid6"].map(|name| dir.join(name).display().to_string());
    let (status, said) =
        office.exec("home2", &format!("timeout 60 dhclient -6 -1 -N -P -lf {file} -pf {pid} eth0"));
    assert_eq!(status, 0, "{said}");
    let leased = std::fs::read_to_string(&file).expect("leases");
    assert_eq!(office.exec("home2", &format!("dhclient -6 -x -pf {pid} -lf {file} eth0")).0, 0);
    assert!(leased.contains(&format!("iaaddr {} ", bob.address)), "{leased}");
    assert!(leased.contains(&format!("iaprefix {} ", bob.delegated)), "{leased}");

    // A host of a network behind the home's router.
    let inner = std::net::Ipv6Addr::from(u128::from(bob.delegated.network()) + (1 << 64) + 7);
    assert!(bob.delegated.contains(inner));
    assert_eq!(office.exec("home2", &format!("ip addr add {inner}/128 dev lo")).0, 0);
    let router = until("home2 knows its router", || {
        let (_, routes) = office.exec("home2", "ip -6 route show default");
        routes.split(' ').skip_while(|word| *word != "via").nth(1).map(str::to_owned)
    });
    assert_eq!(
        office.exec("home2", &format!("ip -6 route add {INTERNET} via {router} dev eth0 src {inner}")).0,
        0
    );
    let page = fetch(office, "home2");
    assert_eq!(page.split(' ').next(), Some(inner.to_string().as_str()));
}

fn foreign_sources_are_dropped(office: &mut Office) {
    let before = office.drops("source_address");
    assert_eq!(office.exec("home1", "ip addr add 2001:db8:bad::1/128 dev eth0 nodad").0, 0);
    assert!(!pings(office, "home1", &format!("-I 2001:db8:bad::1 {INTERNET}")));
    assert!(office.drops("source_address") >= before + 3);
    assert_eq!(office.exec("home1", "ip addr del 2001:db8:bad::1/128 dev eth0").0, 0);
}

fn packets_go_on_without_the_agent(office: &mut Office) {
    office.lab().kill_agent().expect("killed");
    fetch(office, "home1");
    office.lab().start_agent().expect("started");
    office.until_programmed(3);
    fetch(office, "home1");
    fetch(office, "home2");
}

fn it_is_gone_when_it_is_taken_away(office: &mut Office) {
    office.change("bob", |spec| {
        spec["bundle"]["ipv6"] = json!(false);
        spec["bundle"].as_object_mut().expect("an object").remove("dns6");
    });
    assert!(!pings(office, "home2", INTERNET));
    assert!(office.pings("home2", "192.0.2.66"), "IPv4 goes on");
    assert!(pings(office, "home1", INTERNET), "nobody else is touched");
}
