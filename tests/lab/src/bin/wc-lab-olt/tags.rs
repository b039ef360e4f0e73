//! Two tags on, two tags off.

use net_types::Tpid;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TagPair {
    pub s_vid: u16,
    pub c_vid: u16,
}

/// Both Ethernet addresses.
const ADDRESSES: usize = 12;
const TAGS: usize = 8;
const VID_MASK: u16 = 0x0fff;
const DOT1Q: u16 = 0x8100;

impl TagPair {
    pub(crate) fn push(self, outer: Tpid, frame: &[u8]) -> Vec<u8> {
        let (addresses, rest) = frame.split_at(ADDRESSES.min(frame.len()));
        let words = [outer.ethertype(), self.s_vid, DOT1Q, self.c_vid].map(u16::to_be_bytes);
        [addresses, words.as_flattened(), rest].concat()
    }
}

/// The tags and the frame without them; `None` if it does not carry two.
pub(crate) fn pop(frame: &[u8]) -> Option<(TagPair, Vec<u8>)> {
    let word = |at: usize| Some(u16::from_be_bytes([*frame.get(at)?, *frame.get(at + 1)?]));
    let outer = word(ADDRESSES)?;
    if ![Tpid::Dot1ad.ethertype(), Tpid::Dot1q.ethertype()].contains(&outer) || word(ADDRESSES + 4)? != DOT1Q {
        return None;
    }
    let tags = TagPair { s_vid: word(ADDRESSES + 2)? & VID_MASK, c_vid: word(ADDRESSES + 6)? & VID_MASK };
    Some((tags, [&frame[..ADDRESSES], &frame[ADDRESSES + TAGS..]].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_popped() {
        let frame: Vec<u8> = (0..60).collect();
        let tags = TagPair { s_vid: 100, c_vid: 4094 };
        for outer in [Tpid::Dot1ad, Tpid::Dot1q] {
            let tagged = tags.push(outer, &frame);
            assert_eq!(tagged[12..20], [outer.ethertype().to_be_bytes(), [0, 100], [0x81, 0], [0x0f, 0xfe]].concat());
            assert_eq!(pop(&tagged), Some((tags, frame.clone())));
        }
        assert_eq!(pop(&frame), None);
        assert_eq!(pop(&[]), None);
    }
}
