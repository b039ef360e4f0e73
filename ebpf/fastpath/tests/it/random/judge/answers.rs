//! What the office answers by itself: addresses are resolved, known homes have their leases, and parental control refuses.

use dhcproto::{
    Decodable, Decoder,
    v4::{DhcpOption, Message, MessageType, Opcode, OptionCode},
};

use super::{line_of, names};
use crate::{
    frames::Address,
    random::{
        generator::Frame,
        office::{ACCESS, LINES, Line, RESOLVERS, ip4, is_of},
        tally::Tally,
        view::{ACK, FIN, Framed, RST, SYN, TCP, UDP, View},
    },
};

/// A frame went back to the line that it came from, and nowhere else.
pub(super) fn assert_due(line: &Line, sent: &[u8], out: &[u8], tally: &mut Tally) {
    let framed = Framed::read(out);
    assert_eq!(out[6..12], ACCESS[line.port].mac, "the office answers");
    assert_eq!(
        out[12..framed.packet_at],
        sent[12..Framed::read(sent).packet_at],
        "with the tags that it came by"
    );
    assert_eq!(sent[6..12], line.mac, "it came from the line's device");
    if framed.ethertype == 0x0806 {
        assert_resolved(line, sent, out, framed.packet_at);
        return;
    }
    assert!(line.is_active() && line.has_mac, "{} has user space to answer", line.name);
    let (sent, answer) = (View::of(sent).expect("a packet"), View::of(out).expect("a packet"));
    assert!(answer.has_right_checksums(), "its checksums are right");
    assert_eq!(answer.bytes.len(), out.len() - framed.packet_at, "nothing follows it");
    let is_dhcp = sent.protocol == UDP && sent.ports() == Some((68, 67)) && !sent.is_v6();
    if is_dhcp {
        assert!(line.bridged.is_none(), "{} has user space to lease", line.name);
        assert!(out[..6] == line.mac || out[..6] == [0xff; 6], "to the device");
        assert_leased(line, &sent, &answer, tally);
        return;
    }
    assert_eq!(out[..6], line.mac, "to the device");
    let (from, to) = sent.ports().expect("it was for a port");
    assert_eq!((answer.source, answer.to), (sent.to, sent.source), "turned round");
    assert_eq!((answer.ports(), answer.protocol), (Some((to, from)), sent.protocol));
    if answer.protocol == TCP {
        names::assert_may_reset(line, &sent);
        assert_reset(&sent, &answer);
        let is_query = to == 53;
        tally.saw_if(is_query, "a connection to a resolver is reset", sent.is_v6());
        tally.saw_if(!is_query, "a connection to an encrypted resolver is reset", sent.is_v6());
    } else {
        assert_eq!(to, 53, "a query");
        let (asked, said) = (sent.data().expect("a datagram"), answer.data().expect("a datagram"));
        let labels = names::asked(asked).expect("what is answered can be read");
        assert!(names::is_controlled(line) && names::is_blocked(line, &labels), "{labels:?} is not blocked");
        assert_eq!(said[..2], asked[..2], "the same query");
        assert_eq!((said[2] & 0x80, said[3] & 15), (0x80, 3), "no such name");
        let question = 12 + labels.iter().map(|label| label.chars().count() + 1).sum::<usize>() + 5;
        assert_eq!(said[12..question], asked[12..question], "the same question");
        tally.saw("a query is answered", sent.is_v6());
    }
}

/// A line in any state is told where its router is.
fn assert_resolved(line: &Line, sent: &[u8], out: &[u8], at: usize) {
    let address: Address = out[at + 14..at + 18].try_into().expect("an address");
    assert!(address == line.gateway || !is_of(line.home(), address), "{address:?} is the line's own");
    assert_eq!(out[..6], sent[6..12], "who asked is answered");
}

