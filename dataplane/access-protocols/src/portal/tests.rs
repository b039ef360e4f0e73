use std::{hash::RandomState, net::IpAddr};

use proptest::prelude::*;

use super::*;
use crate::{ETHERTYPE_IPV4, Tag, Tags};

const CLIENT: [u8; 6] = [2, 0, 0, 0, 0, 0xaa];
const PORT: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// Where the client is in its sequence numbers: its SYN's wraps around.
const CLIENT_FIRST: u32 = u32::MAX;
const REQUEST: &[u8] = b"GET /a<b>?q=%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: example.com\r\n\r\n";

struct Conversation {
    ends: Ends,
    key: RandomState,
    portal: PortalUrl,
}

fn conversations() -> [Conversation; 2] {
    let with = |source: &str, destination: &str| Conversation {
        ends: Ends {
            source: source.parse().expect("an address"),
            destination: destination.parse().expect("an address"),
        },
        key: RandomState::new(),
        portal: "https://portal.example/pay?from=line".parse().expect("a URL"),
    };
    [with("100.64.0.2", "192.0.2.66"), with("2001:db8:0:7::2", "2001:db8:66::66")]
}

fn tags() -> Tags {
    Tags::two(Tag { tpid: 0x88a8, tci: 100 }, Tag { tpid: 0x8100, tci: 7 })
}

fn segment(sequence: u32, acknowledgement: u32, control: u8, payload: &[u8]) -> Tcp<'_> {
    Tcp {
        source_port: 40_000,
        destination_port: HTTP,
        sequence,
        acknowledgement,
        control,
        window: 1024,
        payload,
    }
}

impl Conversation {
    fn frame(&self, segment: Tcp) -> Vec<u8> {
        // `send` answers, so the ends change places.
        let ends = Ends { source: self.ends.destination, destination: self.ends.source };
        let ethertype = if ends.source.is_ipv4() { ETHERTYPE_IPV4 } else { ETHERTYPE_IPV6 };
        let to = Frame { destination: CLIENT, source: PORT, tags: tags(), ethertype, payload: &[] };
        send(&to, ends, segment)
    }

    /// What is answered, after everything around it was found to be right.
    fn say(&self, segment: Tcp) -> Result<(Tcp<'static>, Vec<u8>), Silence> {
        let context = Context { portal: &self.portal, key: &self.key };
        let bytes = answer(&context, &self.frame(segment))?;
        let frame = Frame::parse(&bytes).expect("a frame");
        assert_eq!((frame.destination, frame.source, frame.tags), (CLIENT, PORT, tags()));
        let (ends, reply) = parse(&frame).expect("a sound segment");
        assert_eq!((ends.source, ends.destination), (self.ends.destination, self.ends.source));
        assert_eq!(
            (reply.source_port, reply.destination_port),
            (segment.destination_port, segment.source_port)
        );
        assert!(reply.payload.len() <= 536);
        Ok((Tcp { payload: &[], ..reply }, reply.payload.to_vec()))
    }

    /// The sequence number that the connection's data begin with.
    fn open(&self) -> u32 {
        let (reply, payload) = self.say(segment(CLIENT_FIRST, 0, SYN, b"")).expect("answered");
        assert_eq!((reply.control, reply.acknowledgement, payload.len()), (SYN | ACK, 0, 0));
        reply.sequence.wrapping_add(1)
    }
}

#[test]
fn a_request_is_redirected_and_the_connection_closed() {
    for it in conversations() {
        let begin = it.open();
        assert_eq!(it.say(segment(0, begin, ACK, b"")), Err(Silence::Acknowledged));
        let (reply, text) = it.say(segment(0, begin, PSH | ACK, REQUEST)).expect("answered");
        let asked = u32::try_from(REQUEST.len()).expect("short");
        assert_eq!((reply.control, reply.sequence, reply.acknowledgement), (PSH | FIN | ACK, begin, asked));
        assert_eq!(
            String::from_utf8(text.clone()).expect("text"),
            "HTTP/1.1 302 Found\r\nLocation: https://portal.example/pay?from=line\r\nCache-Control: no-store\r\n\
             Content-Length: 0\r\nConnection: close\r\n\r\n"
        );
        // Asked again, for the answer was lost: the same.
        assert_eq!(it.say(segment(0, begin, PSH | ACK, REQUEST)), Ok((reply, text.clone())));
        // Some hosts acknowledge the answer first, some close with that; the last word is the same.
        let end = begin.wrapping_add(u32::try_from(text.len()).expect("short"));
        for at in [end, end.wrapping_add(1)] {
            assert_eq!(it.say(segment(asked, at, ACK, b"")), Err(Silence::Acknowledged));
            let (last, payload) = it.say(segment(asked, at, FIN | ACK, b"")).expect("answered");
            let expected = (ACK, end.wrapping_add(1), asked + 1);
            assert_eq!((last.control, last.sequence, last.acknowledgement), expected);
            assert!(payload.is_empty());
        }
    }
}

