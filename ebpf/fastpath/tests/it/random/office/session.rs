//! A line's session, as the office is told of it.

use std::{collections::BTreeSet, net::Ipv4Addr};

use fastpath::LeasedDevice;
use net_types::Mac;
use node_state::{Blocked, Resource};

use super::{ACCESS, Forward, Line, RESOLVERS, RESOLVERS6, Rates, Rule, State, Wall, prefix};
use crate::frames::Address;

impl Line {
    pub(super) fn resource(&self) -> Resource {
        let tags = match self.tags {
            [] => "{}".to_owned(),
            [c] => format!(r#"{{"cVid":{c}}}"#),
            more => format!(r#"{{"sVid":{},"cVid":{}}}"#, more[0], more[1]),
        };
        let state = match self.state {
            State::Active => "active",
            State::Garden(state) => state,
            State::Quarantined => "quarantined",
        };
        let mac = match self.bridged {
            Some(_) => r#"null,"devices":3"#.to_owned(),
            None if self.has_mac => format!(r#""{}""#, self.station()),
            None => "null".to_owned(),
        };
        let ip = |address: Address| Ipv4Addr::from(address);
        let nat = self.nat.map_or("null".to_owned(), |(address, first, ports)| {
            format!(r#"{{"address":"{}","firstPort":{first},"ports":{ports}}}"#, ip(address))
        });
        let Self { network: (address, _), gateway, .. } = *self;
        let (home, name) = (self.home(), self.session());
        let len = home.1;
        let lease_len = if self.public().is_some() { 16 } else { len };
        let text = format!(
            r#"{{"kind":"session","subscriber":"{name}","port":"{}","tags":{tags},"state":"{state}","mac":{mac},"lease":"{}/{lease_len}","gateway":"{}","network":"{}/{len}","dnsServers":{},"leaseSeconds":3600,"nat":{nat}{}}}"#,
            ACCESS[self.port].name,
            ip(address),
            ip(gateway),
            Ipv4Addr::from(prefix(home)),
            quoted(&RESOLVERS),
            self.bundle(),
        );
        decoded(&text)
    }

    fn station(&self) -> Mac {
        Mac::new(self.mac).expect("unicast")
    }

    /// As what it has leased.
    pub(super) fn device(&self) -> LeasedDevice {
        LeasedDevice { address: self.network.0.into(), mac: self.station(), lease_ends_s: 1_000_000 }
    }

    /// What else a session has.
    fn bundle(&self) -> String {
        let limit = r#"{"rate":"100G","burstUs":4000000}"#;
        let rates = if self.rate == Rates::Unlimited {
            r#","rateUp":null,"rateDown":null"#.to_owned()
        } else {
            format!(r#","rateUp":{limit},"rateDown":{limit},"committedUp":{limit},"committedDown":{limit}"#)
        };
        let six = self.six.map_or(String::new(), |(link, delegated)| {
            format!(
                r#","ipv6":{{"link":"{link}/64","address":null,"delegated":"{delegated}/56","autonomous":true,"dnsServers":{},"preferredSeconds":1800,"validSeconds":3600}}"#,
                quoted(&RESOLVERS6)
            )
        });
        let firewall = match self.wall {
            Wall::None => "",
            Wall::Six => r#","firewall":{"flows":64}"#,
            Wall::Both => r#","firewall":{"flows":256,"ipv4":true}"#,
        };
        let voice = self.voice.map_or(String::new(), |_| format!(r#","voice":{limit}"#));
        let control = self.control.map_or(
            "",
            |_| r#","parentalControl":{"utcOffset":"+00:00","rules":[{"lists":["games","adult"]}]}"#,
        );
        let rules = self.rules.iter().enumerate().map(|(n, rule)| rule.text(n));
        let rules = list("firewallRules", &rules.collect::<Vec<_>>());
        let one_to_one = self
            .one_to_one
            .map_or(String::new(), |public| format!(r#","natAddress":"{}""#, Ipv4Addr::from(public)));
        let lent = self.lent.map_or(String::new(), |first| {
            let ports = self.nat.map_or(0, |(_, _, ports)| ports);
            format!(r#","natOverflow":{{"firstPort":{first},"ports":{ports},"blocks":1}}"#)
        });
        let exempt = if self.is_exempt { r#","natExempt":true"# } else { "" };
        let more = if self.more.is_empty() {
            String::new()
        } else {
            format!(r#","moreNetworks":{}"#, quoted(self.more))
        };
        let forwards =
            list("portForwards", &self.forwards.iter().map(|forward| forward.text()).collect::<Vec<_>>());
        [&rates, &six, firewall, &rules, &forwards, &lent, &one_to_one, exempt, &more, &voice, control]
            .concat()
    }

    /// What is blocked for all is not for the one device, or the other way round.
    pub(super) fn blocked(&self) -> Option<Blocked> {
        let names = |lists: &[&str]| lists.iter().map(|list| list.parse().expect("a name")).collect();
        let lists: BTreeSet<_> = names(self.control?);
        let others = if lists.is_empty() { names(&["games", "adult"]) } else { BTreeSet::new() };
        Some(Blocked::from([(None, others), (Some(self.station()), lists)]))
    }
}

impl Rule {
    fn text(&self, number: usize) -> String {
        let Self { is_out, allows, protocol, source, destination, source_ports, destination_ports } = *self;
        let direction = if is_out { "out" } else { "in" };
        let action = if allows { "allow" } else { "deny" };
        let mut fields = vec![format!(r#""name":"r{number}","direction":"{direction}","action":"{action}""#)];
        fields.extend(protocol.map(|protocol| format!(r#""protocol":{protocol}"#)));
        for (name, prefix) in [("source", source), ("destination", destination)] {
            fields.extend(prefix.map(|prefix| format!(r#""{name}":"{prefix}""#)));
        }
        for (name, ports) in [("sourcePorts", source_ports), ("destinationPorts", destination_ports)] {
            let range = |(first, last)| format!(r#""{name}":{{"first":{first},"last":{last}}}"#);
            fields.extend(ports.map(range));
        }
        format!("{{{}}}", fields.join(","))
    }
}

impl Forward {
    fn text(self) -> String {
        let Self { protocol, port, to } = self;
        let protocol = if protocol == 6 { "tcp" } else { "udp" };
        format!(r#"{{"protocol":"{protocol}","port":{port},"toPort":{to}}}"#)
    }
}

/// A field with a list in it, unless that is empty.
fn list(name: &str, of: &[String]) -> String {
    if of.is_empty() { String::new() } else { format!(r#","{name}":[{}]"#, of.join(",")) }
}

pub(super) fn quoted(words: &[&str]) -> String {
    format!("{words:?}")
}

pub(super) fn decoded(text: &str) -> Resource {
    Resource::decode(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
}
