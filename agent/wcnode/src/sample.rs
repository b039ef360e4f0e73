//! What the maps held at one moment, in a form that can be printed and compared.

use std::{cmp::Reverse, collections::HashMap, net::Ipv4Addr, time::Duration};

use fastpath::{Admission, LeasedDevice, SessionView, TrafficView};
use serde::Serialize;

use crate::cli::{Order, Selection};
use crate::failure::Failure;

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    pub(crate) name: String,
    pub(crate) port: Option<String>,
    pub(crate) s_vid: u16,
    pub(crate) c_vid: u16,
    pub(crate) mac: Option<String>,
    /// The devices that have leases, of a home that may have several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) devices: Option<Vec<Device>>,
    pub(crate) address: Ipv4Addr,
    pub(crate) network: Option<String>,
    pub(crate) nat: Option<Nat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) public_address: Option<Ipv4Addr>,
    pub(crate) active: bool,
    /// In the walled garden: what is in it passes, and nothing else.
    pub(crate) garden: bool,
    /// The firewall's rules, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) rules: Vec<Rule>,
    /// Of `up` and `down`, what was voice, where it is a class of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) voice: Option<Voice>,
    /// What parental control has refused, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dns_blocked: Option<u64>,
    pub(crate) up: Traffic,
    pub(crate) down: Traffic,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Device {
    pub(crate) mac: String,
    pub(crate) address: Ipv4Addr,
    /// In seconds since 1970.
    pub(crate) lease_ends: u64,
}

