mod model;
mod networks;
mod properties;

use net_types::IfName;
use node_state::{LinkKind, NodeState, Resource};

use super::*;

fn name(text: &str) -> IfName {
    text.parse().expect("legal")
}

fn link(text: &str, index: u32, group: u32) -> ObservedLink {
    let kind = if text.starts_with("wc-") {
        ObservedKind::Bridge { vlan_aware: false }
    } else {
        ObservedKind::Other(String::new())
    };
    ObservedLink {
        name: name(text),
        index,
        mac: None,
        kind,
        group,
        mtu: 1500,
        up: true,
        stands_on: None,
        bridge: None,
        port_flags: None,
        vlans: BTreeSet::new(),
        makes_link_local: false,
    }
}

fn address(link: &str, text: &str, protocol: u8) -> ObservedAddress {
    ObservedAddress { link: name(link), address: text.parse().expect("legal"), peer: None, protocol }
}

fn route(prefix: &str, target: ObservedTarget, protocol: u8) -> ObservedRoute {
    ObservedRoute { prefix: prefix.parse().expect("legal"), tos: 0, metric: 0, protocol, target }
}

fn route6(prefix: &str, target: ObservedTarget6, protocol: u8) -> ObservedRoute6 {
    ObservedRoute6 { prefix: prefix.parse().expect("legal"), metric: OWN_METRIC6, protocol, target }
}

fn via(gateway: &str, link: &str) -> ObservedTarget {
    ObservedTarget::Via { gateway: gateway.parse().expect("legal"), link: name(link) }
}

/// A node with its two ports and nothing else.
fn bare() -> Observed {
    Observed { links: [link("access0", 2, 0), link("core0", 3, 0)].into(), ..Observed::default() }
}

fn desired(resources: &[&str]) -> NodeState {
    resources.iter().map(|text| Resource::decode(text.as_bytes()).expect("legal")).collect()
}

const ACCESS: &str =
    r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#;
const CORE: &str = r#"{"kind":"port","name":"core0","role":"core","mtu":1500,"addresses":["192.0.2.2/30"]}"#;
const LOOPBACK: &str =
    r#"{"kind":"link","name":"wc-lo0","type":"bridge","mtu":1500,"addresses":["192.0.2.129/32"]}"#;
const DEFAULT: &str =
    r#"{"kind":"route","prefix":"0.0.0.0/0","target":{"via":{"gateway":"192.0.2.1","port":"core0"}}}"#;
const POOL: &str = r#"{"kind":"route","prefix":"198.51.100.0/24","target":"natPool"}"#;
const ALL: [&str; 5] = [ACCESS, CORE, LOOPBACK, DEFAULT, POOL];

#[test]
fn routes_of_ipv6_come_and_go() {
    let pool = r#"{"kind":"route6","prefix":"2001:db8:100::/48","target":"pool"}"#;
    let default =
        r#"{"kind":"route6","prefix":"::/0","target":{"via":{"gateway":"fe80::1","port":"core0"}}}"#;
    let mut observed = bare();
    observed.links = [ObservedLink { mtu: 1508, ..link("access0", 2, 0) }, link("core0", 3, 0)].into();
    let core = r#"{"kind":"port","name":"core0","role":"core","mtu":1500,"addresses":[]}"#;
    let ports = [ACCESS, core];
    let wanted = [ACCESS, core, pool, default];
    let added = "add route ::/0 via fe80::1 on core0 (for route6/::/0)\n\
                 add route 2001:db8:100::/48 to a blackhole (for route6/2001:db8:100::/48)\n";
    check(&observed, &wanted, added);
    let gateway = ObservedTarget6::Via { gateway: "fe80::1".parse().expect("legal"), link: name("core0") };
    let blackhole = ObservedTarget6::Blackhole;
    let both = |protocol| {
        [route6("::/0", gateway.clone(), protocol), route6("2001:db8:100::/48", blackhole.clone(), protocol)]
            .into()
    };
    // Ours, and another's that are just so.
    for protocol in [OWN_PROTOCOL, 4] {
        observed.routes6 = both(protocol);
        check(&observed, &wanted, "");
    }
    check(&observed, &ports, "");
    observed.routes6 = both(OWN_PROTOCOL);
    let removed = "remove route ::/0 via fe80::1 on core0 (metric 1024, protocol 87) (ours, and no longer wanted)\n\
                   remove route 2001:db8:100::/48 to a blackhole (metric 1024, protocol 87) (ours, and no longer wanted)\n";
    check(&observed, &ports, removed);
    observed.routes6 =
        [route6("2001:db8:100::/48", gateway, 4), route6("::/0", blackhole, OWN_PROTOCOL)].into();
    let text = "remove route ::/0 to a blackhole (metric 1024, protocol 87) (ours, and no longer wanted)\n\
                add route ::/0 via fe80::1 on core0 (for route6/::/0)\n\
                cannot: there is a route 2001:db8:100::/48 via fe80::1 on core0 (metric 1024, protocol 4) already, which is not ours: remove it or give it another table (for route6/2001:db8:100::/48)\n";
    check(&observed, &wanted, text);
    let nowhere = default.replace("core0", "core9");
    check(&bare(), &[&nowhere], "cannot: core9 is not a port of this node (for route6/::/0)\n");
}

