//! Changes of routes, drawn at random, told one by one and read at once.

use std::net::Ipv4Addr;

use crate::{
    follower::{Follower, two_links},
    support::{in_new_namespace, ip, ip_batch, ip_batch_started},
};

/// What lines for `ip -batch -force` are drawn from: a few things that come in each other's way.
struct Choices {
    by: &'static [&'static str],
    prefixes: &'static [&'static str],
    /// What routes may have besides.
    rest: &'static [&'static str],
    /// Which of several is deleted.
    which: &'static [&'static str],
    objects: &'static [&'static str],
}

const IPV4: Choices = Choices {
    by: &[
        "via 192.0.2.2",
        "via 192.0.2.3",
        "via 198.51.100.2",
        "nexthop via 192.0.2.2 nexthop via 198.51.100.2",
        "nexthop via 192.0.2.2 nexthop via 192.0.2.3 weight 3 nexthop via 198.51.100.2",
        "nhid 1",
        "nhid 2",
        "nhid 10",
        "nhid 11",
        "dev a",
    ],
    prefixes: &["10.0.0.0/8", "10.1.0.0/16", "10.1.1.0/24", "default"],
    rest: &["", "metric 9", "metric 9 proto 87", "tos 0x10"],
    which: &["", "metric 9", "via 192.0.2.2"],
    objects: &["via 192.0.2.5 dev a", "via 198.51.100.5 dev b", "blackhole"],
};

const IPV6: Choices = Choices {
    by: &[
        "via 2001:db8::2",
        "via 2001:db8::3",
        "via fe80::2 dev a",
        "via fe80::2 dev b",
        "nexthop via 2001:db8::2 nexthop via 2001:db8:b::2",
        "nexthop via fe80::2 dev a nexthop via 2001:db8::3 weight 3 nexthop via fe80::2 dev b",
        "nhid 1",
        "nhid 2",
        "nhid 10",
        "nhid 11",
        "dev a",
        "dev b",
    ],
    prefixes: &["2001:db8:1000::/36", "2001:db8:1100::/40", "2001:db8:1110::/48", "default"],
    rest: &["", "metric 9", "metric 9 proto 87"],
    which: &[
        "",
        "metric 9",
        "via 2001:db8::2",
        "via fe80::2 dev b",
        "dev a",
        "nexthop via 2001:db8::2 nexthop via 2001:db8:b::2",
    ],
    objects: &["via 2001:db8::5 dev a", "via fe80::5 dev b", "blackhole"],
};

fn some_lines(choices: &Choices, random: &mut impl FnMut(usize) -> usize) -> Vec<String> {
    let mut pick = |choices: &[&str]| choices[random(choices.len())].to_owned();
    let line =
        |pick: &mut dyn FnMut(&[&str]) -> String| match pick(&["r", "r", "r", "r", "d", "n", "g", "x", "l"])
            .as_str()
        {
            "r" => {
                let verb = pick(&["add", "replace", "append", "prepend", "change"]);
                let (prefix, by) = (pick(choices.prefixes), pick(choices.by));
                let rest = pick(choices.rest);
                if pick(&["", "", "", "blackhole"]).is_empty() {
                    format!("route {verb} {prefix} {rest} {by}")
                } else {
                    format!("route {verb} blackhole {prefix} {rest}")
                }
            }
            "d" => format!("route del {} {}", pick(choices.prefixes), pick(choices.which)),
            "n" => format!("nexthop replace id {} {}", pick(&["1", "2"]), pick(choices.objects)),
            "g" => {
                format!(
                    "nexthop replace id {} group {}",
                    pick(&["10", "11"]),
                    pick(&["1/2", "1,3/2", "2", "1"])
                )
            }
            "x" => format!("nexthop del id {}", pick(&["1", "2", "10", "11"])),
            _ => {
                format!(
                    "link set dev {} {}",
                    pick(&["a", "b", "a-peer", "b-peer"]),
                    pick(&["up", "up", "down"])
                )
            }
        };
    (0..40).map(|_| line(&mut pick)).collect()
}

