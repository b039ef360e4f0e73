//! IPv6.

use super::{Generator, packets};
use crate::{
    random::office::{Line, ip6},
    six,
};

impl Generator {
    pub(super) fn six(&mut self, line: Line) -> Vec<u8> {
        let (source, to) = (self.own6(line), self.remote6());
        self.six_between(source, to)
    }

    pub(super) fn six_between(&mut self, source: [u8; 16], to: [u8; 16]) -> Vec<u8> {
        let (here, there, hops) = (self.random.port(), self.random.port(), self.ttl());
        let payload = self.payload();
        let inner = six::udp((source, here), (to, there), 64, &payload);
        let options: &[u8] = &[0, 1, 4, 0, 0, 0, 0];
        let mut packet = match self.random.below(12) {
            0..=2 => six::udp((source, here), (to, there), hops, &payload),
            3 | 4 => {
                let flags = self.random.of(&[2, 2, 16, 17, 4]);
                packets::segment((ip6(source), here), (ip6(to), there), hops, flags, b"")
            }
            5 => six::ping(source, to, hops, self.random.one_in(3)),
            6 => {
                let kind = self.random.of(&[1, 2, 3, 4, 133, 134, 135, 136, 137]);
                six::icmp(source, to, 255, kind, &payload)
            }
            7 => six::icmp(source, to, hops, 3, &six::udp((to, there), (source, here), 64, b"quoted")),
            8 => {
                let kinds = [(0, options), (60, options), (43, options), (51, options), (60, options)];
                let count = 1 + self.random.below(5);
                six::extended(source, to, &kinds[..count], &inner[40..])
            }
            9 | 10 => {
                let offset = self.random.of(&[0, 0, 2]);
                six::fragment(source, to, offset, offset == 0 || self.random.one_in(2), &inner[40..])
            }
            _ => six::udp((source, 546), (six::address("ff02::1:2"), 547), hops, &payload),
        };
        self.set_mark(&mut packet);
        packet
    }
}
