//! Whatever happens in the kernel, the maps say what it does.

use std::net::Ipv4Addr;

use map_abi::FibTarget;
use net_types::Prefix4;
use proptest::prelude::*;

use super::{
    super::super::*,
    gateway,
    model::{Kernel, Maps},
};
use crate::kernel::OWN_PROTOCOL;

const FOREIGN: u8 = 186;

#[derive(Clone, Debug)]
enum Step {
    Put(Prefix4, u32, u8, KernelTarget, Placed),
    Take(prop::sample::Index),
    Object(u32, NextHopObject),
    ObjectGone(u32),
    Link(u32, bool),
    Ports(Vec<(u32, u16)>),
    Office(Prefix4, Option<Neighbour>),
    Resolved(Neighbour, bool),
    /// What the kernel does not tell, and a dump after it.
    Silently(Vec<Step>),
}

fn some_prefix() -> impl Strategy<Value = Prefix4> {
    (0..4_u32, prop::sample::select(vec![0_u8, 8, 16])).prop_map(|(n, len)| {
        let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
        Prefix4::new(Ipv4Addr::from_bits((10 << 24 | n << 16) & mask), len).expect("masked")
    })
}

/// Interfaces 1 to 4; gateways 1 to 3 by each.
fn some_hop() -> impl Strategy<Value = KernelHop> {
    (prop::option::weighted(0.9, 1..=3_u8), 1..=4_u32, 1..=3_u32)
        .prop_map(|(host, ifindex, weight)| KernelHop { gateway: host.map(gateway), ifindex, weight })
}

fn some_target() -> impl Strategy<Value = KernelTarget> {
    prop_oneof![
        4 => prop::collection::vec(some_hop(), 1..4).prop_map(KernelTarget::Hops),
        4 => prop::sample::select(vec![1, 2, 3, 10, 11_u32]).prop_map(KernelTarget::Object),
        1 => Just(KernelTarget::Blackhole),
        1 => Just(KernelTarget::Unreachable),
    ]
}

fn some_object() -> impl Strategy<Value = (u32, NextHopObject)> {
    let one = prop_oneof![4 => some_hop().prop_map(NextHopObject::Hop), 1 => Just(NextHopObject::Blackhole)];
    let members = prop::collection::btree_map(1..=3_u32, 1..=9_u32, 1..=3);
    let group = members.prop_map(|members| NextHopObject::Group(members.into_iter().collect()));
    prop_oneof![(1..=3_u32, one), (10..=11_u32, group)]
}

fn some_neighbour() -> impl Strategy<Value = Neighbour> {
    (1..=3_u8, 1..=3_u16).prop_map(|(host, port)| Neighbour { address: gateway(host), port })
}

fn told() -> impl Strategy<Value = Step> {
    let placed = prop::sample::select(vec![Placed::First, Placed::Last, Placed::Instead]);
    let protocol = prop::sample::select(vec![FOREIGN, FOREIGN, FOREIGN, OWN_PROTOCOL]);
    prop_oneof![
        6 => (some_prefix(), 0..3_u32, protocol, some_target(), placed)
            .prop_map(|(prefix, metric, protocol, target, placed)| Step::Put(prefix, metric, protocol, target, placed)),
        3 => any::<prop::sample::Index>().prop_map(Step::Take),
        3 => some_object().prop_map(|(id, object)| Step::Object(id, object)),
        1 => prop::sample::select(vec![1, 2, 3, 10, 11_u32]).prop_map(Step::ObjectGone),
        2 => (1..=4_u32, any::<bool>()).prop_map(|(ifindex, is_up)| Step::Link(ifindex, is_up)),
        1 => prop::sample::subsequence(vec![(1, 1), (2, 2), (3, 3)], 0..=3).prop_map(Step::Ports),
        1 => (some_prefix(), prop::option::of(some_neighbour())).prop_map(|(prefix, via)| Step::Office(prefix, via)),
        3 => (some_neighbour(), any::<bool>()).prop_map(|(neighbour, is)| Step::Resolved(neighbour, is)),
    ]
}

fn some_step() -> impl Strategy<Value = Step> {
    prop_oneof![12 => told(), 1 => prop::collection::vec(told(), 0..6).prop_map(Step::Silently)]
}