#[track_caller]
fn check(observed: &Observed, resources: &[&str], expected: &str) {
    assert_eq!(plan(observed, &desired(resources)).to_string(), expected);
}

#[test]
fn a_bare_node_gets_everything_in_the_order_it_needs() {
    check(
        &bare(),
        &ALL,
        "set MTU of access0 from 1500 to 1508 (for port/access0)\n\
         make bridge wc-lo0 with MTU 1500 (for link/wc-lo0)\n\
         set wc-lo0 up (for link/wc-lo0)\n\
         add 192.0.2.2/30 to core0 (for port/core0)\n\
         add 192.0.2.129/32 to wc-lo0 (for link/wc-lo0)\n\
         add route 0.0.0.0/0 via 192.0.2.1 on core0 (for route/0.0.0.0/0)\n\
         add route 198.51.100.0/24 to a blackhole (for route/198.51.100.0/24)\n",
    );
}

#[test]
fn what_is_ours_and_unwanted_goes_and_the_rest_stays() {
    let mut observed = bare();
    observed.links.extend([link("wc-old", 4, OWN_GROUP), link("wc-mine", 5, 0), link("eth9", 6, OWN_GROUP)]);
    observed.addresses.extend([
        address("core0", "10.0.0.1/24", OWN_PROTOCOL),
        address("core0", "10.0.0.2/24", 0),
        address("wc-old", "10.1.0.1/24", OWN_PROTOCOL),
        address("wc-mine", "10.2.0.1/24", 3),
    ]);
    let blackhole = ObservedTarget::Blackhole;
    observed
        .routes
        .extend([route("10.8.0.0/16", blackhole.clone(), OWN_PROTOCOL), route("10.9.0.0/16", blackhole, 4)]);
    check(
        &observed,
        &[],
        "remove route 10.8.0.0/16 to a blackhole (metric 0, protocol 87) (ours, and no longer wanted)\n\
         remove link wc-old (index 4) (ours, and no longer wanted)\n\
         let other addresses of core0 outlive the one to be removed (ours, and no longer wanted)\n\
         remove 10.0.0.1/24 from core0 (ours, and no longer wanted)\n",
    );
}

#[test]
fn conflicts_are_told_and_nothing_is_overridden() {
    let mut observed = bare();
    observed.links.insert(link("wc-lo0", 7, 0));
    observed.addresses.extend([address("core0", "192.0.2.2/24", 0), address("core0", "192.0.2.3/30", 0)]);
    observed.routes.extend([
        route("0.0.0.0/0", via("192.0.2.9", "core0"), 3),
        route("198.51.100.0/24", via("192.0.2.1", "core0"), 4),
    ]);
    check(
        &observed,
        &[CORE, LOOPBACK, DEFAULT, POOL],
        "cannot: there is a link wc-lo0 already, which is not ours: rename or remove it (for link/wc-lo0)\n\
         cannot: 192.0.2.2 is on core0 already as 192.0.2.2/24, which is not ours: remove it there (for port/core0)\n\
         cannot: there is a route 0.0.0.0/0 via 192.0.2.9 on core0 (metric 0, protocol 3) already, which is not ours: \
         remove it or give it another table (for route/0.0.0.0/0)\n\
         cannot: there is a route 198.51.100.0/24 via 192.0.2.1 on core0 (metric 0, protocol 4) already, which is not \
         ours: remove it or give it another table (for route/198.51.100.0/24)\n",
    );
}

#[test]
fn what_another_made_just_so_satisfies() {
    let mut observed = bare();
    observed.addresses.insert(address("core0", "192.0.2.2/30", 0));
    observed.routes.insert(route("0.0.0.0/0", via("192.0.2.1", "core0"), 3));
    check(&observed, &[CORE, DEFAULT], "");
    // And is not removed when it is wanted no more.
    check(&observed, &[], "");
}

