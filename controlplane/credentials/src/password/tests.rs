use proptest::prelude::*;

use super::*;

/// As cheap as argon2 can be.
fn cheap() -> Cost {
    Cost::new(8, 1, 1).expect("the least")
}

fn given(text: &str) -> Password {
    Password::given(Zeroizing::new(text.to_owned())).expect("not too long")
}

#[test]
fn a_password_matches_its_own_hash_only() {
    let right = given("correct horse battery staple");
    let hash = right.hash(cheap()).expect("random");
    assert!(verify(Some(&hash), &right, cheap()));
    assert!(!verify(Some(&hash), &given("correct horse battery stapl"), cheap()));
    assert!(!verify(Some(&hash), &given(""), cheap()));
    assert_ne!(right.hash(cheap()).expect("random"), hash, "each has a salt of its own");
}

#[test]
fn who_has_no_password_cannot_log_in() {
    assert!(!verify(None, &given(""), cheap()));
    assert!(!verify(None, &given("correct horse battery staple"), cheap()));
}

/// From the reference implementation's own tests (P-H-C/phc-winner-argon2, src/test.c), whose salts are shorter.
#[test]
fn the_tag_is_argon2ids() {
    let cost = Cost::new(65_536, 2, 1).expect("within the limits");
    let tag = given("password").tag(cost, b"somesalt");
    assert_eq!(BASE64_NOPAD.encode(&tag), "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc");
}

#[test]
fn the_costs_in_use_are_those_of_their_sources() {
    let hash = given("x").hash(Cost::OWASP).expect("random");
    assert!(hash.to_phc().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.to_phc());
    assert!(verify(Some(&hash), &given("x"), Cost::OWASP));
    assert!(!hash.needs_rehash(Cost::OWASP));
    assert!(hash.needs_rehash(Cost::RFC_9106_LOW_MEMORY));
    let low_memory = "m=65536,t=3,p=4".parse();
    assert_eq!(low_memory, Ok(Cost::RFC_9106_LOW_MEMORY));
}

#[test]
fn a_chosen_password_has_a_length() {
    let choose = |text: String| Password::choose(Zeroizing::new(text)).err();
    assert_eq!(choose("é".repeat(14)), Some(PasswordError::Short));
    assert_eq!(choose("é".repeat(15)), None);
    assert_eq!(choose("a".repeat(Password::BYTES_MAX)), None);
    assert_eq!(choose("a".repeat(Password::BYTES_MAX + 1)), Some(PasswordError::Long));
    assert!(Password::given(Zeroizing::new("a".repeat(Password::BYTES_MAX + 1))).is_err());
}

#[test]
fn a_hash_that_would_cost_too_much_or_is_another_is_not_read() {
    let phc = given("x").hash(cheap()).expect("random").to_phc();
    assert_eq!(phc.parse::<PasswordHash>().expect("a hash").to_phc(), phc);
    for (from, to) in [
        ("m=8,", "m=65537,"),
        ("m=8,", "m=7,"),
        ("m=8,", "m=08,"),
        ("m=8,", "m=+8,"),
        ("m=8,", ""),
        ("t=1", "t=0"),
        ("t=1", "t=9"),
        ("p=1", "p=0"),
        ("p=1", "p=2"),
        ("p=1", "p=5"),
        ("p=1", "p=1,keyid=AA"),
        ("argon2id", "argon2i"),
        ("v=19", "v=16"),
        ("$argon2id", "argon2id"),
    ] {
        let bad = phc.replacen(from, to, 1);
        assert_ne!(bad, phc);
        assert!(bad.parse::<PasswordHash>().is_err(), "{bad}");
    }
    for end in 0..phc.len() {
        assert!(phc[..end].parse::<PasswordHash>().is_err(), "{}", &phc[..end]);
    }
    assert!(format!("{phc}$").parse::<PasswordHash>().is_err());
    assert!(format!("{phc}AAAA").parse::<PasswordHash>().is_err());
}

#[test]
fn nothing_shows_a_password() {
    let password = given("correct horse battery staple");
    assert_eq!(format!("{password:?}"), "Password(…)");
    let hash = password.hash(cheap()).expect("random");
    let shown = format!("{hash:?}");
    assert!(!shown.contains(&BASE64_NOPAD.encode(&hash.tag)) && !shown.contains("tag"), "{shown}");
}

proptest! {
    #[test]
    fn any_text_is_a_hash_in_its_one_spelling_or_an_error(
        text in prop_oneof![".{0,60}", "\\$argon2id\\$v=19\\$m=[0-9]{1,6},t=[0-9],p=[0-9]\\$[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}"],
    ) {
        if let Ok(hash) = text.parse::<PasswordHash>() {
            prop_assert_eq!(hash.to_phc(), text);
        }
    }
}
