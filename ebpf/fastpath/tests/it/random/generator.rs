//! Frames: of every protocol that is known here, right, nearly right, and not at all.

use crate::{
    frames::{self, Address, with_header},
    random::{
        faults,
        office::{LINES, Line},
    },
    six,
    world::{CORE_MAC, GATEWAY_MAC},
};

/// Splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// Less than `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.word() % limit as u64).expect("small")
    }

    /// Once in so many times.
    pub(super) fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(super) fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    pub(super) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.word().to_le_bytes()[0]).collect()
    }

    fn port(&mut self) -> u16 {
        let [low, high, ..] = self.word().to_le_bytes();
        match self.below(4) {
            0 => self.of(&[0, 53, 67, 68, 80, 546, 547, 1024, 1087, 1152, 2048, 65535]),
            // Few, so that flows come again.
            1 | 2 => 5000 + u16::from(low % 32),
            _ => u16::from_be_bytes([high, low]),
        }
    }
}

/// Which port a frame comes in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) way: Way,
    pub(super) bytes: Vec<u8>,
}

const REMOTES: [Address; 4] = [[192, 0, 9, 9], [8, 8, 8, 8], [9, 9, 9, 9], [192, 0, 2, 1]];
const REMOTE6: &str = "2606:4700::1111";
/// Addresses that something is the matter with.
const ODD: [Address; 11] = [
    [0, 0, 0, 0],
    [127, 0, 0, 1],
    [224, 0, 0, 1],
    [255, 255, 255, 255],
    [169, 254, 1, 1],
    [192, 0, 2, 2],
    [100, 64, 0, 1],
    [203, 0, 113, 9],
    [203, 0, 113, 200],
    [198, 51, 100, 1],
    [198, 51, 100, 77],
];
const ODD6: [&str; 9] = [
    "::",
    "::1",
    "ff02::1",
    "ff02::1:2",
    "ff02::2",
    "fe80::1",
    "fe80::ac:ff:fe00:1",
    "2001:db8:1ff::1",
    "::ffff:192.0.2.1",
];
/// Makes frames, and answers what went out.
pub(super) struct Generator {
    pub(super) random: Random,
    /// Packets that answer what went out of late.
    answers: Vec<Vec<u8>>,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random(seed), answers: Vec::new() }
    }

    pub(super) fn frame(&mut self) -> Frame {
        let way = if self.random.one_in(3) { Way::Down } else { Way::Up };
        let mut bytes = match way {
            _ if self.random.one_in(40) => {
                let len = 14 + self.random.below(300);
                self.random.bytes(len)
            }
            Way::Up => self.line_frame(),
            Way::Down => self.core_frame(),
        };
        if self.random.one_in(2) {
            faults::mutate(&mut self.random, &mut bytes);
        }
        // The kernel takes no shorter frames for a run.
        bytes.resize(bytes.len().max(14), 0);
        Frame { way, bytes }
    }

    fn remote(&mut self) -> Address {
        let line = self.random.of(&LINES);
        match self.random.below(8) {
            0 => self.random.of(&ODD),
            1 => line.network.0,
            2 => line.nat.map_or(line.gateway, |nat| nat.0),
            3 => line.gateway,
            _ => self.random.of(&REMOTES),
        }
    }

    fn remote6(&mut self) -> [u8; 16] {
        let line = self.random.of(&LINES);
        match (self.random.below(6), line.six) {
            (0, _) => six::address(self.random.of(&ODD6)),
            (1, Some(_)) => self.own6(line),
            _ => six::address(REMOTE6),
        }
    }

    /// An address of the line's own.
    fn own6(&mut self, line: Line) -> [u8; 16] {
        let (on_link, delegated) = line.six.unwrap_or(("fe80::", "2001:db8::"));
        let mut address = six::address(if self.random.one_in(3) { delegated } else { on_link });
        address[15] = 5;
        address
    }

    fn ttl(&mut self) -> u8 {
        self.random.of(&[0, 1, 2, 64, 64, 64, 64, 255])
    }

    fn payload(&mut self) -> Vec<u8> {
        let len = self.random.of(&[0, 1, 5, 22, 22, 100, 240, 1400, 1472, 1480]);
        self.random.bytes(len)
    }

    fn line_frame(&mut self) -> Vec<u8> {
        let line = self.random.of(&LINES);
        let outer = self.random.of(&[0x88a8, 0x88a8, 0x88a8, 0x8100]);
        let (ethertype, packet) = match self.random.below(10) {
            0 => (0x0806, self.arp(line)),
            1..=3 if line.six.is_some() || self.random.one_in(8) => (0x86dd, self.six(line)),
            _ => (0x0800, self.four(line)),
        };
        let mut frame = line.header(outer, ethertype);
        frame.extend(packet);
        frame
    }

    fn arp(&mut self, line: Line) -> Vec<u8> {
        let target = if self.random.one_in(4) { self.remote() } else { line.gateway };
        let mut arp = vec![0, 1, 8, 0, 6, 4, 0, self.random.of(&[1, 1, 1, 2])];
        arp.extend([&line.mac[..], &line.network.0, &[0; 6], &target].concat());
        arp
    }

    fn four(&mut self, line: Line) -> Vec<u8> {
        let (source, to, ttl) = (line.network.0, self.remote(), self.ttl());
        let (here, there) = (self.random.port(), self.random.port());
        let payload = self.payload();
        let packet = match self.random.below(10) {
            0..=2 => frames::udp((source, here), (to, there), ttl, &payload),
            3..=5 => {
                let mut tcp = frames::tcp((source, here), (to, there), ttl, &payload);
                // The checksum is wrong then, which is for the ends to find out.
                tcp[33] = self.random.of(&[2, 0x10, 0x11, 0x12, 0x14, 0x18]);
                tcp
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

    /// Options, fragments, another protocol.
    fn rework(&mut self, packet: &[u8]) -> Vec<u8> {
        let options = self.random.of(&[0, 0, 0, 1, 2, 10]);
        let fragment = self.random.below(8);
        let (dont, id) = (self.random.one_in(3), u16::try_from(self.random.below(4)).expect("small"));
        let other = self.random.one_in(30);
        with_header(packet, |header| {
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

    fn six(&mut self, line: Line) -> Vec<u8> {
        let (source, to) = (self.own6(line), self.remote6());
        self.six_between(source, to)
    }

    fn six_between(&mut self, source: [u8; 16], to: [u8; 16]) -> Vec<u8> {
        let (here, there, hops) = (self.random.port(), self.random.port(), self.ttl());
        let payload = self.payload();
        let inner = six::udp((source, here), (to, there), 64, &payload);
        let options: &[u8] = &[0, 1, 4, 0, 0, 0, 0];
        match self.random.below(12) {
            0..=2 => six::udp((source, here), (to, there), hops, &payload),
            3 | 4 => six::tcp((source, here), (to, there), hops),
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
        }
    }

    fn core_frame(&mut self) -> Vec<u8> {
        if !self.answers.is_empty() && self.random.one_in(2) {
            let which = self.random.below(self.answers.len());
            return self.answers[which].clone();
        }
        let line = self.random.of(&LINES);
        let ethernet = |ethertype: [u8; 2]| [&CORE_MAC[..], &GATEWAY_MAC, &ethertype].concat();
        if line.six.is_some() && self.random.one_in(3) {
            let (from, to) = (self.remote6(), self.own6(line));
            return [ethernet([0x86, 0xdd]), self.six_between(from, to)].concat();
        }
        let from = self.remote();
        let to = line.nat.map_or(line.network.0, |nat| nat.0);
        let to = if self.random.one_in(12) { self.random.of(&ODD) } else { to };
        let port = line.nat.map_or(5000, |(_, first, ports)| {
            first + u16::try_from(self.random.below(usize::from(ports))).expect("a port")
        });
        let (there, ttl) = (self.random.port(), self.ttl());
        let payload = self.payload();
        let packet = match self.random.below(6) {
            0 | 1 => frames::udp((from, there), (to, port), ttl, &payload),
            2 => frames::tcp((from, there), (to, port), ttl, &payload),
            3 => frames::echo_reply(from, to, port, ttl),
            4 => frames::echo_request(from, to, port, ttl),
            _ => frames::unreachable(from, to, ttl, &frames::udp((to, port), (from, there), 9, b"quoted")),
        };
        [ethernet([8, 0]), self.rework(&packet)].concat()
    }

    /// A frame went out by the core port: what comes back may be its answer, or an error about it.
    pub(super) fn went_out(&mut self, out: &[u8]) {
        const KEPT: usize = 64;
        if !self.random.one_in(2) {
            return;
        }
        let Some(answer) = self.answer(out) else { return };
        if self.answers.len() < KEPT {
            self.answers.push(answer);
        } else {
            let which = self.random.below(KEPT);
            self.answers[which] = answer;
        }
    }

    fn answer(&mut self, out: &[u8]) -> Option<Vec<u8>> {
        let mut answer = [&CORE_MAC[..], &GATEWAY_MAC, &out[12..14]].concat();
        let mut packet = out[14..].to_vec();
        if out[12..14] == [0x86, 0xdd] {
            let (source, to) = (packet.get(8..24)?.to_vec(), packet.get(24..40)?.to_vec());
            packet[8..24].copy_from_slice(&to);
            packet[24..40].copy_from_slice(&source);
            if matches!(packet[6], 6 | 17) {
                swap_ports(&mut packet, 40)?;
            } else if packet[6] == 58 && packet.get(40) == Some(&128) {
                packet[40] = 129;
            }
            answer.extend(packet);
            return Some(answer);
        }
        let source: Address = packet.get(12..16)?.try_into().ok()?;
        let to: Address = packet.get(16..20)?.try_into().ok()?;
        if self.random.one_in(4) {
            answer.extend(frames::unreachable(to, source, 64, &packet));
            return Some(answer);
        }
        packet[12..16].copy_from_slice(&to);
        packet[16..20].copy_from_slice(&source);
        let payload = usize::from(packet[0] & 15) * 4;
        if matches!(packet[9], 6 | 17) {
            swap_ports(&mut packet, payload)?;
        } else if packet[9] == 1 && packet.get(payload) == Some(&8) {
            packet[payload] = 0;
        }
        answer.extend(packet);
        Some(answer)
    }
}

fn swap_ports(packet: &mut [u8], at: usize) -> Option<()> {
    let ports = packet.get_mut(at..at + 4)?;
    ports.rotate_left(2);
    Some(())
}
