//! Where packets go, as Debian's `traceroute` sees it in both directions and both families.

use std::net::IpAddr;

use serde_json::json;

use crate::office::{Office, PATIENCE};

/// Who is on the ways.
const INTERNET: &str = "192.0.2.66";
const INTERNET6: &str = "2001:db8:ffff::66";
const UPSTREAM: &str = "192.0.2.1";
/// Towards the Internet host, from which the upstream router answers it.
const UPSTREAM_OUTSIDE: &str = "192.0.2.65";
const UPSTREAM6: &str = "2001:db8:ffff::1";
/// The office: to homes behind NAT, to a routed subnet, towards the core.
const GATEWAY: &str = "100.64.0.1";
const BUSINESS_GATEWAY: &str = "203.0.113.9";
const OFFICE: &str = "192.0.2.2";
/// On the node's loopback.
const OFFICE6: &str = "2001:db8:3000::1";
const BUSINESS: &str = "203.0.113.10";

/// The three ways to ask: UDP, ICMP echo, TCP. The port is where the Internet host's page is.
const KINDS: [&str; 3] = ["", "-I", "-T -p 80"];

#[test]
fn a_traced_way_has_the_office_as_one_hop() {
    let mut office = Office::up("trace", "0x88a8");
    ip(&mut office, "upstream", &format!("route add {OFFICE6}/128 via fe80::2 dev core"));
    let (status, said) = office.exec("node1", "sysctl -q -w net.ipv6.conf.lo.disable_ipv6=0");
    assert_eq!(status, 0, "{said}");
    ip(&mut office, "node1", &format!("addr add {OFFICE6}/128 dev lo"));
    office.provision();
    // It asked for a router when its line came up, long before there was a subscriber: it asks anew.
    ip(&mut office, "home1", "link set eth0 down");
    ip(&mut office, "home1", "link set eth0 up");
    for home in ["home1", "home3"] {
        office.lab().lease(home, PATIENCE).expect("a lease");
    }
    let home6 = address6(&mut office);

    for kind in KINDS {
        let mut trace = |host, how: &str, to| trace(&mut office, host, &format!("{how} {kind}"), to);
        assert_eq!(trace("home1", "-4", INTERNET), [GATEWAY, UPSTREAM, INTERNET], "{kind}");
        assert_eq!(trace("home3", "-4", INTERNET), [BUSINESS_GATEWAY, UPSTREAM, INTERNET], "{kind}");
        assert_eq!(trace("home1", "-6", INTERNET6), [OFFICE6, UPSTREAM6, INTERNET6], "{kind}");
        assert_eq!(trace("inet", "-4", BUSINESS), [UPSTREAM_OUTSIDE, OFFICE, BUSINESS], "{kind}");
        // A firewall lets nothing in, but hides nothing of the way up to it either.
        assert_eq!(trace("inet", "-6", &home6)[..2], [UPSTREAM6, OFFICE6], "{kind}");
    }
    office.change("alice", |spec| spec["bundle"]["firewall"] = json!({ "enabled": false }));
    for kind in KINDS {
        let way = trace(&mut office, "inet", &format!("-6 {kind}"), &home6);
        assert_eq!(way, [UPSTREAM6, OFFICE6, &home6], "{kind}");
    }
}

/// Each hop's address; `*` for one that does not answer.
fn trace(office: &mut Office, host: &str, how: &str, to: &str) -> Vec<String> {
    let line = format!("traceroute -n -q 1 -w 2 -m 4 -z 20 {how} {to}");
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let (status, said) = office.exec(host, &line);
    assert_eq!(status, 0, "{line}: {said}; apt-get install -y traceroute");
    let hop = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
    said.lines().skip(1).filter_map(hop).collect()
}

fn ip(office: &mut Office, host: &str, line: &str) {
    let (status, said) = office.exec(host, &format!("ip {line}"));
    assert_eq!(status, 0, "{host}: ip {line}: {said}");
}

/// The address that home1 has made itself.
fn address6(office: &mut Office) -> String {
    let link = office.subscriber("alice")["status"]["ipv6"]["link"].clone();
    let link: net_types::Prefix6 = link.as_str().expect("a prefix").parse().expect("a prefix");
    crate::ipv6::until("home1 has an address of IPv6", || {
        let all = crate::ipv6::addresses(office, "home1");
        all.into_iter().find(|text| {
            text.parse::<IpAddr>().is_ok_and(|address| match address {
                IpAddr::V6(address) => link.contains(address),
                IpAddr::V4(_) => false,
            })
        })
    })
}
