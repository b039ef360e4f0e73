use super::*;

#[test]
fn what_is_shown_opens_what_is_stored() {
    let first = FirstToken::generate().expect("random");
    assert_eq!(format!("{first:?}"), "FirstToken(wct_…)");
    let mut shown = Vec::new();
    let hash = first.show(&mut shown).expect("a vector takes all");
    let shown = String::from_utf8(shown).expect("text");
    let token = shown.split_whitespace().find(|word| word.starts_with("wct_")).expect("a token");
    assert_eq!(shown.matches("wct_").count(), 1);
    assert!(hash.matches(&token.parse().expect("a token")));
}

#[test]
fn what_cannot_be_shown_gives_nothing_to_store() {
    let full: &mut [u8] = &mut [0; 8];
    assert!(FirstToken::generate().expect("random").show(full).is_err());
}
