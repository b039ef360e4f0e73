//! What lines have more for than others: in and out of the walled garden, what rules are about, calls, port forwards.

use std::net::IpAddr;

use super::{Frame, Generator, Way, from_core, packets};
use crate::random::office::{Line, RESOLVERS, RESOLVERS6, ip4, ip6};

/// By family: in the garden, and neither there nor anything else.
const GARDEN: [&str; 2] = ["192.0.9.9", "2606:4700:9::9"];
const ELSEWHERE: [&str; 2] = ["203.0.114.5", "2606:4700::1111"];
const PLATFORM: [&str; 2] = ["192.0.9.5", "2606:4700:5::5"];
/// That rules name, and others in the same prefixes.
const NAMED: [[&str; 4]; 2] = [
    ["8.8.8.8", "8.8.8.9", "9.9.9.9", "9.9.9.9"],
    ["2620:fe::9", "2620:fe::fe", "2620:fe::fe", "2606:4700::1111"],
];

/// A packet's remote end, the inside port, and whether it is a segment.
struct Wanted {
    remote: (IpAddr, u16),
    here: u16,
    is_tcp: bool,
}

impl Line {
    /// Whether it has anything that others have not.
    pub(super) fn is_special(&self) -> bool {
        self.is_in_garden()
            || !self.rules.is_empty()
            || self.voice.is_some()
            || self.control.is_some()
            || !self.forwards.is_empty()
            || self.one_to_one.is_some()
            || self.is_exempt
            || self.lent.is_some()
            || !self.more.is_empty()
            || self.bridged.is_some()
    }
}

impl Generator {
    fn wanted(&mut self, line: Line, is_v6: bool) -> Option<Wanted> {
        let which = usize::from(is_v6);
        let resolver = if is_v6 { self.random.of(&RESOLVERS6) } else { self.random.of(&RESOLVERS) };
        let (remote, there) = if line.is_in_garden() {
            let remote = self.random.of(&[GARDEN[which], resolver, resolver, ELSEWHERE[which]]);
            (remote, self.random.of(&[53, 53, 80, 80, 443, 7]))
        } else if line.voice.is_some() && self.random.one_in(2) {
            (PLATFORM[which], 5060)
        } else if !line.rules.is_empty() {
            let remote = if self.random.one_in(3) { ELSEWHERE[which] } else { self.random.of(&NAMED[which]) };
            (remote, self.random.of(&[25, 25, 53, 22, 5003]))
        } else {
            return None;
        };
        let here = if self.random.one_in(3) { 22 } else { self.random.port() };
        let remote = (remote.parse().expect("an address"), there);
        Some(Wanted { remote, here, is_tcp: self.random.one_in(2) })
    }

    fn between(&mut self, from: (IpAddr, u16), to: (IpAddr, u16), is_tcp: bool) -> Vec<u8> {
        let (ttl, flags) = (self.ttl(), self.random.of(&[2, 2, 16, 17, 4]));
        let mut packet = if is_tcp {
            packets::segment(from, to, ttl, flags, b"")
        } else {
            packets::udp(from, to, ttl, b"whatever it is")
        };
        self.set_mark(&mut packet);
        packet
    }

    pub(super) fn wanted_from(&mut self, line: Line, from: IpAddr) -> Option<Vec<u8>> {
        let Wanted { remote, here, is_tcp } = self.wanted(line, from.is_ipv6())?;
        Some(self.between((from, here), remote, is_tcp))
    }

    /// What comes to a line from there; of one behind NAT, by a port forward.
    pub(super) fn wanted_to(&mut self, line: Line, is_v6: bool) -> Option<Frame> {
        let (to, mut wanted) = match line.nat.filter(|_| !is_v6) {
            Some((public, ..)) => {
                let forward = *line.forwards.first()?;
                let forward = if self.random.one_in(2) { forward } else { *line.forwards.last()? };
                let remote = self.random.of(&NAMED[0]);
                let remote = (remote.parse().expect("an address"), self.random.port());
                let is_tcp = (forward.protocol == 6) != self.random.one_in(8);
                (ip4(public), Wanted { remote, here: forward.port, is_tcp })
            }
            None if is_v6 => (ip6(self.own6(line)), self.wanted(line, true)?),
            None => (ip4(line.public().unwrap_or(line.network.0)), self.wanted(line, false)?),
        };
        if self.random.one_in(4) {
            wanted.remote.0 = ELSEWHERE[usize::from(is_v6)].parse().expect("an address");
        }
        let Wanted { remote, here, is_tcp } = wanted;
        let packet = self.between(remote, (to, here), is_tcp);
        let by = self.core_port(remote.0);
        let ethertype = if is_v6 { 0x86dd } else { 0x0800 };
        Some(Frame { way: Way::Down, by, bytes: from_core(by, ethertype, &packet) })
    }
}
