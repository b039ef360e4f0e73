//! Queries, over UDP and TCP, and what goes to encrypted resolvers.

use std::net::IpAddr;

use super::{Generator, packets};
use crate::random::office::{ip4, ip6};

/// Blocked on one list or the other, on both, and on none.
const NAMES: [&str; 14] = [
    "games.example",
    "www.games.example",
    "WwW.GaMeS.eXaMpLe",
    "a.b.c.d.e.f.g.h.i.j.k.games.example",
    "arcade.games.example",
    "x.play.test",
    "adult.example",
    "free.example",
    "free.example",
    "xgames.example",
    "games.example.org",
    "example",
    "test",
    "",
];

impl Generator {
    /// Another end of the same family.
    fn other_end(&mut self, from: IpAddr) -> IpAddr {
        if from.is_ipv4() { ip4(self.remote()) } else { ip6(self.remote6()) }
    }

    fn message(&mut self) -> Vec<u8> {
        let name = self.random.of(&NAMES);
        let id = self.random.bytes(2);
        let mut message = vec![id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.').filter(|label| !label.is_empty()) {
            message.push(u8::try_from(label.len()).expect("a label"));
            message.extend(label.bytes());
        }
        message.extend([0, 0, self.random.of(&[1, 28, 65]), 0, 1]);
        if self.random.one_in(3) {
            message[11] = 1;
            message.extend([0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0]);
        }
        if self.random.one_in(6) {
            let (at, value) = self.random.of(&[(5, 2), (5, 0), (2, 0x81), (12, 0xc0), (12, 63), (4, 1)]);
            message[at] = value;
        }
        if self.random.one_in(10) {
            message.truncate(self.random.below(message.len() + 1));
        }
        message
    }

    pub(super) fn query(&mut self, from: IpAddr) -> Vec<u8> {
        let (to, port, ttl) = (self.other_end(from), self.random.port(), self.ttl());
        let message = self.message();
        if self.random.one_in(3) {
            let len = u16::try_from(message.len()).expect("short");
            let mut framed = [&len.to_be_bytes()[..], &message].concat();
            match self.random.below(6) {
                0 => framed.clear(),
                1 => framed.truncate(self.random.below(framed.len())),
                _ => {}
            }
            let flags = self.random.of(&[2, 16, 16, 16, 17, 4]);
            return packets::segment((from, port), (to, 53), ttl, flags, &framed);
        }
        packets::udp((from, port), (to, 53), ttl, &message)
    }

    /// To a port of encrypted resolvers, at a known one or not.
    pub(super) fn encrypted(&mut self, from: IpAddr) -> Vec<u8> {
        let known =
            if from.is_ipv4() { ip4([1, 1, 1, 1]) } else { ip6(crate::six::address("2606:4700:4700::1111")) };
        let to = if self.random.one_in(3) { self.other_end(from) } else { known };
        let (here, there, ttl) = (self.random.port(), self.random.of(&[443, 443, 853]), self.ttl());
        if self.random.one_in(3) {
            let mut payload = self.payload();
            payload.insert(0, self.random.of(&[0xc3, 0xc3, 0x43]));
            payload.truncate(1400);
            return packets::udp((from, here), (to, there), ttl, &payload);
        }
        let flags = self.random.of(&[2, 2, 16, 18, 4]);
        packets::segment((from, here), (to, there), ttl, flags, b"")
    }
}
