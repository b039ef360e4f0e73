//! Frames: of every protocol that is known here, right, nearly right, and not at all.

mod answers;
mod dhcp;
mod dns;
mod four;
mod packets;
mod six;
mod wanted;

use std::net::IpAddr;

use crate::random::{
    dice::Random,
    faults,
    office::{CORE, LINES, Line, Target, ip4, ip6, route},
};

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Up,
    Down,
}

#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) way: Way,
    /// Which of the access ports, or of the core ports, it comes in by.
    pub(super) by: usize,
    pub(super) bytes: Vec<u8>,
}

/// In the garden, a platform, resolvers, encrypted ones, and others.
const REMOTES: [[u8; 4]; 9] = [
    [192, 0, 9, 9],
    [192, 0, 9, 5],
    [192, 0, 9, 5],
    [8, 8, 8, 8],
    [8, 8, 8, 9],
    [9, 9, 9, 9],
    [1, 1, 1, 1],
    [192, 0, 2, 1],
    [203, 0, 114, 5],
];
const REMOTES6: [&str; 6] = [
    "2606:4700::1111",
    "2606:4700:9::9",
    "2606:4700:5::5",
    "2620:fe::fe",
    "2620:fe::9",
    "2606:4700:4700::1111",
];
/// Addresses that something is the matter with.
const ODD: [[u8; 4]; 11] = [
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

/// Makes frames, and answers what went out and came in.
pub(super) struct Generator {
    pub(super) random: Random,
    /// What answers others that were forwarded of late, from lines and from the core: a frame, or two fragments.
    answers: [Vec<(Frame, Option<Frame>)>; 2],
    /// The rest of what was begun.
    rest: Option<Frame>,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random(seed), answers: [Vec::new(), Vec::new()], rest: None }
    }

    pub(super) fn frame(&mut self) -> Frame {
        if let Some(rest) = self.rest.take() {
            return rest;
        }
        let way = if self.random.one_in(3) { Way::Down } else { Way::Up };
        let mut frame = match way {
            _ if self.random.one_in(40) => {
                let len = 14 + self.random.below(300);
                Frame { way, by: self.random.below(2), bytes: self.random.bytes(len) }
            }
            Way::Up => self.line_frame(),
            Way::Down => self.core_frame(),
        };
        if self.random.one_in(3) {
            faults::mutate(&mut self.random, &mut frame.bytes);
        }
        // The kernel takes no shorter frames for a run.
        frame.bytes.resize(frame.bytes.len().max(14), 0);
        frame
    }

    /// Any, and those oftener that have more than others.
    fn line(&mut self) -> Line {
        let mut line = self.random.of(&LINES);
        for _ in 0..2 {
            if !line.is_special() {
                line = self.random.of(&LINES);
            }
        }
        line
    }

    fn remote(&mut self) -> [u8; 4] {
        let line = self.random.of(&LINES);
        match self.random.below(12) {
            0 => self.random.of(&ODD),
            1 => line.network.0,
            2 => line.nat.map_or(line.gateway, |nat| nat.0),
            3 => line.gateway,
            _ => self.random.of(&REMOTES),
        }
    }

    fn remote6(&mut self) -> [u8; 16] {
        let line = self.random.of(&LINES);
        match (self.random.below(8), line.six) {
            (0, _) => crate::six::address(self.random.of(&ODD6)),
            (1, Some(_)) => self.own6(line),
            _ => crate::six::address(self.random.of(&REMOTES6)),
        }
    }

    /// An address of the line's own.
    fn own6(&mut self, line: Line) -> [u8; 16] {
        let (on_link, delegated) = line.six.unwrap_or(("fe80::", "2001:db8::"));
        let mut address = crate::six::address(if self.random.one_in(3) { delegated } else { on_link });
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

    fn line_frame(&mut self) -> Frame {
        if let Some(answer) = self.answer_of(Way::Up, 6) {
            return answer;
        }
        let line = self.line();
        let is_v6 = line.six.is_some() && self.random.one_in(3) || self.random.one_in(20);
        let here: IpAddr = if is_v6 { ip6(self.own6(line)) } else { ip4(line.network.0) };
        let is_about_names = line.control.is_some() && self.random.one_in(2);
        let wanted = if self.random.one_in(2) { self.wanted_from(line, here) } else { None };
        let packet = match (self.random.below(24), wanted) {
            (0, _) => self.arp(line),
            (1, _) => self.dhcp(line),
            (2, _) => self.query(here),
            (3, _) => self.encrypted(here),
            (4..8, _) if is_about_names => self.encrypted(here),
            (8.., _) if is_about_names => self.query(here),
            (_, Some(wanted)) => wanted,
            _ if is_v6 => self.six(line),
            _ => self.four(line),
        };
        let ethertype = match packet.first().map_or(0, |byte| byte >> 4) {
            6 => 0x86dd,
            4 => 0x0800,
            _ => 0x0806,
        };
        let outer = self.random.of(&[0x88a8, 0x88a8, 0x88a8, 0x8100]);
        let outer = if line.tags.len() == 1 { 0x8100 } else { outer };
        let mut bytes = line.header(outer, ethertype);
        if !line.tags.is_empty() && self.random.one_in(2) {
            bytes[14] |= u8::try_from(self.random.below(8)).expect("three bits") << 5;
        }
        // ARP and DHCP mostly are for all on the link.
        if self.random.one_in(if ethertype == 0x0806 { 2 } else { 12 }) {
            let groups = [[0xff; 6], [1, 0, 0x5e, 0, 0, 0xfb], [0x33, 0x33, 0, 0, 0, 2]];
            bytes[..6].copy_from_slice(&self.random.of(&groups));
        }
        bytes.extend(packet);
        Frame { way: Way::Up, by: line.port, bytes }
    }

    fn arp(&mut self, line: Line) -> Vec<u8> {
        let target = if self.random.one_in(4) { self.remote() } else { line.gateway };
        let mut arp = vec![0, 1, 8, 0, 6, 4, 0, self.random.of(&[1, 1, 1, 2])];
        arp.extend([&line.mac[..], &line.network.0, &[0; 6], &target].concat());
        arp
    }

    fn core_frame(&mut self) -> Frame {
        if let Some(answer) = self.answer_of(Way::Down, 2) {
            return answer;
        }
        let line = self.line();
        let is_v6 = line.six.is_some() && self.random.one_in(3);
        if self.random.one_in(2)
            && let Some(frame) = self.wanted_to(line, is_v6)
        {
            return frame;
        }
        let (packet, from, ethertype) = if is_v6 {
            let (from, to) = (self.remote6(), self.own6(line));
            (self.six_between(from, to), ip6(from), 0x86dd)
        } else {
            let from = self.remote();
            (self.four_to(line, from), ip4(from), 0x0800)
        };
        let by = self.core_port(from);
        Frame { way: Way::Down, by, bytes: from_core(by, ethertype, &packet) }
    }

    /// The core port that what comes from there comes in by, or any.
    fn core_port(&mut self, from: IpAddr) -> usize {
        match route(from) {
            Target::Core(port) if !self.random.one_in(4) => port,
            _ => self.random.below(CORE.len()),
        }
    }
}

fn from_core(by: usize, ethertype: u16, packet: &[u8]) -> Vec<u8> {
    [&CORE[by].mac[..], &CORE[by].router, &ethertype.to_be_bytes(), packet].concat()
}
