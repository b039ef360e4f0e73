//! A whole exchange, byte by byte as RFC 8415 lays it out.

use super::*;

#[test]
fn an_advertise_to_the_byte() {
    let client =
        Client::new(SOLICIT, 0xaa).address(0x0a0b_0c0d, &[]).prefix(0x0102_0304, &[]).option(6, &[0, 23]);
    let outcome = run(&session(), &Bindings::default(), &client.option(8, &[0, 0]));
    assert_eq!((&outcome.bindings, &outcome.event), (&BindingChange::Keep, &Event::Advertised));
    let reply = outcome.reply.expect("a reply");
    let mut expected = vec![2, 0, 0, 0, 0, 0xaa, 2, 0, 0, 0, 0, 1, 0x88, 0xa8, 0x60, 100, 0x81, 0, 0, 7];
    let message = [
        &[2, 0xde, 0xad, 0xbe][..],
        &[0, 1, 0, 14, 0, 1, 0, 1, 0x2a, 0xbc, 0xde, 0xf0, 2, 0, 0, 0, 0, 0xaa],
        &[0, 2, 0, 10, 0, 3, 0, 1, 2, 0, 0, 0, 0, 1],
        &[0, 7, 0, 1, 255],
        &[0, 3, 0, 40, 0x0a, 0x0b, 0x0c, 0x0d, 0, 0, 0x03, 0x84, 0, 0, 0x05, 0xa0],
        &[0, 5, 0, 24, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 7, 8, 0, 0, 0x0e, 0x10],
        &[0, 25, 0, 41, 1, 2, 3, 4, 0, 0, 0x03, 0x84, 0, 0, 0x05, 0xa0],
        &[0, 26, 0, 25, 0, 0, 7, 8, 0, 0, 0x0e, 0x10, 56],
        &[0x20, 1, 0x0d, 0xb8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0, 23, 0, 16, 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53],
    ]
    .concat();
    let len = u8::try_from(8 + message.len()).expect("a short message");
    expected.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, len, 17, 64]);
    expected.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 1]);
    expected.extend([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 0, 0, 0xaa]);
    expected.extend([0x02, 0x23, 0x02, 0x22, 0, len]);
    assert_eq!(reply[..expected.len()], expected);
    // Between them is the checksum, which `Read` has found right.
    assert_eq!(reply[expected.len() + 2..], message);
}

/// However many associations and addresses a client puts into a packet, the answer is one packet that every link takes,
/// and has what is leased in it.
#[test]
fn an_answer_fits() {
    let many = vec![STRANGE; 40];
    let bound = Bindings::default();
    for kind in [SOLICIT, REQUEST, RENEW, REBIND, RELEASE, DECLINE] {
        let long_name = [&[0, 2][..], &[7; 128]].concat();
        let mut client = Client::bare(kind).option(1, &long_name);
        if kind != SOLICIT && kind != REBIND {
            client = client.server();
        }
        client = client.address(1, if kind == REQUEST { &[] } else { &many }).prefix(2, &[OTHER_PREFIX; 40]);
        for iaid in 3..100 {
            client = client.address(iaid, &[]).prefix(iaid, &[]);
        }
        let outcome = run(&session(), &bound, &client);
        let read = Read::new(&outcome);
        assert!(outcome.reply.expect("a reply").len() <= 22 + 1280, "{kind}");
        let ends = kind == RELEASE || kind == DECLINE;
        assert_eq!(read.leased().len(), if ends { 0 } else { 2 }, "{kind}");
    }
}

/// A message cut off anywhere is no message, but where an option ends.
#[test]
fn truncated_messages() {
    let client = Client::new(SOLICIT, 0xaa).address(1, &[ADDRESS]);
    let message = client.message();
    let ends = [4, 4 + 18, message.len()];
    for len in 0..=message.len() {
        let outcome = run_frame(&session(), &Bindings::default(), &client.frame_of(&message[..len]));
        let ignored = match outcome.event {
            Event::Ignored(Ignored::Message(MessageError::Truncated | MessageError::Option(1 | 3))) => true,
            Event::Ignored(Ignored::NoClient) if len == 4 => false,
            Event::Advertised => false,
            other => panic!("{len} bytes: {other:?}"),
        };
        assert_eq!(ignored, !ends.contains(&len), "{len} bytes");
    }
}