/// Does in the kernel what the step says; gives what the kernel tells of it.
fn happen(kernel: &mut Kernel, step: Step) -> Vec<RouteEvent> {
    match step {
        Step::Put(prefix, metric, protocol, target, placed) => {
            // The kernel takes no route that leads to an object which is not there.
            if matches!(&target, KernelTarget::Object(id) if !kernel.objects.contains_key(id)) {
                return Vec::new();
            }
            let route = KernelRoute { prefix: RoutePrefix::V4(prefix), tos: 0, metric, protocol, target };
            let is_done = kernel.put(prefix, &route, placed);
            is_done.then_some(RouteEvent::Route { route, placed }).into_iter().collect()
        }
        Step::Take(which) => {
            let all: Vec<KernelRoute> = kernel.routes.values().flatten().cloned().collect();
            if all.is_empty() {
                return Vec::new();
            }
            let gone = which.get(&all).clone();
            for routes in kernel.routes.values_mut() {
                routes.retain(|route| *route != gone);
            }
            vec![RouteEvent::RouteGone(gone)]
        }
        Step::Object(id, object) => {
            kernel.objects.insert(id, object.clone());
            vec![RouteEvent::NextHop { id, object }]
        }
        Step::ObjectGone(id) => {
            kernel.remove_object(id);
            vec![RouteEvent::NextHopGone { id }]
        }
        Step::Link(ifindex, is_up) => {
            if is_up {
                kernel.links_down.remove(&ifindex);
            } else {
                kernel.links_down.insert(ifindex);
            }
            vec![RouteEvent::Link { ifindex, is_up }]
        }
        Step::Ports(_) | Step::Office(..) | Step::Resolved(..) | Step::Silently(_) => Vec::new(),
    }
}

fn carry_out(kernel: &mut Kernel, table: &mut RouteTable, maps: &mut Maps, step: Step) {
    match step {
        Step::Ports(ports) => {
            kernel.ports = ports.into_iter().collect();
            maps.apply(table.set_ports(kernel.ports.clone()));
        }
        Step::Office(prefix, via) => {
            match via {
                Some(via) => kernel.office.insert(prefix, via),
                None => kernel.office.remove(&prefix),
            };
            maps.apply(table.set_office_route(prefix, via));
        }
        Step::Resolved(neighbour, is_resolved) => {
            // Only of neighbours that somebody asked for is anything told.
            if table.next_hops().any(|(_, other)| other == neighbour) {
                if is_resolved {
                    kernel.resolved.insert(neighbour);
                } else {
                    kernel.resolved.remove(&neighbour);
                }
                maps.apply(table.set_resolved(&neighbour, is_resolved));
            }
        }
        Step::Silently(steps) => {
            for step in steps {
                happen(kernel, step);
            }
            let links = (1..=4)
                .map(|ifindex| RouteEvent::Link { ifindex, is_up: !kernel.links_down.contains(&ifindex) });
            let links: Vec<RouteEvent> = links.collect();
            let dump = [RouteEvent::DumpBegins].into_iter().chain(links).chain(kernel.dump());
            for event in dump.chain([RouteEvent::DumpEnds]) {
                maps.apply(table.apply(event));
            }
        }
        told => {
            for event in happen(kernel, told) {
                maps.apply(table.apply(event));
            }
        }
    }
    for neighbour in std::mem::take(&mut maps.forgotten) {
        kernel.resolved.remove(&neighbour);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_maps_say_what_the_kernel_does(steps in prop::collection::vec(some_step(), 1..60)) {
        let (mut kernel, mut table, mut maps) = (Kernel::default(), RouteTable::new(&Held::default()), Maps::default());
        carry_out(&mut kernel, &mut table, &mut maps, Step::Ports(vec![(1, 1), (2, 2), (3, 3)]));
        for step in steps {
            let told = format!("{step:?}");
            carry_out(&mut kernel, &mut table, &mut maps, step);
            for prefix in kernel.prefixes() {
                let is = maps.routes.get(&prefix).map(|target| maps.fate(*target));
                prop_assert_eq!(is, kernel.fate(prefix), "{} after {}", prefix, told);
            }
            let routes: Vec<(Prefix4, FibTarget)> = table.routes().collect();
            prop_assert_eq!(routes.into_iter().collect::<std::collections::BTreeMap<_, _>>(), maps.routes.clone());
            let next_hops: std::collections::BTreeMap<_, _> = table.next_hops().collect();
            prop_assert_eq!(&next_hops, &maps.next_hops);
        }
        // Another agent that finds these maps changes nothing in them.
        let held = Held {
            next_hops: maps.next_hops.iter().map(|(index, neighbour)| (*neighbour, *index)).collect(),
            groups: table.groups().map(|(index, slots)| (index, *slots)).collect(),
        };
        let mut next = RouteTable::new(&held);
        let mut ops = next.set_ports(kernel.ports.clone());
        for neighbour in &kernel.resolved {
            ops.extend(next.set_resolved(neighbour, true));
        }
        for (prefix, via) in &kernel.office {
            ops.extend(next.set_office_route(*prefix, Some(*via)));
        }
        let links = kernel.links_down.iter().map(|ifindex| RouteEvent::Link { ifindex: *ifindex, is_up: false });
        let links: Vec<RouteEvent> = links.collect();
        let dump = [RouteEvent::DumpBegins].into_iter().chain(links).chain(kernel.dump());
        for event in dump.chain([RouteEvent::DumpEnds]) {
            ops.extend(next.apply(event));
        }
        prop_assert!(!ops.iter().any(|op| matches!(op, RouteOp::NextHop { neighbour: Some(_), .. })), "{:?}", ops);
    }
}
