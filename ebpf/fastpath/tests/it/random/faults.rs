//! What makes a good frame a bad one.

use crate::random::{dice::Random, office::LINES};

/// What stands at some place of a header and means something there.
const WORDS: [u16; 20] = [
    0, 1, 0xffff, 0x2000, 0x2001, 0x4000, 0x00b9, 0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8, 67, 68, 1024, 1500,
    0x4500, 0x4f00, 0x6000, 0x0806,
];

/// One to three faults; often with a header checksum that is right all the same.
pub(super) fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len().clamp(1, 90));
        match random.below(8) {
            0 => bytes.truncate(random.below(bytes.len() + 1)),
            1 => {
                let len = random.below(40);
                bytes.extend(random.bytes(len));
            }
            2 | 3 => {
                let word = random.of(&WORDS).to_be_bytes();
                if let Some(place) = bytes.get_mut(at & !1..(at & !1) + 2) {
                    place.copy_from_slice(&word);
                }
            }
            4 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
            5 => {
                // A tag too many.
                let tag = random.of(&[[0x81, 0, 0, 7], [0x88, 0xa8, 0, 100], [0x81, 0, 0, 0]]);
                let at = bytes.len().min(12);
                bytes.splice(at..at, tag);
            }
            6 => {
                let mac = if random.one_in(4) { [0; 6] } else { random.of(&LINES).mac };
                let at = random.of(&[0, 6]);
                if let Some(place) = bytes.get_mut(at..at + 6) {
                    place.copy_from_slice(&mac);
                }
            }
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.word().to_le_bytes()[0];
                }
            }
        }
    }
    if random.one_in(3) {
        return;
    }
    for at in [14, 18, 22] {
        if let Some(header) = bytes.get(at..).filter(|packet| packet.len() >= 20 && packet[0] >> 4 == 4) {
            let len = (usize::from(header[0] & 15) * 4).clamp(20, header.len());
            bytes[at + 10..at + 12].fill(0);
            let sum = packet_logic::checksum(&bytes[at..at + (len & !1)]);
            bytes[at + 10..at + 12].copy_from_slice(&sum.to_ne_bytes());
            return;
        }
    }
}
