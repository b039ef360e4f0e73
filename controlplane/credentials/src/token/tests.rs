use proptest::prelude::*;

use super::*;

#[test]
fn a_token_is_read_back_and_matches_its_own_hash_only() {
    let (token, other) = (Token::generate().expect("random"), Token::generate().expect("random"));
    assert_eq!(token.expose().len(), Token::LEN);
    assert!(token.expose().starts_with("wct_"));
    let again: Token = token.expose().parse().expect("a token");
    assert!(token.hash().matches(&again));
    assert!(!token.hash().matches(&other));
    assert_ne!(token.expose(), other.expose());
}

#[test]
fn each_changed_digit_is_a_typing_error() {
    let token = Token::generate().expect("random");
    for i in PREFIX.len()..Token::LEN {
        let mut text = token.expose().to_owned();
        let other = if text.as_bytes()[i] == b'0' { "1" } else { "0" };
        text.replace_range(i..=i, other);
        assert_eq!(text.parse::<Token>().err(), Some(TokenError::Check), "digit {i}");
    }
}

#[test]
fn what_has_not_the_form_is_no_token() {
    let token = Token::generate().expect("random").expose().to_owned();
    for text in [
        String::new(),
        token[1..].to_owned(),
        token[..Token::LEN - 1].to_owned(),
        format!("{token}0"),
        format!(" {token}"),
        token.to_uppercase(),
        token.replacen("wct_", "wcx_", 1),
        format!("wct_{}", "é".repeat(36)),
    ] {
        assert_eq!(text.parse::<Token>().err(), Some(TokenError::Form), "{text:?}");
    }
}

#[test]
fn nothing_shows_a_token() {
    let token = Token::generate().expect("random");
    let digits = &token.expose()[PREFIX.len()..];
    assert_eq!(format!("{token:?}"), "Token(wct_…)");
    assert!(!format!("{:?} {}", token.hash(), token.hash()).contains(digits));
    assert_eq!(format!("{:?}", token.hash()).len(), "TokenHash(00000000…)".len());
}

#[test]
fn a_hash_is_stored_as_text() {
    let hash = Token::generate().expect("random").hash();
    let json = serde_json::to_string(&hash).expect("JSON");
    assert_eq!(json, format!("\"{hash}\""));
    assert_eq!(serde_json::from_str::<TokenHash>(&json).expect("a hash"), hash);
    for bad in ["\"\"", "\"00\"", "7"] {
        assert!(serde_json::from_str::<TokenHash>(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn any_text_is_a_token_or_an_error(text in prop_oneof![".{0,90}", "wct_[0-9a-f]{72}"]) {
        prop_assert!(text.parse::<Token>().is_err());
    }
}
