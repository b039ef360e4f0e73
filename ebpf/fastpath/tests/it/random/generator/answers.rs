//! What answers a frame that was forwarded: the other end's packet back, or an error about it.

use etherparse::Ipv4Header;

use super::{Frame, Generator, Way, from_core};
use crate::{
    frames::{self, with_header},
    random::{office::CORE, view::Framed},
    six,
};

impl Generator {
    /// One of the answers that are due, once in so many times.
    pub(super) fn answer_of(&mut self, way: Way, times: usize) -> Option<Frame> {
        let due = &self.answers[way as usize];
        if due.is_empty() || !self.random.one_in(times) {
            return None;
        }
        let which = self.random.below(due.len());
        let (mut answer, rest) = self.answers[way as usize][which].clone();
        if way == Way::Down && self.random.one_in(12) {
            answer.by = self.random.below(CORE.len());
            answer.bytes[..6].copy_from_slice(&CORE[answer.by].mac);
        }
        self.rest = rest;
        Some(answer)
    }

    /// A frame left by this port: what comes back may be its answer, or an error about it.
    pub(in crate::random) fn forwarded(&mut self, way: Way, by: usize, out: &[u8]) {
        const KEPT: usize = 64;
        if !self.random.one_in(2) {
            return;
        }
        let Some(bytes) = self.answer(way, by, out) else { return };
        let parts = if self.random.one_in(6) { in_parts(&bytes) } else { None };
        let (first, later) = parts.map_or((bytes, None), |[first, later]| (first, Some(later)));
        let frame = |bytes| Frame { way, by, bytes };
        let answer = (frame(first), later.map(frame));
        let due = &mut self.answers[way as usize];
        if due.len() < KEPT {
            due.push(answer);
        } else {
            due[self.random.below(KEPT)] = answer;
        }
    }

    fn answer(&mut self, way: Way, by: usize, out: &[u8]) -> Option<Vec<u8>> {
        let Framed { ethertype, packet_at, .. } = Framed::read(out);
        let packet = self.turned(out.get(packet_at..)?)?;
        Some(match way {
            Way::Down => from_core(by, ethertype, &packet),
            Way::Up => [&out[6..12], &out[..6], &out[12..packet_at], &packet].concat(),
        })
    }

    fn turned(&mut self, packet: &[u8]) -> Option<Vec<u8>> {
        let mut turned = packet.to_vec();
        if packet.first()? >> 4 == 6 {
            turned.get_mut(8..40)?.rotate_left(16);
            turned[7] = 64;
            self.set_mark(&mut turned);
            if self.random.one_in(4) {
                let address = |at: usize| turned.get(at..at + 16)?.try_into().ok();
                let quoted = &packet[..packet.len().min(1200)];
                return Some(six::icmp(address(8)?, address(24)?, 64, 1, quoted));
            }
            if matches!(packet[6], 6 | 17) {
                turned.get_mut(40..44)?.rotate_left(2);
            } else if packet[6] == 44 && packet.get(40..44)? == [17, 0, 0, 1] {
                turned.get_mut(48..52)?.rotate_left(2);
            } else if packet[6] == 58 && packet.get(40) == Some(&128) {
                turned[40] = 129;
            }
            return Some(turned);
        }
        turned.get_mut(12..20)?.rotate_left(4);
        let ends: [u8; 8] = turned[12..20].try_into().ok()?;
        let [a, b, c, d, e, f, g, h] = ends;
        if self.random.one_in(4) {
            return Some(frames::unreachable([a, b, c, d], [e, f, g, h], 64, packet));
        }
        let payload = usize::from(packet[0] & 15) * 4;
        if matches!(packet[9], 6 | 17) {
            turned.get_mut(payload..payload + 4)?.rotate_left(2);
        } else if packet[9] == 1 && packet.get(payload) == Some(&8) {
            turned[payload] = 0;
        }
        turned[8] = 64;
        turned[1] = self.mark();
        turned[10..12].fill(0);
        let sum = packet_logic::checksum(&turned[..payload]);
        turned[10..12].copy_from_slice(&sum.to_ne_bytes());
        Some(turned)
    }
}

/// The first fragment of a packet, and a later one.
fn in_parts(frame: &[u8]) -> Option<[Vec<u8>; 2]> {
    let Framed { ethertype, packet_at, .. } = Framed::read(frame);
    let (header, packet) = frame.split_at_checked(packet_at)?;
    let parts = if ethertype == 0x0800 { parts4(packet)? } else { parts6(packet)? };
    Some(parts.map(|part| [header, &part].concat()))
}

fn parts4(packet: &[u8]) -> Option<[Vec<u8>; 2]> {
    let (header, rest) = Ipv4Header::from_slice(packet).ok()?;
    let total = usize::from(header.total_len).checked_sub(header.header_len())?;
    let packet = &packet[..packet.len() - rest.len().checked_sub(total)?];
    let first = with_header(packet, |header| header.more_fragments = true);
    let later = with_header(packet, |header| header.fragment_offset = 40.try_into().expect("13 bits"));
    (!header.is_fragmenting_payload()).then_some([first, later])
}

fn parts6(packet: &[u8]) -> Option<[Vec<u8>; 2]> {
    let address = |at: usize| packet.get(at..at + 16)?.try_into().ok();
    let (source, to, rest) = (address(8)?, address(24)?, packet.get(40..)?);
    let first = six::fragment(source, to, 0, true, rest);
    let later = six::fragment(source, to, 2, false, b"the rest");
    // What the fragments say they are of.
    (packet[6] == 17).then_some([first, later])
}