/// Whoever has no address on a line with several devices is told that one is in use which is none of the home's.
pub(super) fn assert_probe(frame: &Frame, out: &[u8]) {
    let Framed { ethertype, packet_at, .. } = Framed::read(&frame.bytes);
    assert_eq!(ethertype, 0x0806, "who asked is answered");
    let line = LINES
        .iter()
        .find(|line| line_of(frame.by, &frame.bytes, line.mac).is_some_and(|n| LINES[n].name == line.name));
    let line = line.filter(|line| line.bridged.is_some()).expect("a line with several devices");
    assert_eq!(frame.bytes[packet_at + 14..packet_at + 18], [0; 4], "a probe");
    assert_resolved(line, &frame.bytes, out, packet_at);
}

fn assert_reset(sent: &View, answer: &View) {
    let number = |packet: &View, at: usize| {
        u32::from_be_bytes(packet.payload()[at..at + 4].try_into().expect("four bytes"))
    };
    let (flags, said) = (sent.flags().expect("a segment"), answer.flags().expect("a segment"));
    assert_eq!(answer.payload().len(), 20, "nothing but a header");
    // RFC 9293, section 3.10.7.1.
    if flags & ACK != 0 {
        assert_eq!((said, number(answer, 4)), (RST, number(sent, 8)), "the number that is waited for");
    } else {
        let marks = [SYN, FIN].iter().filter(|mark| flags & **mark != 0).count();
        let carried = sent.data().map_or(0, <[u8]>::len) + marks;
        let expected = number(sent, 4).wrapping_add(u32::try_from(carried).expect("short"));
        assert_eq!((said, number(answer, 8)), (RST | ACK, expected), "all that came");
    }
}

/// Its own lease, and nobody else's.
fn assert_leased(line: &Line, sent: &View, answer: &View, tally: &mut Tally) {
    let read = |packet: &View| {
        let data = packet.data().expect("a datagram");
        Message::decode(&mut Decoder::new(data)).unwrap_or_else(|error| panic!("{error}: {data:?}"))
    };
    let said = read(answer);
    assert_eq!((answer.source, answer.ports()), (ip4(line.gateway), Some((67, 68))));
    let asked = sent.data().expect("a datagram");
    let client: Address = asked[12..16].try_into().expect("an address");
    let to = [ip4(line.network.0), ip4([255; 4]), ip4(client)];
    assert!(to.contains(&answer.to), "{} is nobody's", answer.to);
    assert_eq!(said.opcode(), Opcode::BootReply);
    assert_eq!(said.xid().to_be_bytes(), asked[4..8], "the same exchange");
    assert_eq!(ip4(said.yiaddr().octets()), ip4(line.network.0), "the lease of {}", line.name);
    assert_eq!(said.chaddr(), line.mac);
    assert_eq!(asked[28..34], line.mac, "the device asked for itself");
    let option = |code| said.opts().get(code);
    let is_offer = match option(OptionCode::MessageType) {
        Some(DhcpOption::MessageType(MessageType::Offer)) => true,
        Some(DhcpOption::MessageType(MessageType::Ack)) => false,
        other => panic!("{other:?}"),
    };
    // The message type is in the request as it is: nothing else has this length there but by chance of other options.
    let kind: &[u8] = if is_offer { &[53, 1, 1] } else { &[53, 1, 3] };
    assert!(
        asked[240..].windows(3).any(|option| option == kind),
        "a DISCOVER is offered, a REQUEST acknowledged"
    );
    let gateway = line.gateway.into();
    assert_eq!(option(OptionCode::ServerIdentifier), Some(&DhcpOption::ServerIdentifier(gateway)));
    assert_eq!(option(OptionCode::AddressLeaseTime), Some(&DhcpOption::AddressLeaseTime(3600)));
    // Who lists what he wants is told nothing else.
    let router = option(OptionCode::Router);
    assert!(router.is_none_or(|router| *router == DhcpOption::Router(vec![gateway])), "{router:?}");
    let resolvers = RESOLVERS.map(|address| address.parse().expect("an address")).to_vec();
    let told = option(OptionCode::DomainNameServer);
    assert!(told.is_none_or(|told| *told == DhcpOption::DomainNameServer(resolvers)), "{told:?}");
    let area = if is_offer { "DHCP is offered in the kernel" } else { "DHCP is acknowledged in the kernel" };
    tally.saw(area, false);
}
