//! Random rules and flows, through the loaded programs and through a few lines that say what should be.

use std::{cell::RefCell, net::IpAddr};

use etherparse::PacketBuilder;
use net_types::Prefix;
use node_state::{FirewallRule, FlowDirection, PortRange, Resource, RuleAction, Session};
use proptest::{prelude::*, test_runner::TestRunner};

use super::*;
use crate::{frames::tagged, six};

#[derive(Clone, Debug)]
struct Flow {
    is_out: bool,
    is_tcp: bool,
    is_v6: bool,
    /// The last byte of the address outside.
    remote: u8,
    from_port: u16,
    to_port: u16,
}

fn inside(is_v6: bool) -> IpAddr {
    if is_v6 { "2001:db8:100:b::5".parse().expect("an address") } else { BOB.into() }
}

impl Flow {
    fn remote(&self) -> IpAddr {
        let last = self.remote;
        if self.is_v6 {
            format!("2606:4700::{last:x}").parse().expect("an address")
        } else {
            [8, 8, 8, last].into()
        }
    }

    fn ends(&self) -> (IpAddr, IpAddr) {
        if self.is_out { (inside(self.is_v6), self.remote()) } else { (self.remote(), inside(self.is_v6)) }
    }

    fn packet(&self) -> Vec<u8> {
        let mut packet = Vec::new();
        let (from, to) = self.ends();
        let ip = match (from, to) {
            (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), 64),
            (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), 64),
            _ => panic!("of one family"),
        };
        if self.is_tcp {
            ip.tcp(self.from_port, self.to_port, 1, 2).syn().write(&mut packet, b"").expect("fits");
        } else {
            ip.udp(self.from_port, self.to_port).write(&mut packet, b"").expect("fits");
        }
        packet
    }

    fn is_for(&self, rule: &FirewallRule) -> bool {
        let (from, to) = self.ends();
        let within = |prefix: Option<Prefix>, address: IpAddr| match (prefix, address) {
            (None, _) => true,
            (Some(Prefix::V4(prefix)), IpAddr::V4(address)) => prefix.contains(address),
            (Some(Prefix::V6(prefix)), IpAddr::V6(address)) => prefix.contains(address),
            _ => false,
        };
        let among = |range: Option<PortRange>, port| range.is_none_or(|r| (r.first..=r.last).contains(&port));
        (rule.direction == FlowDirection::Out) == self.is_out
            && rule.protocol.is_none_or(|protocol| protocol == if self.is_tcp { 6 } else { 17 })
            && within(rule.source, from)
            && within(rule.destination, to)
            && among(rule.source_ports, self.from_port)
            && among(rule.destination_ports, self.to_port)
    }

    /// What should become of its first packet; `Ok`: it passes.
    fn decided(&self, rules: &[FirewallRule]) -> Result<(), DropReason> {
        match rules.iter().find(|rule| self.is_for(rule)) {
            Some(rule) if rule.action == RuleAction::Allow => Ok(()),
            Some(_) => Err(DropReason::Rule),
            None if self.is_out => Ok(()),
            None => Err(DropReason::Firewall),
        }
    }
}

fn any_flow() -> impl Strategy<Value = Flow> {
    (any::<(bool, bool, bool)>(), 1_u8..=20, 1_u16..60, 1_u16..60).prop_map(
        |((is_out, is_tcp, is_v6), remote, from_port, to_port)| Flow {
            is_out,
            is_tcp,
            is_v6,
            remote,
            from_port,
            to_port,
        },
    )
}

fn any_prefix() -> impl Strategy<Value = Option<Prefix>> {
    let v4 = (0_u8..=32, 1_u8..=20).prop_map(|(len, last)| {
        let bits =
            u32::from_be_bytes([8, 8, 8, last]) & u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
        format!("{}/{len}", std::net::Ipv4Addr::from(bits))
    });
    let v6 = (prop_oneof![0_u8..=2, 0_u8..=128, 120_u8..=128], 1_u8..=20).prop_map(|(len, last)| {
        let address: std::net::Ipv6Addr = format!("2606:4700::{last:x}").parse().expect("an address");
        let bits = address.to_bits() & u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
        format!("{}/{len}", std::net::Ipv6Addr::from(bits))
    });
    let own = Just("203.0.113.8/29".to_owned());
    let some = prop_oneof![v4, v6, own].prop_map(|text| Some(text.parse().expect("a prefix")));
    prop_oneof![Just(None), some]
}