impl From<LeasedDevice> for Device {
    fn from(device: LeasedDevice) -> Self {
        Self { mac: device.mac.to_string(), address: device.address, lease_ends: device.lease_ends_s }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Voice {
    pub(crate) up: Count,
    pub(crate) down: Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Count {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rule {
    pub(crate) name: String,
    /// Flows that it was the first rule to be about.
    pub(crate) hits: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Nat {
    pub(crate) address: Ipv4Addr,
    pub(crate) first_port: u16,
    pub(crate) ports: u32,
    /// First ports of further blocks, each of as many ports.
    pub(crate) further: Vec<u16>,
    pub(crate) mappings: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Traffic {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    pub(crate) drops: u64,
    /// The limit, in bits per second.
    pub(crate) rate_limit: Option<u64>,
    /// What passed since the look before, per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) speed: Option<Speed>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Speed {
    pub(crate) bits: u64,
    pub(crate) packets: u64,
    pub(crate) drops: u64,
}

impl From<SessionView> for Session {
    fn from(view: SessionView) -> Self {
        Self {
            name: view.name,
            port: view.port.map(|port| port.to_string()),
            s_vid: view.s_vid,
            c_vid: view.c_vid,
            mac: view.mac.map(|mac| mac.to_string()),
            devices: view.devices.map(|devices| devices.into_iter().map(Device::from).collect()),
            address: view.address,
            network: view.network.map(|network| network.to_string()),
            public_address: view.public_address,
            nat: view.nat.map(|nat| Nat {
                address: nat.address,
                first_port: nat.first_port,
                ports: nat.ports,
                further: nat.further,
                mappings: nat.mappings,
            }),
            active: view.admission == Admission::All,
            garden: view.admission == Admission::Garden,
            dns_blocked: view.dns_blocked,
            rules: view.rules.into_iter().map(|rule| Rule { name: rule.name, hits: rule.hits }).collect(),
            voice: view.voice.map(|voice| Voice { up: count(voice.up), down: count(voice.down) }),
            up: view.up.into(),
            down: view.down.into(),
        }
    }
}

fn count((packets, bytes): (u64, u64)) -> Count {
    Count { packets, bytes }
}

impl From<TrafficView> for Traffic {
    fn from(view: TrafficView) -> Self {
        let TrafficView { packets, bytes, drops, rate } = view;
        Self { packets, bytes, drops, rate_limit: rate, speed: None }
    }
}

impl Traffic {
    fn since(self, before: Self, elapsed: Duration) -> Self {
        let speed = Speed {
            bits: per_second(before.bytes, self.bytes, elapsed).saturating_mul(8),
            packets: per_second(before.packets, self.packets, elapsed),
            drops: per_second(before.drops, self.drops, elapsed),
        };
        Self { speed: Some(speed), ..self }
    }
}

/// The growth of a counter; one that went back has begun anew.
pub(crate) fn per_second(before: u64, now: u64, elapsed: Duration) -> u64 {
    let grown = u128::from(now.checked_sub(before).unwrap_or(now));
    let us = elapsed.as_micros().max(1);
    u64::try_from(grown * 1_000_000 / us).unwrap_or(u64::MAX)
}

/// The sessions that were asked for, in the order that was asked for.
pub(crate) fn select(mut sessions: Vec<Session>, selection: &Selection) -> Result<Vec<Session>, Failure> {
    if let Some(missing) = selection.names.iter().find(|&name| sessions.iter().all(|s| s.name != *name)) {
        return Err(Failure::NoSession(missing.clone()));
    }
    if !selection.names.is_empty() {
        sessions.retain(|session| selection.names.contains(&session.name));
    }
    sessions.sort_by(|a, b| a.name.cmp(&b.name));
    match selection.order() {
        Order::Name => {}
        Order::Tags => sessions.sort_by(|a, b| (&a.port, a.s_vid, a.c_vid).cmp(&(&b.port, b.s_vid, b.c_vid))),
        Order::Address => sessions.sort_by_key(|session| session.address),
        Order::Traffic => sessions.sort_by_key(|session| Reverse(traffic(session))),
        Order::Drops => sessions.sort_by_key(|session| Reverse(dropped(session))),
    }
    sessions.truncate(selection.top.unwrap_or(usize::MAX));
    Ok(sessions)
}

/// What sorting by traffic goes by: the speed where it is known, else all bytes so far.
fn traffic(session: &Session) -> u64 {
    let one = |traffic: Traffic| traffic.speed.map_or(traffic.bytes, |speed| speed.bits);
    one(session.up).saturating_add(one(session.down))
}

fn dropped(session: &Session) -> u64 {
    session.up.drops.saturating_add(session.down.drops)
}

/// Puts in how fast everything grew since `before`.
pub(crate) fn with_speed(now: Vec<Session>, before: &[Session], elapsed: Duration) -> Vec<Session> {
    let before: HashMap<&str, &Session> =
        before.iter().map(|session| (session.name.as_str(), session)).collect();
    let speed = |session: Session| match before.get(session.name.as_str()) {
        Some(old) => Session {
            up: session.up.since(old.up, elapsed),
            down: session.down.since(old.down, elapsed),
            ..session
        },
        None => session,
    };
    now.into_iter().map(speed).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn session(name: &str, c_vid: u16, bytes: u64, drops: u64) -> Session {
        let traffic = Traffic { packets: bytes / 100, bytes, drops, rate_limit: None, speed: None };
        Session {
            name: name.into(),
            port: Some("access0".into()),
            s_vid: 100,
            c_vid,
            mac: Some("02:00:00:00:00:aa".into()),
            devices: None,
            address: Ipv4Addr::new(100, 64, 0, 2),
            network: Some("100.64.0.2/32".into()),
            public_address: None,
            nat: Some(Nat {
                address: Ipv4Addr::new(198, 51, 100, 1),
                first_port: 1024,
                ports: 256,
                further: vec![65_024],
                mappings: 3,
            }),
            active: true,
            garden: false,
            rules: Vec::new(),
            voice: None,
            dns_blocked: None,
            up: traffic,
            down: Traffic { rate_limit: Some(100_000_000), ..traffic },
        }
    }

    fn selection(names: &[&str], sort: Option<Order>, top: Option<usize>) -> Selection {
        Selection { names: names.iter().map(ToString::to_string).collect(), sort, top }
    }

    #[test]
    fn sessions_are_picked_sorted_and_cut() {
        let all = || vec![session("b", 8, 900, 1), session("c", 7, 100, 5), session("a", 9, 500, 0)];
        let names = |selection: Selection| -> String {
            select(all(), &selection)
                .expect("all are there")
                .into_iter()
                .map(|session| session.name)
                .collect()
        };
        assert_eq!(names(selection(&[], None, None)), "abc");
        assert_eq!(names(selection(&["c", "a"], None, None)), "ac");
        assert_eq!(names(selection(&[], None, Some(2))), "ba");
        assert_eq!(names(selection(&[], Some(Order::Drops), None)), "cba");
        assert_eq!(names(selection(&[], Some(Order::Tags), Some(1))), "c");
        let missing = select(all(), &selection(&["a", "zoe"], None, None));
        assert!(matches!(missing, Err(Failure::NoSession(name)) if name == "zoe"));
    }

    #[test]
    fn speed_is_growth_over_time() {
        let before = [session("a", 7, 1000, 2)];
        let now = vec![session("a", 7, 4000, 3), session("new", 8, 5, 0)];
        let sampled = with_speed(now, &before, Duration::from_millis(500));
        assert_eq!(sampled[0].up.speed, Some(Speed { bits: 48_000, packets: 60, drops: 2 }));
        assert_eq!(sampled[1].up.speed, None);
        assert_eq!(per_second(100, 7, Duration::from_secs(1)), 7, "a counter that began anew");
        assert_eq!(per_second(0, u64::MAX, Duration::ZERO), u64::MAX);
    }
}
