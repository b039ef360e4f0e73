//! Parental control: whose device may not ask for it does not get a blocked name asked for, nor an encrypted resolver.

use crate::random::{
    office::{LISTS, Line, is_encrypted_resolver},
    view::{ACK, Part, RST, SYN, TCP, UDP, View},
};

/// What a query asks for, in lower case; `None`: it is none that can be read (RFC 1035, section 4.1).
pub(super) fn asked(message: &[u8]) -> Option<Vec<String>> {
    let header = message.get(..12)?;
    if header[2] & 0x80 != 0 || header[4..6] != [0, 1] {
        return None;
    }
    let (mut labels, mut rest, mut len) = (Vec::<String>::new(), &message[12..], 0);
    loop {
        let (label, after) = rest.split_first()?;
        len += 1 + usize::from(*label);
        if *label > 63 || len > 255 {
            return None;
        }
        let (name, after) = after.split_at_checked(usize::from(*label))?;
        rest = after;
        if *label == 0 {
            return (rest.len() >= 4).then_some(labels);
        }
        // A character for each byte, whatever it is.
        labels.push(name.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect());
    }
}

/// Whether a name, or one that it is below, is on one of the lists.
pub(super) fn is_blocked(line: &Line, labels: &[String]) -> bool {
    let lists = LISTS.iter().filter(|list| line.control.is_some_and(|blocked| blocked.contains(&list.name)));
    let mut domains = lists.flat_map(|list| list.domains);
    domains.any(|domain| {
        let domain: Vec<&str> = domain.split('.').collect();
        labels.len() >= domain.len() && labels[labels.len() - domain.len()..] == domain[..]
    })
}

pub(super) fn is_controlled(line: &Line) -> bool {
    line.control.is_some_and(|lists| !lists.is_empty())
}

/// Whether a packet is a query of a kind: for a resolver, whatever it says.
pub(super) fn is_query(packet: &View) -> bool {
    matches!(packet.protocol, TCP | UDP) && packet.ports().is_some_and(|(_, to)| to == 53)
}

/// The message in a segment, which is all of it.
pub(super) fn framed(data: &[u8]) -> Option<&[u8]> {
    let (len, message) = data.split_at_checked(2)?;
    (usize::from(u16::from_be_bytes([len[0], len[1]])) == message.len()).then_some(message)
}

/// A packet of the line's may leave it.
pub(super) fn assert_may_leave(line: &Line, packet: &View) {
    let Some((_, to)) = packet.ports() else { return };
    if !is_controlled(line) || !matches!(packet.protocol, TCP | UDP) {
        return;
    }
    let flags = packet.flags().unwrap_or(0);
    let is_reset = packet.protocol == TCP && flags & RST != 0;
    match to {
        53 => {
            assert_eq!(packet.part, Part::Whole, "a fragment of a query of {}", line.name);
            let data = packet.data().expect("a datagram or a segment");
            let is_bare = packet.protocol == TCP && (data.is_empty() || is_reset);
            if !is_bare {
                let message = if packet.protocol == TCP { framed(data) } else { Some(data) };
                let labels = message.and_then(asked);
                let labels = labels.unwrap_or_else(|| panic!("{} asks what cannot be read", line.name));
                assert!(!is_blocked(line, &labels), "{} asks for {labels:?}", line.name);
            }
        }
        853 => assert!(is_reset && packet.part == Part::Whole, "DNS over TLS of {}", line.name),
        443 if is_encrypted_resolver(packet.to) => {
            let is_begun = packet.protocol == TCP && flags & (SYN | ACK) == SYN && !is_reset;
            let is_quic = packet.protocol == UDP
                && packet.data().is_some_and(|data| data.first().is_some_and(|first| first & 0x80 != 0));
            assert!(!is_begun && !is_quic, "{} reaches an encrypted resolver", line.name);
        }
        _ => {}
    }
}

/// Why a connection of the line's may be reset.
pub(super) fn assert_may_reset(line: &Line, packet: &View) {
    assert!(is_controlled(line) && line.is_active(), "{} has nothing blocked", line.name);
    assert_eq!((packet.protocol, packet.part), (TCP, Part::Whole), "a whole segment");
    let flags = packet.flags().expect("a segment");
    match packet.ports().expect("a segment").1 {
        53 => {
            let data = packet.data().expect("a segment");
            assert!(!data.is_empty() && flags & RST == 0, "nothing is asked");
            let labels = framed(data).and_then(asked);
            assert!(labels.is_none_or(|labels| is_blocked(line, &labels)), "the name is not blocked");
        }
        443 => {
            assert!(is_encrypted_resolver(packet.to), "an ordinary server");
            assert_eq!(flags & (SYN | ACK | RST), SYN, "a connection that is there");
        }
        other => assert!(other == 853 && flags & RST == 0, "port {other}"),
    }
}