#[test]
fn impossible_wishes_are_refused_one_by_one() {
    let missing = CORE.replace("core0", "core7");
    let small = ACCESS.replace("1500", "60");
    let unmarked = LOOPBACK.replace("wc-lo0", "lo0");
    let off_link = DEFAULT.replace("192.0.2.1", "203.0.113.1");
    let own = DEFAULT.replace("192.0.2.1", "192.0.2.2").replace("0.0.0.0/0", "10.0.0.0/8");
    let broadcast = DEFAULT.replace("192.0.2.1", "192.0.2.3").replace("0.0.0.0/0", "11.0.0.0/8");
    let subnet = POOL.replace("198.51.100.0/24", "192.0.2.0/30");
    check(
        &bare(),
        &[CORE, &missing, &small, &unmarked, &off_link, &own, &broadcast, &subnet],
        "add 192.0.2.2/30 to core0 (for port/core0)\n\
         cannot: MTU 60 is less than 68, the least that IPv4 works with (for port/access0)\n\
         cannot: this node has no interface core7 (for port/core7)\n\
         cannot: lo0 does not begin with wc-, as a link of ours must (for link/lo0)\n\
         cannot: 203.0.113.1 is on no subnet of core0: give the port an address beside it (for route/0.0.0.0/0)\n\
         cannot: 192.0.2.2 is this node's own address on core0, not a gateway (for route/10.0.0.0/8)\n\
         cannot: 192.0.2.3 is on no subnet of core0: give the port an address beside it (for route/11.0.0.0/8)\n\
         cannot: 192.0.2.0/30 is the subnet of 192.0.2.2/30 on core0 (for route/192.0.2.0/30)\n",
    );
}

#[test]
fn links_that_contradict_themselves_are_told_by_what_does() {
    let bridge = |name: &str, kind: &str| {
        format!(r#"{{"kind":"link","name":"{name}","type":"{kind}","mtu":1500,"addresses":[]}}"#)
    };
    let (plain, aware) = (bridge("wc-br0", "bridge"), bridge("wc-br1", "vlanAwareBridge"));
    let of = |rest: &str| {
        format!(r#"{{"kind":"link","name":"wc-t","type":"tap","mtu":1500,"addresses":[],{rest}}}"#)
    };
    for (rest, text) in [
        (
            r#""bridge":{"bridge":"wc-br0","vlans":[{"id":7}]}"#,
            "wc-br0 does not look at tags, and has no VLANs",
        ),
        (
            r#""bridge":{"bridge":"wc-br1","vlans":[{"id":7,"untagged":true},{"id":8,"untagged":true}]}"#,
            "VLANs 7 and 8 are both untagged: a frame without a tag is in one",
        ),
        (r#""bridge":{"bridge":"wc-t"}"#, "wc-t is no bridge that can be there"),
        (r#""bridge":{"bridge":"core0"}"#, "core0 is no bridge that can be there"),
        (r#""flood":["10.0.0.2"]"#, "it is no VXLAN, and has nobody to send copies to (flood)"),
    ] {
        let found = plan(&bare(), &desired(&[&plain, &aware, &of(rest)]));
        let told: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, [format!("{text} (for link/wc-t)")]);
    }
}

#[test]
fn a_route_of_ours_is_changed_in_place() {
    let mut observed = bare();
    observed.addresses.insert(address("core0", "192.0.2.2/30", OWN_PROTOCOL));
    observed.routes.insert(route("0.0.0.0/0", ObservedTarget::Blackhole, OWN_PROTOCOL));
    check(
        &observed,
        &[CORE, DEFAULT],
        "change route 0.0.0.0/0 to go via 192.0.2.1 on core0 (for route/0.0.0.0/0)\n",
    );
}

#[test]
fn an_address_stays_whose_going_would_take_anothers_routes_along() {
    let mut observed = bare();
    observed.addresses.insert(address("core0", "192.0.2.2/30", OWN_PROTOCOL));
    observed.routes.insert(route("10.9.0.0/16", via("192.0.2.1", "core0"), 4));
    check(
        &observed,
        &[],
        "cannot: 192.0.2.2/30 stays on core0: with the last address of a device the kernel drops its routes, and \
         10.9.0.0/16 via 192.0.2.1 on core0 (metric 0, protocol 4) is not ours (ours, and no longer wanted)\n",
    );
}

#[test]
fn every_resource_but_sessions_has_an_outcome() {
    let keys: Vec<_> = plan(&bare(), &desired(&ALL)).resources.iter().map(ToString::to_string).collect();
    let expected = ["link/wc-lo0", "port/access0", "port/core0", "route/0.0.0.0/0", "route/198.51.100.0/24"];
    assert_eq!(keys, expected);
    assert_eq!(desired(&[LOOPBACK]).links[&name("wc-lo0")].kind, LinkKind::Bridge);
}
