//! IPv4.

use super::{Generator, packets};
use crate::{
    frames::{self, with_header},
    random::office::{Line, ip4},
};

/// Flags of segments: SYN, ACK, FIN, RST and pairs of them.
const FLAGS: [u8; 8] = [2, 2, 0x10, 0x10, 0x11, 0x12, 0x14, 0x18];
/// Types of service: none mostly, those of voice, of others, with congestion met.
const MARKS: [u8; 8] = [0, 0, 0, 46 << 2, 46 << 2 | 3, 34 << 2, 1, 0xff];

impl Generator {
    pub(super) fn mark(&mut self) -> u8 {
        self.random.of(&MARKS)
    }

    /// Gives a packet of either family one.
    pub(super) fn set_mark(&mut self, packet: &mut Vec<u8>) {
        let mark = self.mark();
        if packet[0] >> 4 == 6 {
            packet[0] = 0x60 | mark >> 4;
            packet[1] = packet[1] & 0x0f | mark << 4;
        } else {
            *packet = with_header(packet, |header| {
                header.dscp = (mark >> 2).try_into().expect("six bits");
                header.ecn = (mark & 3).try_into().expect("two bits");
            });
        }
    }

    pub(super) fn four(&mut self, line: Line) -> Vec<u8> {
        let (source, to, ttl) = (self.own4(line), self.remote_of(line), self.ttl());
        let (here, there) = (self.random.port(), self.random.port());
        let here = match line.forwards {
            [] => here,
            forwards if self.random.one_in(6) => self.random.of(forwards).to,
            _ => here,
        };
        let payload = self.payload();
        let packet = match self.random.below(10) {
            0..=2 => frames::udp((source, here), (to, there), ttl, &payload),
            3..=5 => {
                let flags = self.random.of(&FLAGS);
                packets::segment((ip4(source), here), (ip4(to), there), ttl, flags, &payload)
            }
            6 => frames::echo_request(source, to, here, ttl),
            7 => frames::udp(([0; 4], 68), ([255; 4], 67), ttl, &payload),
            8 => {
                frames::unreachable(source, to, ttl, &frames::udp((to, there), (source, here), 64, b"quoted"))
            }
            _ => frames::echo_reply(source, to, here, ttl),
        };
        self.rework(&packet)
    }

    /// To a line from outside.
    pub(super) fn four_to(&mut self, line: Line, from: [u8; 4]) -> Vec<u8> {
        let to = match line.public() {
            Some(public) if !line.is_exempt || self.random.one_in(2) => public,
            _ => self.own4(line),
        };
        let to = if self.random.one_in(12) { self.random.of(&super::ODD) } else { to };
        let port = match line.nat {
            Some(_) if !line.forwards.is_empty() && self.random.one_in(3) => {
                self.random.of(line.forwards).port
            }
            Some(_) => {
                let (first, ports) = self.random.of(&line.blocks());
                first + u16::try_from(self.random.below(usize::from(ports))).expect("a port")
            }
            None => self.random.port(),
        };
        let (there, ttl) = (self.random.port(), self.ttl());
        let payload = self.payload();
        let packet = match self.random.below(6) {
            0 | 1 => frames::udp((from, there), (to, port), ttl, &payload),
            2 => {
                let flags = self.random.of(&FLAGS);
                packets::segment((ip4(from), there), (ip4(to), port), ttl, flags, &payload)
            }
            3 => frames::echo_reply(from, to, port, ttl),
            4 => frames::echo_request(from, to, port, ttl),
            _ => frames::unreachable(from, to, ttl, &frames::udp((to, port), (from, there), 9, b"quoted")),
        };
        self.rework(&packet)
    }

    /// Options, fragments, another protocol, a mark.
    fn rework(&mut self, packet: &[u8]) -> Vec<u8> {
        let options = self.random.of(&[0, 0, 0, 1, 2, 10]);
        let fragment = self.random.below(16);
        let (dont, id) = (self.random.one_in(3), u16::try_from(self.random.below(4)).expect("small"));
        let other = self.random.one_in(30);
        let mark = self.mark();
        with_header(packet, |header| {
            header.dscp = (mark >> 2).try_into().expect("six bits");
            header.ecn = (mark & 3).try_into().expect("two bits");
            header.options = vec![1_u8; options * 4].as_slice().try_into().expect("forty bytes at most");
            header.dont_fragment = dont;
            header.identification = id;
            if other {
                header.protocol = 47.into();
            }
            match fragment {
                0 => header.more_fragments = true,
                1 => header.fragment_offset = 3.try_into().expect("13 bits"),
                2 => header.fragment_offset = 1.try_into().expect("13 bits"),
                _ => {}
            }
        })
    }
}
