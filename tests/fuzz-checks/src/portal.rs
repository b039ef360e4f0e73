//! What the portal says to whoever asks for a web page.

use std::{
    hash::{BuildHasherDefault, DefaultHasher},
    net::{Ipv4Addr, Ipv6Addr},
};

use access_protocols::{
    ETHERTYPE_IPV4, ETHERTYPE_IPV6, Frame, Ipv4, Ipv4Header, Ipv6, Ipv6Header, PROTOCOL_TCP, Tag, Tags,
    portal::{self, Context, Silence},
};

const HEADER_LEN: usize = 20;
/// With more, a segment would not fit in a frame.
const SEGMENT_MAX: usize = 1400;
/// What fits in one segment to any host, with the header.
const ANSWER_MAX: usize = 536 + HEADER_LEN;

const RST: u8 = 4;

/// The first byte says what the rest is. 0: a whole frame. Else a TCP segment, which is put into a packet of IPv4 (odd) or
/// IPv6 (even) and given its checksum, and the number to acknowledge that the portal expects, if bit 1 is set at the
/// beginning of what it says, if bit 2 is set at the end.
pub fn fuzz_portal(bytes: &[u8]) {
    if let Some(frame) = sent(bytes) {
        check(&frame);
    }
}

fn sent(bytes: &[u8]) -> Option<Vec<u8>> {
    let (&choice, rest) = bytes.split_first()?;
    if choice == 0 {
        return Some(rest.to_vec());
    }
    let mut segment = rest[..rest.len().min(SEGMENT_MAX)].to_vec();
    let header = rest.get(..HEADER_LEN)?;
    let is_four = choice & 1 != 0;
    if choice & 6 != 0
        && let Some((begin, end)) = expected(is_four, header)
    {
        let number = if choice & 2 != 0 { begin } else { end };
        segment[8..12].copy_from_slice(&number.to_be_bytes());
    }
    Some(frame(is_four, &segment))
}

/// A frame and, if it is answered, the answer.
fn check(asked: &[u8]) {
    let Ok(reply) = answer(asked) else { return };
    let (to, from) = (Frame::parse(asked).expect("a frame"), Frame::parse(&reply).expect("a frame"));
    assert_eq!((from.destination, from.source, from.tags), (to.source, to.destination, to.tags));
    let (question, said) = (segment_of(&to), segment_of(&from));
    assert!(said.len() <= ANSWER_MAX, "{} bytes", said.len());
    assert_eq!((&said[..2], &said[2..4]), (&question[2..4], &question[..2]), "the ports change places");
    assert_eq!(question[13] & RST, 0, "a reset is not answered");
    let is_request = usize::from(question[12] >> 4) * 4 < question.len();
    let has_text = usize::from(said[12] >> 4) * 4 < said.len();
    assert!(!has_text || is_request, "who says nothing is told nothing");
    // What comes of an answer that comes back ends.
    if said[13] & RST != 0 {
        answer(&reply).expect_err("a reset is not answered");
    }
}

fn answer(frame: &[u8]) -> Result<Vec<u8>, Silence> {
    let portal = "http://portal.example/".parse().expect("a URL");
    portal::answer(&Context { portal: &portal, key: &BuildHasherDefault::<DefaultHasher>::default() }, frame)
}

/// Where what the portal says to these ports begins and ends; `None`: it is not talked to.
fn expected(is_four: bool, header: &[u8]) -> Option<(u32, u32)> {
    const AT: usize = 12;
    let say = |acknowledge: u32, control: u8, text: &[u8]| {
        let mut segment = header.to_vec();
        segment[8..12].copy_from_slice(&acknowledge.to_be_bytes());
        (segment[AT], segment[AT + 1]) = (0x50, control);
        segment.extend_from_slice(text);
        answer(&frame(is_four, &segment)).ok()
    };
    let opened = say(0, 2, b"")?;
    let opened = segment_of(&Frame::parse(&opened).expect("a frame"))[4..8].try_into().expect("four bytes");
    let begin = u32::from_be_bytes(opened).wrapping_add(1);
    let told = say(begin, 16, b"?")?;
    let told = segment_of(&Frame::parse(&told).expect("a frame")).len() - HEADER_LEN;
    Some((begin, begin.wrapping_add(u32::try_from(told).ok()?)))
}

fn segment_of<'a>(frame: &Frame<'a>) -> &'a [u8] {
    if frame.ethertype == ETHERTYPE_IPV6 {
        return Ipv6::parse(frame).expect("IPv6").payload;
    }
    Ipv4::parse(frame).expect("IPv4").payload
}

/// A frame of a subscriber with that segment in it, whose checksum is made right.
fn frame(is_four: bool, segment: &[u8]) -> Vec<u8> {
    let (source4, destination4) = (Ipv4Addr::new(100, 64, 0, 2), Ipv4Addr::new(192, 0, 2, 66));
    let source6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, 2);
    let destination6 = Ipv6Addr::new(0x2001, 0xdb8, 0x66, 0, 0, 0, 0, 0x66);
    let mut segment = segment.to_vec();
    segment[16..18].fill(0);
    let mut summed: Vec<u8> = if is_four {
        [source4.octets(), destination4.octets()].concat()
    } else {
        [source6.octets(), destination6.octets()].concat()
    };
    summed.extend([0, PROTOCOL_TCP]);
    summed.extend(u16::try_from(segment.len()).expect("it is short").to_be_bytes());
    summed.extend(&segment);
    segment[16..18].copy_from_slice(&checksum(&summed).to_be_bytes());
    let (ethertype, packet) = if is_four {
        let (source, destination) = (source4, destination4);
        let header = Ipv4Header { tos: 0, protocol: PROTOCOL_TCP, source, destination };
        (ETHERTYPE_IPV4, header.packet(&segment))
    } else {
        let (protocol, hop_limit, source, destination) = (PROTOCOL_TCP, 64, source6, destination6);
        let header = Ipv6Header { traffic_class: 0, protocol, hop_limit, source, destination };
        (ETHERTYPE_IPV6, header.packet(&segment))
    };
    let tags = Tags::two(Tag { tpid: 0x88a8, tci: 100 }, Tag { tpid: 0x8100, tci: 7 });
    let (destination, source) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 0xaa]);
    Frame { destination, source, tags, ethertype, payload: &packet }.to_bytes()
}

/// The Internet checksum (RFC 1071).
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let sum: u32 = words.sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    !u16::try_from((sum & 0xffff) + (sum >> 16)).expect("folded twice")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::seed;

    /// The fuzzer begins with a connection from its first segment to its last.
    #[test]
    fn the_seeds_are_a_whole_conversation() {
        for (name, control, has_text) in [
            ("syn", 0x12, false),
            ("syn6", 0x12, false),
            ("request", 0x19, true),
            ("request6", 0x19, true),
            ("fin", 0x10, false),
            ("close", 0x11, false),
            ("stranger", RST, false),
            ("https", 0x14, false),
            ("frame", 0x12, false),
        ] {
            let bytes = seed("portal", name);
            fuzz_portal(&bytes);
            let reply =
                answer(&sent(&bytes).expect("a frame")).unwrap_or_else(|silence| panic!("{name}: {silence}"));
            let said = segment_of(&Frame::parse(&reply).expect("a frame"));
            let text = usize::from(said[12] >> 4) * 4 < said.len();
            assert_eq!((said[13], text), (control, has_text), "{name}");
        }
    }
}