#[test]
fn a_request_in_pieces_is_answered_to_each_and_a_client_may_close_without_asking() {
    for it in conversations() {
        let begin = it.open();
        let (first, text) = it.say(segment(0, begin, ACK, &REQUEST[..10])).expect("answered");
        let (second, again) = it.say(segment(10, begin, ACK, &REQUEST[10..20])).expect("answered");
        assert_eq!((first.sequence, &text), (second.sequence, &again));
        assert_eq!((first.acknowledgement, second.acknowledgement), (10, 20));
        let end = begin.wrapping_add(u32::try_from(text.len()).expect("short"));
        let (late, _) = it.say(segment(20, end.wrapping_add(1), ACK, &REQUEST[20..])).expect("answered");
        assert_eq!((late.control, late.sequence), (ACK, end.wrapping_add(1)));

        let (closed, _) = it.say(segment(0, begin, FIN | ACK, b"")).expect("answered");
        assert_eq!((closed.control, closed.sequence, closed.acknowledgement), (FIN | ACK, begin, 1));
        assert_eq!(it.say(segment(1, begin.wrapping_add(1), ACK, b"")), Err(Silence::Acknowledged));
    }
}

#[test]
fn what_is_of_no_connection_is_reset_and_a_reset_is_not() {
    for it in conversations() {
        let begin = it.open();
        for (sent, expected) in [
            // A connection from before, whose other end is elsewhere.
            (segment(7, begin.wrapping_sub(9), PSH | ACK, b"more"), (RST, begin.wrapping_sub(9), 0)),
            (segment(7, begin.wrapping_sub(1), ACK, b""), (RST, begin.wrapping_sub(1), 0)),
            (segment(7, begin, SYN | ACK, b""), (RST, begin, 0)),
            (segment(7, 0, FIN, b"x"), (RST | ACK, 0, 9)),
            (segment(7, 0, 0, b""), (RST | ACK, 0, 7)),
            (segment(7, 0, SYN | FIN, b""), (RST | ACK, 0, 9)),
            // HTTPS, whatever it says.
            (Tcp { destination_port: 443, ..segment(7, 0, SYN, b"") }, (RST | ACK, 0, 8)),
            (Tcp { destination_port: 443, ..segment(7, 99, ACK, b"hello") }, (RST, 99, 0)),
        ] {
            let (reply, payload) = it.say(sent).expect("answered");
            assert_eq!((reply.control, reply.sequence, reply.acknowledgement), expected, "{sent:?}");
            assert!(payload.is_empty());
        }
        for port in [80, 443] {
            for bits in [RST, RST | ACK, RST | SYN] {
                let reset = Tcp { destination_port: port, ..segment(7, begin, bits, b"") };
                assert_eq!(it.say(reset), Err(Silence::Reset));
            }
        }
    }
}

#[test]
fn a_connection_is_known_only_by_its_own_ends() {
    for it in conversations() {
        let begin = it.open();
        let other_port = Tcp { source_port: 40_001, ..segment(0, begin, ACK, REQUEST) };
        assert_eq!(it.say(other_port).expect("answered").0.control, RST);
        let other_key = Conversation { key: RandomState::new(), portal: it.portal.clone(), ..it };
        assert_eq!(other_key.say(segment(0, begin, ACK, REQUEST)).expect("answered").0.control, RST);
    }
}

#[test]
fn what_is_no_segment_of_one_host_to_another_gets_no_answer() {
    for it in conversations() {
        let context = Context { portal: &it.portal, key: &it.key };
        let good = it.frame(segment(0, 0, SYN, b""));
        assert!(answer(&context, &good).is_ok());
        let changed = |at: usize, value: u8| {
            let mut frame = good.clone();
            frame[at] ^= value;
            answer(&context, &frame)
        };
        assert_eq!(changed(0, 1), Err(Silence::Group));
        assert_eq!(
            changed(good.len() - 6, 1),
            Err(Silence::Malformed(PacketError::BadChecksum)),
            "its window"
        );
        let cut = answer(&context, &good[..good.len() - 1]);
        assert_eq!(cut, Err(Silence::Malformed(PacketError::Truncated)));
        for group in ["224.0.0.1", "255.255.255.255", "0.0.0.0", "ff02::1", "::"] {
            let group: IpAddr = group.parse().expect("an address");
            if group.is_ipv4() == it.ends.source.is_ipv4() {
                let ends = Ends { source: group, ..it.ends };
                let strange = Conversation { ends, key: it.key.clone(), portal: it.portal.clone() };
                assert_eq!(strange.say(segment(0, 0, SYN, b"")), Err(Silence::Group), "{group}");
            }
        }
    }
}

proptest! {
    /// Whatever is sent, the answer is sound, short, about all of it, and starts no quarrel.
    #[test]
    fn any_segment(sequence: u32, ack: u32, near in -2_i64..3, bits in 0_u8..64, port in prop::sample::select(vec![80_u16, 443, 8080]), payload in prop::collection::vec(any::<u8>(), 0..1400)) {
        for it in conversations() {
            let begin = it.open();
            for acknowledgement in [ack, u32::try_from((i64::from(begin) + near).rem_euclid(1 << 32)).expect("32 bits")] {
                let sent = Tcp { destination_port: port, ..segment(sequence, acknowledgement, bits, &payload) };
                match it.say(sent) {
                    Err(silence) => prop_assert!(matches!(silence, Silence::Reset | Silence::Acknowledged)),
                    Ok((reply, text)) => {
                        prop_assert!(bits & RST == 0);
                        prop_assert!(text.is_empty() || !payload.is_empty());
                        if reply.control & SYN == 0 && reply.control & ACK != 0 {
                            prop_assert_eq!(reply.acknowledgement, sequence.wrapping_add(sent.sequence_len()));
                        }
                        if reply.control & RST != 0 {
                            prop_assert!(text.is_empty());
                        }
                    }
                }
            }
        }
    }
}
