//! Somebody who follows the kernel's routes as an agent does.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use linux_node::{Netlink, RouteFeed, RouteNews};
use map_abi::FibTarget;
use net_types::{IfName, Prefix4, Prefix6};
use node_plan::forwarding::{Held, Neighbour, RouteEvent, RouteOp, RouteTable};

use crate::support::ip;

const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) struct Follower {
    pub(crate) feed: RouteFeed,
    table: RouteTable,
    pub(crate) told: Vec<RouteNews>,
    pub(crate) next_hops: BTreeMap<u16, Neighbour>,
    groups: BTreeMap<u16, Vec<u16>>,
    pub(crate) routes: BTreeMap<Prefix4, FibTarget>,
    pub(crate) routes6: BTreeMap<Prefix6, FibTarget>,
}

impl Follower {
    /// Interfaces of these numbers are ports of the same numbers.
    pub(crate) fn new(ports: &[u32]) -> Self {
        let mut table = RouteTable::new(&Held::default());
        table.set_ports(
            ports.iter().map(|port| (*port, u16::try_from(*port).expect("a small number"))).collect(),
        );
        Self {
            feed: Netlink::routes().expect("subscribed"),
            table,
            told: Vec::new(),
            next_hops: BTreeMap::new(),
            groups: BTreeMap::new(),
            routes: BTreeMap::new(),
            routes6: BTreeMap::new(),
        }
    }

    /// Follows until nothing is known to have gone unseen and `is_seen` says so.
    pub(crate) async fn follow_until(&mut self, is_seen: impl Fn(&Self) -> bool) {
        let seek = async {
            while !self.feed.is_settled() || !is_seen(self) {
                for news in self.feed.next().await.expect("read") {
                    if let RouteNews::Route(event) = &news {
                        let ops = self.table.apply(event.clone());
                        self.carry_out(ops);
                        if self.table.take_doubt() {
                            self.feed.dump_again();
                        }
                    }
                    self.told.push(news);
                }
            }
        };
        tokio::time::timeout(PATIENCE, seek).await.expect("the kernel tells of its routes");
    }

    /// Follows until all that was done up to now is seen.
    pub(crate) async fn follow(&mut self) {
        ip("route replace blackhole 255.0.0.1/32 metric 7");
        let mark = "255.0.0.1/32".parse().expect("a prefix");
        self.follow_until(|follower| follower.routes.contains_key(&mark)).await;
        ip("route del blackhole 255.0.0.1/32 metric 7");
        self.follow_until(|follower| !follower.routes.contains_key(&mark)).await;
    }

    fn carry_out(&mut self, ops: Vec<RouteOp>) {
        for op in ops {
            match op {
                RouteOp::NextHop { index, neighbour: Some(neighbour) } => {
                    self.next_hops.insert(index, neighbour);
                }
                RouteOp::NextHop { index, neighbour: None } => drop(self.next_hops.remove(&index)),
                RouteOp::Group { index, slots } => drop(self.groups.insert(index, slots.to_vec())),
                RouteOp::Route { prefix, target: Some(target) } => drop(self.routes.insert(prefix, target)),
                RouteOp::Route { prefix, target: None } => drop(self.routes.remove(&prefix)),
                RouteOp::Route6 { prefix, target: Some(target) } => {
                    self.routes6.insert(prefix, target);
                }
                RouteOp::Route6 { prefix, target: None } => drop(self.routes6.remove(&prefix)),
            }
        }
    }

    /// Where packets to each prefix go, in words, by slot where there are several ways.
    pub(crate) fn slots(&self) -> BTreeMap<Prefix4, Vec<String>> {
        self.routes.iter().map(|(prefix, target)| (*prefix, self.slots_of(*target))).collect()
    }

    pub(crate) fn slots6(&self) -> BTreeMap<Prefix6, Vec<String>> {
        self.routes6.iter().map(|(prefix, target)| (*prefix, self.slots_of(*target))).collect()
    }

    fn slots_of(&self, target: FibTarget) -> Vec<String> {
        let by = |index: u16| match self.next_hops.get(&index) {
            None => "kernel".to_owned(),
            Some(neighbour) => format!("{} on {}", neighbour.address, neighbour.port),
        };
        let index = u16::try_from(target.index()).expect("few");
        match target.kind() {
            FibTarget::KIND_BLACKHOLE => vec!["nowhere".to_owned()],
            FibTarget::KIND_KERNEL => vec!["kernel".to_owned()],
            FibTarget::KIND_LOCAL => vec!["here".to_owned()],
            FibTarget::KIND_GROUP => self.groups[&index].iter().map(|slot| by(*slot)).collect(),
            _ => vec![by(index)],
        }
    }

    /// The same without how often.
    pub(crate) fn ways(&self) -> BTreeMap<Prefix4, BTreeSet<String>> {
        self.slots().into_iter().map(|(prefix, slots)| (prefix, slots.into_iter().collect())).collect()
    }

    pub(crate) fn ways6(&self) -> BTreeMap<Prefix6, BTreeSet<String>> {
        self.slots6().into_iter().map(|(prefix, slots)| (prefix, slots.into_iter().collect())).collect()
    }

    pub(crate) fn dumps(&self) -> usize {
        self.told.iter().filter(|news| **news == RouteNews::Route(RouteEvent::DumpEnds)).count()
    }
}

/// Two links, up, with addresses 192.0.2.1/24 and 198.51.100.1/24, and `2001:db8::1/64` and `2001:db8:b::1/64`.
pub(crate) async fn two_links() -> [u32; 2] {
    // Where objects that are blackholes are.
    ip("link set dev lo up");
    for (link, peer, address) in [("a", "a-peer", "192.0.2.1/24"), ("b", "b-peer", "198.51.100.1/24")] {
        ip(&format!("link add name {link} type veth peer name {peer}"));
        ip(&format!("addr add {address} dev {link}"));
        ip(&format!("link set dev {peer} up"));
        ip(&format!("link set dev {link} up"));
    }
    ip("addr add 2001:db8::1/64 dev a nodad");
    ip("addr add 2001:db8:b::1/64 dev b nodad");
    let netlink = Netlink::connect().expect("connected");
    let mut indices = [0; 2];
    for (index, name) in indices.iter_mut().zip(["a", "b"]) {
        let name: IfName = name.parse().expect("legal");
        *index = netlink.interface(&name).await.expect("asked").expect("made").index;
    }
    indices
}
