//! What holds of every message, and of all bytes.

use openflow::{Match, Message, Version, Xid, frame_length, oxm::Oxm};
use proptest::{collection::vec, prelude::*, sample::select};

use crate::{
    arbitrary::{Entropy, Make},
    samples::samples,
};

fn version() -> impl Strategy<Value = Version> {
    select(Version::ALL)
}

fn message() -> impl Strategy<Value = (Version, Message)> {
    (version(), vec(any::<u8>(), 0..1500))
        .prop_map(|(version, bytes)| (version, Message::make(&mut Entropy::new(version, &bytes))))
}

/// What decodes encodes to what decodes to the same.
fn is_stable(version: Version, bytes: &[u8]) {
    let Ok((header, message)) = Message::decode(version, bytes) else { return };
    let again = message.to_bytes(version, header.xid).unwrap_or_else(|error| panic!("{message:?}: {error}"));
    let (_, same) = Message::decode(version, &again).unwrap_or_else(|error| panic!("{message:?}: {error}"));
    assert_eq!(message, same);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_message_encodes_and_decodes_to_itself((version, message) in message(), xid in any::<u32>()) {
        let bytes = message.to_bytes(version, Xid(xid)).unwrap_or_else(|error| panic!("{message:?}: {error}"));
        prop_assert_eq!(frame_length(&bytes), Some(bytes.len()));
        let (header, same) = Message::decode(version, &bytes).unwrap_or_else(|error| panic!("{message:?}: {error}"));
        prop_assert_eq!((header.xid, same), (Xid(xid), message));
    }

    #[test]
    fn a_message_that_is_cut_off_is_an_error((version, message) in message(), at in any::<prop::sample::Index>()) {
        let bytes = message.to_bytes(version, Xid(1)).expect("encoded");
        let cut = &bytes[..at.index(bytes.len())];
        let error = Message::decode(version, cut).expect_err("it is not whole");
        prop_assert!(error.offset <= cut.len());
    }

    /// Also when the header says so, it is never read beyond its end.
    #[test]
    fn a_message_whose_length_is_wrong_does_no_harm(
        (version, message) in message(),
        at in any::<prop::sample::Index>(),
    ) {
        let bytes = message.to_bytes(version, Xid(1)).expect("encoded");
        let len = 8 + at.index(bytes.len() - 7);
        let mut cut = bytes[..len].to_vec();
        cut[2..4].copy_from_slice(&u16::try_from(len).expect("short").to_be_bytes());
        is_stable(version, &cut);
    }

    #[test]
    fn bytes_that_are_changed_do_no_harm(
        (version, message) in message(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut bytes = message.to_bytes(version, Xid(1)).expect("encoded");
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        is_stable(version, &bytes);
    }

    #[test]
    fn any_bytes_do_no_harm(version in version(), kind in 0_u8..36, body in vec(any::<u8>(), 0..300)) {
        let length = u16::try_from(8 + body.len()).expect("short");
        let mut bytes = vec![version.number(), kind];
        bytes.extend(length.to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(body);
        is_stable(version, &bytes);
    }

    #[test]
    fn a_match_gives_back_what_was_put_in(bytes in vec(any::<u8>(), 0..300)) {
        let mut entropy = Entropy::new(Version::V1_3, &bytes);
        let fields: Vec<Oxm> = Make::make(&mut entropy);
        let matching = fields.iter().fold(Match::new(), Match::with_oxm);
        let parts = |oxm: &Oxm| (oxm.as_ref().id(), oxm.as_ref().value_bytes().to_vec(), oxm.as_ref().mask_bytes().map(<[u8]>::to_vec));
        let wanted: Vec<_> = fields.iter().map(parts).collect();
        let found: Vec<_> = matching
            .iter()
            .map(|oxm| (oxm.id(), oxm.value_bytes().to_vec(), oxm.mask_bytes().map(<[u8]>::to_vec)))
            .collect();
        prop_assert_eq!(wanted, found);
    }
}

#[test]
fn every_sample_encodes_and_decodes_to_itself() {
    for sample in samples() {
        let (_, same) = Message::decode(sample.version, &sample.bytes()).expect("decoded");
        assert_eq!(same, sample.message, "{}", sample.name);
    }
}

/// Not one byte of a message is without effect on whether it is whole.
#[test]
fn every_sample_that_is_cut_off_is_an_error() {
    for sample in samples() {
        let bytes = sample.bytes();
        for len in 0..bytes.len() {
            Message::decode(sample.version, &bytes[..len]).expect_err(&sample.name);
        }
    }
}