fn any_rule() -> impl Strategy<Value = FirewallRule> {
    let range = || {
        let some =
            (1_u16..60, 0_u16..30).prop_map(|(first, more)| Some(PortRange { first, last: first + more }));
        prop_oneof![Just(None), some]
    };
    let what = (any::<(bool, bool)>(), prop_oneof![Just(None), Just(Some(6)), Just(Some(17))]);
    (what, any_prefix(), any_prefix(), range(), range()).prop_map(
        |(((is_out, is_allow), protocol), source, destination, source_ports, destination_ports)| {
            let is_one_family = match (source, destination) {
                (Some(one), Some(other)) => matches!(one, Prefix::V4(_)) == matches!(other, Prefix::V4(_)),
                _ => true,
            };
            let ports = |range: Option<PortRange>| range.filter(|_| protocol.is_some());
            FirewallRule {
                name: "r".parse().expect("a name"),
                direction: if is_out { FlowDirection::Out } else { FlowDirection::In },
                action: if is_allow { RuleAction::Allow } else { RuleAction::Deny },
                protocol,
                source,
                destination: destination.filter(|_| is_one_family),
                source_ports: ports(source_ports),
                destination_ports: ports(destination_ports),
            }
        },
    )
}

fn bob(rules: &[FirewallRule]) -> Session {
    let state = six::with_ipv6(&office("bob-inc", &json!([])));
    let bob = state.resources().find_map(|resource| match resource {
        Resource::Session(session) if session.subscriber.as_str() == "bob-inc" => Some(session),
        _ => None,
    });
    let named = |(n, rule): (usize, &FirewallRule)| FirewallRule {
        name: format!("r{n}").parse().expect("a name"),
        ..rule.clone()
    };
    Session { firewall_rules: rules.iter().enumerate().map(named).collect(), ..bob.expect("bob") }
}

#[test]
fn random_rules_decide_as_they_say() {
    let world = World::new();
    let mut fastpath = six::opened(&world, &six::with_ipv6(&office("bob-inc", &json!([]))));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    let kernel = Kernel { world: &world, fastpath: &mut fastpath, inspector: &inspector, punts: &mut punts };
    let kernel = RefCell::new(kernel);
    let strategy = (prop::collection::vec(any_rule(), 1..=31), prop::collection::vec(any_flow(), 1..12));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(150));
    let done = runner.run(&strategy, |(rules, flows)| {
        let mut kernel = kernel.borrow_mut();
        // Anew, so that no flow is known.
        let bob = Resource::Session(bob(&rules));
        for change in [Change::Remove(bob.key()), Change::Upsert(bob)] {
            for (key, done) in kernel.fastpath.apply(&[change]) {
                done.unwrap_or_else(|error| panic!("{key}: {error}"));
            }
        }
        let mut hits = vec![0; rules.len()];
        let mut seen: Vec<&Flow> = Vec::new();
        for flow in &flows {
            let is_known = |other: &&Flow| {
                let ends = [(flow.from_port, flow.to_port), (flow.to_port, flow.from_port)];
                ends.contains(&(other.from_port, other.to_port))
            };
            if seen.iter().any(is_known) {
                continue;
            }
            seen.push(flow);
            if let Some(n) = rules.iter().position(|rule| flow.is_for(rule)) {
                hits[n] += 1;
            }
            let packet = flow.packet();
            let ethertype = if flow.is_v6 { 0x86dd } else { 0x0800 };
            let outcome = if flow.is_out {
                kernel.up(&tagged(crate::world::BOB_MAC, 0x88a8, (101, 9), ethertype, &packet))
            } else {
                let mut frame = from_core(&packet);
                frame[12..14].copy_from_slice(&u16::to_be_bytes(ethertype));
                kernel.down(&frame)
            };
            match flow.decided(&rules) {
                Ok(()) => prop_assert!(matches!(outcome, Outcome::Redirect(_)), "{flow:?} {outcome:?}"),
                Err(reason) => prop_assert_eq!(outcome, Outcome::Drop(reason, None), "{:?}", flow),
            }
        }
        let views = inspector.sessions();
        let view = views.iter().find(|view| view.name == "bob-inc").expect("there");
        prop_assert_eq!(view.rules.iter().map(|rule| rule.hits).collect::<Vec<_>>(), hits);
        Ok(())
    });
    done.unwrap_or_else(|error| panic!("{error}"));
}
