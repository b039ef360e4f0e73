use super::*;

fn option() -> Option82 {
    Option82 { circuit_id: "olt eth 1/1:100.7".into(), remote_id: "home1".into() }
}

/// A DHCP message as a client (`to` = 67) or a server (`to` = 68) sends it, with these options after the cookie.
fn message(to: u16, options: &[u8]) -> Vec<u8> {
    let from = 67 + 68 - to;
    let udp_len = u16::try_from(UDP + BOOTP + 4 + options.len()).expect("short");
    let mut frame = vec![0xff; 6];
    frame.extend([2, 0, 0, 0, 0, 1, 8, 0]);
    frame.extend([0x45, 0]);
    frame.extend((20 + udp_len).to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 17, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
    frame.extend([from, to, udp_len, 0].map(u16::to_be_bytes).concat());
    frame.extend([0; BOOTP]);
    frame.extend(COOKIE);
    frame.extend(options);
    frame
}

/// Sums that include a right checksum come to zero.
fn assert_checksums(frame: &[u8]) {
    assert_eq!(checksum(&[&frame[14..34]]), [0, 0], "IP header");
    let len = &frame[38..40];
    assert_eq!(checksum(&[&frame[26..34], &[0, 17], len, &frame[34..]]), [0, 0], "UDP");
}

#[test]
fn inserted_at_the_end_of_a_clients_options() {
    let frame = insert(&message(67, &[53, 1, 1, 0, 61, 1, 9, END, 0, 0]), &option()).expect("a DHCP message");
    let options = &frame[14 + 20 + 8 + BOOTP + 4..];
    let expected: Vec<u8> =
        [&[53, 1, 1, 61, 1, 9, 82, 26, 1, 17][..], b"olt eth 1/1:100.7", &[2, 5], b"home1", &[END]].concat();
    assert_eq!(options, expected);
    assert_eq!(usize::from(u16::from_be_bytes([frame[16], frame[17]])), frame.len() - 14);
    assert_checksums(&frame);
}

#[test]
fn removed_from_a_servers_options() {
    let with = message(68, &[53, 1, 2, 82, 2, 1, 0, 54, 4, 1, 2, 3, 4, END]);
    let frame = remove(&with).expect("it had option 82");
    assert_eq!(&frame[14 + 20 + 8 + BOOTP + 4..], [53, 1, 2, 54, 4, 1, 2, 3, 4, END]);
    assert_checksums(&frame);
}

#[test]
fn left_alone_otherwise() {
    let mut fragment = message(67, &[53, 1, 1, END]);
    fragment[20] |= 0x20;
    let mut not_ip = message(67, &[53, 1, 1, END]);
    not_ip[12..14].copy_from_slice(&[8, 6]);
    for (frame, why) in [
        (message(68, &[53, 1, 1, END]), "to a client"),
        (message(67, &[53, 1, 1, 82, 2, 1, 0, END]), "has one already"),
        (message(67, &[53, 1, 1]), "no end mark"),
        (message(67, &[53, 9, 1, END]), "option longer than the message"),
        (fragment, "a fragment"),
        (not_ip, "not IP"),
    ] {
        assert_eq!(insert(&frame, &option()), None, "{why}");
    }
    assert_eq!(remove(&message(68, &[53, 1, 2, END])), None, "nothing to remove");
}

#[test]
fn no_cut_of_a_message_panics() {
    let whole = message(67, &[53, 1, 1, 61, 2, 1, 1, END]);
    for len in 0..whole.len() {
        insert(&whole[..len], &option());
        remove(&whole[..len]);
    }
}
