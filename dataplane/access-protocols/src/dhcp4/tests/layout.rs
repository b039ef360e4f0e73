//! Options mean the same wherever and however they stand.

use proptest::{collection::vec, prelude::*};

use super::{
    super::*,
    client::{ADDRESS, Client, DISCOVER, GATEWAY, REQUEST, option, port_mac, session},
};

fn answer(client: &Client) -> Outcome {
    let session = session();
    let context = Context { session: &session, port_mac: port_mac(), bound: None, now_s: 0 };
    handle(&context, &client.frame())
}

/// The parts of an option in a reply.
fn parts(outcome: &Outcome, code: u8) -> Vec<Vec<u8>> {
    let frame = outcome.reply.as_deref().expect("a reply");
    let options = options::Options::parse(&frame[22 + 28 + 240..], &[], &[]).expect("options");
    options.parts(code).map(<[u8]>::to_vec).collect()
}

fn last_option(outcome: &Outcome) -> u8 {
    let frame = outcome.reply.as_deref().expect("a reply");
    let mut field = &frame[22 + 28 + 240..];
    let mut last = 0;
    while let [code, len, rest @ ..] = field
        && *code != 255
    {
        last = *code;
        field = &rest[usize::from(*len)..];
    }
    last
}

#[test]
fn overload_puts_options_into_file_and_sname() {
    let plain = Client::new(REQUEST).server(GATEWAY).requested(ADDRESS).option(61, b"\0alice");
    let expected = answer(&plain);
    assert!(matches!(expected.event, Event::Leased { state: ClientState::Selecting, .. }));
    for overload in 1..=3_u8 {
        let mut client = Client::new(REQUEST).option(52, &[overload]);
        let moved = [option(54, &GATEWAY.octets()), option(50, &ADDRESS.octets()), option(61, b"\0alice")];
        let file: Vec<u8> = if overload == 2 { vec![] } else { moved[..2].concat() };
        let sname: Vec<u8> = match overload {
            1 => vec![],
            2 => moved.concat(),
            _ => moved[2].clone(),
        };
        client.file[..file.len()].copy_from_slice(&file);
        client.sname[..sname.len()].copy_from_slice(&sname);
        if overload == 1 {
            client = client.option(61, b"\0alice");
        }
        assert_eq!(answer(&client), expected, "overload {overload}");
    }
    // Without the overload option the same bytes are a file's name.
    let mut named = Client::new(DISCOVER);
    named.file[..3].copy_from_slice(&[54, 200, 1]);
    assert_eq!(answer(&named).event, Event::Offered);
    let odd = Client::new(DISCOVER).option(52, &[4]);
    assert_eq!(answer(&odd).event, Event::Ignored(Ignored::Message(MessageError::Overload)));
}

#[test]
fn a_long_option_may_cross_from_one_field_to_the_next() {
    let mut client = Client::new(REQUEST).server(GATEWAY).option(50, &ADDRESS.octets()[..1]).option(52, &[3]);
    client.file[..3].copy_from_slice(&option(50, &ADDRESS.octets()[1..2]));
    client.file[3] = 255;
    client.sname[5..9].copy_from_slice(&option(50, &ADDRESS.octets()[2..]));
    client.sname[9] = 255;
    assert!(matches!(answer(&client).event, Event::Leased { state: ClientState::Selecting, .. }));
}

#[test]
fn relay_information_is_echoed_whatever_is_in_it() {
    let odd: [&[u8]; 7] = [
        &[],                        // no sub-option at all
        &[1],                       // a sub-option without a length
        &[1, 200, 7],               // one that ends beyond the option
        &[0, 0, 255, 255],          // what would be pad and end elsewhere
        &[1, 2, 9, 9, 1, 2, 8, 8],  // the same one twice
        &[82, 4, 1, 2, 3, 4],       // one with the option's own number
        &[151, 1, 0, 152, 0, 9, 1], // sub-options of RFC 6607, the second with no length that fits
    ];
    for data in odd {
        let outcome = answer(&Client::new(DISCOVER).option(82, data).option(55, &[1, 3, 6]));
        assert_eq!(parts(&outcome, 82), [data], "{data:?}");
        assert_eq!(last_option(&outcome), 82, "{data:?}");
    }
}

#[derive(Clone, Debug)]
enum Piece {
    Pad(usize),
    Option(u8, Vec<u8>),
}

fn piece() -> impl Strategy<Value = Piece> {
    // Options that no decision rests on.
    let free =
        prop_oneof![Just(12_u8), Just(15), Just(43), Just(60), Just(77), Just(124), Just(125), Just(224)];
    prop_oneof![
        (0..5_usize).prop_map(Piece::Pad),
        (free, vec(any::<u8>(), 0..300)).prop_map(|(code, data)| Piece::Option(code, data)),
    ]
}

proptest! {
    /// Padding, options that do not matter, and the order of those that do change nothing.
    #[test]
    fn any_layout_gets_the_same_answer(
        pieces in vec(piece(), 0..4),
        order in Just([0, 1, 2, 3]).prop_shuffle(),
        identifier in vec(any::<u8>(), 1..100),
        relay in vec(any::<u8>(), 0..600),
    ) {
        let wanted = [
            option(54, &GATEWAY.octets()),
            option(50, &ADDRESS.octets()),
            option(61, &identifier),
            option(82, &relay),
        ];
        let plain = Client { options: [vec![53, 1, REQUEST], wanted.concat()].concat(), ..Client::new(REQUEST) };
        let expected = answer(&plain);
        prop_assert_eq!(parts(&expected, 61).concat(), identifier);
        prop_assert_eq!(parts(&expected, 82).concat(), relay);
        prop_assert_eq!(last_option(&expected), 82);

        let mut options = Vec::new();
        let mut pieces = pieces.into_iter();
        for index in order {
            match pieces.next() {
                Some(Piece::Pad(len)) => options.resize(options.len() + len, 0),
                Some(Piece::Option(code, data)) => options.extend(option(code, &data)),
                None => {}
            }
            options.extend(&wanted[index]);
        }
        options.extend([53, 1, REQUEST]);
        let shuffled = Client { options, ..Client::new(REQUEST) };
        prop_assert_eq!(answer(&shuffled), expected);
    }

    /// An option in parts is the option, however it is cut.
    #[test]
    fn parts_are_put_together(cut in 0..=4_usize) {
        let octets = ADDRESS.octets();
        let (first, second) = octets.split_at(cut);
        let client = Client::new(REQUEST).server(GATEWAY).option(50, first).option(60, b"x").option(50, second);
        let is_leased = matches!(answer(&client).event, Event::Leased { state: ClientState::Selecting, .. });
        prop_assert!(is_leased);
    }

    #[test]
    fn no_message_makes_it_panic(
        options in vec(any::<u8>(), 0..700), overload in proptest::option::of(0..5_u8),
        file in vec(any::<u8>(), 128), sname in vec(any::<u8>(), 64), kind in 0..10_u8,
    ) {
        let mut client = Client::new(kind);
        client.file.copy_from_slice(&file);
        client.sname.copy_from_slice(&sname);
        if let Some(overload) = overload {
            client = client.option(52, &[overload]);
        }
        client.options.extend(options);
        let outcome = answer(&client);
        if let Some(reply) = outcome.reply {
            prop_assert!((22 + 28 + 300..=22 + 1500).contains(&reply.len()));
        }
    }
}
