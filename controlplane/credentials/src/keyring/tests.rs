use proptest::prelude::*;

use super::*;

const HERE: Place<'_> = Place { kind: "Secret", name: "openstack", uid: "u-1", key: "password" };

fn ring() -> Keyring {
    Keyring::of(vec![Key::generate().expect("random")])
}

/// A ring that seals with a new key and still opens with those of `old`.
fn rotated(old: &Keyring) -> Keyring {
    let new = Key::generate().expect("random");
    Keyring::of(std::iter::once(new).chain(old.keys().iter().map(Key::copy)).collect())
}

#[test]
fn what_is_sealed_opens_in_its_place_only() {
    let ring = ring();
    let sealed = ring.seal(HERE, b"hunter2").expect("sealed");
    assert_eq!(sealed.len(), b"hunter2".len() + Keyring::OVERHEAD_BYTES);
    assert_eq!(**ring.open(HERE, &sealed).expect("opened"), *b"hunter2");
    for elsewhere in [
        Place { kind: "Controller", ..HERE },
        Place { name: "openstack2", ..HERE },
        Place { uid: "u-2", ..HERE },
        Place { key: "user", ..HERE },
        // The same letters, cut elsewhere.
        Place { kind: "Secreto", name: "penstack", ..HERE },
        Place { uid: "u-1password", key: "", ..HERE },
    ] {
        assert_eq!(ring.open(elsewhere, &sealed).err(), Some(OpenError::Refused), "{elsewhere:?}");
    }
}

#[test]
fn each_changed_bit_and_each_cut_is_refused() {
    let ring = ring();
    let sealed = ring.seal(HERE, b"hunter2").expect("sealed");
    for bit in 0..8 * sealed.len() {
        let mut tampered = sealed.clone();
        tampered[bit / 8] ^= 1 << (bit % 8);
        assert!(ring.open(HERE, &tampered).is_err(), "bit {bit}");
    }
    for end in 0..sealed.len() {
        assert!(ring.open(HERE, &sealed[..end]).is_err(), "cut at {end}");
    }
    let longer: Vec<_> = sealed.iter().copied().chain([0]).collect();
    assert_eq!(ring.open(HERE, &longer).err(), Some(OpenError::Refused));
}

#[test]
fn another_key_does_not_open() {
    let (own, other) = (ring(), ring());
    let sealed = own.seal(HERE, b"hunter2").expect("sealed");
    assert_eq!(other.open(HERE, &sealed).err(), Some(OpenError::UnknownKey(own.sealing_key())));
    // Nor does one that claims to be the right one.
    let mut claims = sealed;
    claims[1..=ID_BYTES].copy_from_slice(&other.sealing_key().0);
    assert_eq!(other.open(HERE, &claims).err(), Some(OpenError::Refused));
}

#[test]
fn after_a_rotation_old_seals_open_and_new_ones_are_made_with_the_new_key() {
    let old = ring();
    let sealed = old.seal(HERE, b"hunter2").expect("sealed");
    let new = rotated(&old);
    assert_eq!(**new.open(HERE, &sealed).expect("opened"), *b"hunter2");
    let resealed = new.reseal(HERE, &sealed).expect("resealed").expect("the key is another");
    assert_eq!(**new.open(HERE, &resealed).expect("opened"), *b"hunter2");
    assert_eq!(old.open(HERE, &resealed).err(), Some(OpenError::UnknownKey(new.sealing_key())));
    assert_eq!(new.reseal(HERE, &resealed), Ok(None));
    let elsewhere = Place { uid: "u-2", ..HERE };
    assert_eq!(new.reseal(elsewhere, &sealed), Err(OpenError::Refused.into()), "resealing moves nothing");
}

#[test]
fn two_seals_of_the_same_differ_and_show_nothing() {
    let ring = ring();
    let seals =
        [ring.seal(HERE, b"hunter2"), ring.seal(HERE, b"hunter2")].map(|sealed| sealed.expect("sealed"));
    assert_ne!(seals[0][HEADER_BYTES..], seals[1][HEADER_BYTES..]);
    assert!(!seals[0].windows(7).any(|window| window == b"hunter2"));
    assert_eq!(format!("{ring:?}"), format!("Keyring([Key({})])", ring.sealing_key()));
}

#[test]
fn lengths_have_limits() {
    let ring = ring();
    for len in [0, Keyring::PLAIN_BYTES_MAX] {
        let sealed = ring.seal(HERE, &vec![7; len]).expect("sealed");
        assert_eq!(ring.open(HERE, &sealed).expect("opened").len(), len);
    }
    assert_eq!(ring.seal(HERE, &vec![7; Keyring::PLAIN_BYTES_MAX + 1]), Err(SealError::Long));
    let too_long = vec![VERSION; Keyring::PLAIN_BYTES_MAX + Keyring::OVERHEAD_BYTES + 1];
    assert_eq!(ring.open(HERE, &too_long).err(), Some(OpenError::Form));
}

proptest! {
    #[test]
    fn any_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..80), known in any::<bool>()) {
        let ring = ring();
        let mut bytes = bytes;
        if known && bytes.len() > ID_BYTES {
            bytes[0] = VERSION;
            bytes[1..=ID_BYTES].copy_from_slice(&ring.sealing_key().0);
        }
        prop_assert!(ring.open(HERE, &bytes).is_err());
    }
}
