//! Routes of the node's kernel, whoever puts them there.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::office::{Office, PATIENCE};

/// Behind the Internet host.
const ELSEWHERE: &str = "198.18.5.1";
const NETWORK: &str = "198.18.5.0/24";
const ELSEWHERE6: &str = "2001:db8:5::1";
const NETWORK6: &str = "2001:db8:5::/48";

#[test]
fn routes_of_the_kernel_are_followed() {
    let mut office = Office::up("routes", "0x88a8");
    office.provision();
    office.lab().lease("home1", PATIENCE).expect("a lease");
    ip(&mut office, "inet", &format!("addr add {ELSEWHERE}/32 dev lo"));
    ip(&mut office, "upstream", &format!("route add {NETWORK} via 192.0.2.66"));
    assert!(office.pings("home1", ELSEWHERE), "by the default route");

    ip(&mut office, "node1", &format!("route add blackhole {NETWORK}"));
    until(&mut office, |office| !passes(office));
    assert!(office.drops("blackhole") > 0);

    // By a neighbour that nobody has asked for yet.
    ip(&mut office, "upstream", "addr add 10.9.9.1/24 dev core");
    ip(&mut office, "node1", "addr add 10.9.9.2/24 dev core0");
    ip(&mut office, "node1", &format!("route replace {NETWORK} via 10.9.9.1"));
    until(&mut office, passes);

    // What changes while the agent is away, it sees when it comes back.
    office.lab().kill_agent().expect("killed");
    ip(&mut office, "node1", &format!("route replace blackhole {NETWORK}"));
    assert!(passes(&mut office), "the kernel goes on as it was told");
    office.lab().start_agent().expect("started");
    until(&mut office, |office| !passes(office));
    ip(&mut office, "node1", &format!("route del blackhole {NETWORK}"));
    until(&mut office, passes);
    assert!(office.pings("home1", "192.0.2.66"));
    those_of_ipv6_too(&mut office);
}

fn those_of_ipv6_too(office: &mut Office) {
    // It asked for a router when its line came up, long before there was a subscriber: it asks anew.
    ip(office, "home1", "link set eth0 down");
    ip(office, "home1", "link set eth0 up");
    ip(office, "inet", &format!("addr add {ELSEWHERE6}/128 dev eth0 nodad"));
    ip(office, "upstream", &format!("route add {NETWORK6} via 2001:db8:ffff::66"));
    // By the default route.
    until(office, passes6);
    ip(office, "node1", &format!("-6 route add blackhole {NETWORK6}"));
    until(office, |office| !passes6(office));
    // By a neighbour that nobody has asked for yet.
    ip(office, "upstream", "addr add fe80::99/64 dev core nodad");
    ip(office, "node1", &format!("-6 route del blackhole {NETWORK6}"));
    ip(office, "node1", &format!("-6 route add {NETWORK6} via fe80::99 dev core0"));
    until(office, passes6);
    let next_hops = office.exec("node1", "ip -6 neigh show fe80::99").1;
    assert!(next_hops.contains("lladdr"), "{next_hops}");
    ip(office, "node1", &format!("-6 route del {NETWORK6}"));
    until(office, passes6);
}

fn ip(office: &mut Office, host: &str, line: &str) {
    let (status, said) = office.exec(host, &format!("ip {line}"));
    assert_eq!(status, 0, "{host}: ip {line}: {said}");
}

fn passes(office: &mut Office) -> bool {
    office.exec("home1", &format!("ping -n -c 1 -W 1 {ELSEWHERE}")).0 == 0
}

fn passes6(office: &mut Office) -> bool {
    office.exec("home1", &format!("ping -6 -n -c 1 -W 1 {ELSEWHERE6}")).0 == 0
}

fn until(office: &mut Office, is_so: impl Fn(&mut Office) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so(office) {
        assert!(Instant::now() < deadline, "{}", office.exec("node1", "ip -6 route").1);
        thread::sleep(Duration::from_millis(50));
    }
}