fn snapshot() -> String {
    ["link show", "nexthop show", "route show", "-6 route show"].map(ip).concat()
}

/// Draws changes of a family, and lets `judge` compare who followed them with who has read all.
fn follow_random_changes(
    option: &str,
    choices: &Choices,
    rounds: u32,
    judge: impl Fn(&Follower, &Follower, &str) + Send + Sync,
) {
    in_new_namespace(async || {
        let [a, b] = two_links().await;
        // Addresses of IPv6 would go with the link's carrier, and with them most of what is drawn.
        std::fs::write("/proc/sys/net/ipv6/conf/all/keep_addr_on_down", "1").expect("sysctl");
        let mut follower = Follower::new(&[a, b]);
        // A linear congruential generator (Knuth, "MMIX"): the same lines each time.
        let mut state = 1_u64;
        let mut random = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).expect("31 bits") % limit
        };
        let mut with_ways = 0;
        for round in 0..rounds {
            let lines = some_lines(choices, &mut random);
            ip_batch(option, &lines);
            loop {
                // A carrier that goes takes objects along a moment later.
                let before = snapshot();
                follower.follow().await;
                let mut other = Follower::new(&[a, b]);
                other.follow_until(|other| other.dumps() == 1).await;
                if snapshot() == before {
                    with_ways += u32::from(!follower.next_hops.is_empty());
                    judge(&follower, &other, &format!("round {round}: {lines:#?}\n{before}"));
                    break;
                }
            }
        }
        assert!(with_ways > rounds / 10, "{with_ways} of {rounds} rounds ended with ways to somewhere");
    });
}

#[test]
fn whoever_followed_all_changes_knows_what_a_dump_says() {
    follow_random_changes("-force", &IPV4, 150, |follower, other, what| {
        assert_eq!(follower.ways(), other.ways(), "{what}");
    });
}

#[test]
fn whoever_followed_all_changes_of_ipv6_knows_what_a_dump_says() {
    follow_random_changes("-6 -force", &IPV6, 150, |follower, other, what| {
        assert_eq!(follower.ways6(), other.ways6(), "{what}");
    });
}

#[test]
fn changes_that_come_while_a_large_table_is_read_are_not_lost_in_it() {
    const ROUTES: u32 = 20_000;
    in_new_namespace(async || {
        let [a, b] = two_links().await;
        let prefix = |n: u32| format!("{}/24", Ipv4Addr::from_bits((10 << 24) + (n << 8)));
        let line = |n: u32| format!("route add {} via 192.0.2.{}", prefix(n), 2 + n % 4);
        ip_batch("", &(0..ROUTES).map(line).collect::<Vec<_>>());
        // Each route is led elsewhere, taken out and put in again, or only taken out.
        let change = |n: u32| match n % 3 {
            0 => vec![format!("route replace {} via 198.51.100.{}", prefix(n), 2 + n % 5)],
            1 => vec![format!("route del {}", prefix(n)), format!("route add blackhole {}", prefix(n))],
            _ => vec![format!("route del {}", prefix(n))],
        };
        // Neither in the order in which the kernel tells of them nor against it.
        let order = (0..ROUTES).map(|n| n * 7919 % ROUTES);
        let mut follower = Follower::new(&[a, b]);
        follower.follow().await;
        let mut changing = ip_batch_started(&order.flat_map(change).collect::<Vec<_>>());
        follower.told.clear();
        follower.follow_until(|follower| !follower.told.is_empty()).await;
        follower.feed.dump_again();
        follower.follow_until(|follower| follower.dumps() == 1).await;
        changing.end();
        follower.follow().await;
        let mut other = Follower::new(&[a, b]);
        other.follow_until(|other| other.dumps() == 1).await;
        assert!(follower.ways() == other.ways(), "what was followed is not what is there");
        assert_eq!(other.routes.len(), ROUTES.div_ceil(3) as usize * 2 + 2, "and the links' own subnets");
    });
}
