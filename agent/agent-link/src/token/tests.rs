use super::*;

#[test]
fn round_trips_as_text() {
    let node: Name = "node1".parse().expect("name");
    let token = JoinToken::new(node, [0xab; 32], "s3cret_-").expect("legal");
    assert_eq!(token.to_string().parse(), Ok(token.clone()));
    assert_eq!(format!(" {token}\n").parse(), Ok(token));
    let longest =
        JoinToken::new("n".repeat(63).parse().expect("name"), [1; 32], &"x".repeat(256)).expect("legal");
    assert_eq!(longest.to_string().parse(), Ok(longest));
}

#[test]
fn bad_tokens_name_the_fault() {
    let hex = "ab".repeat(32);
    for (text, fault) in [
        (String::new(), TokenError::Form),
        (format!("wcjoin2.node1.{hex}.x"), TokenError::Form),
        (format!("wcjoin1.Node1.{hex}.x"), TokenError::Node),
        (format!("wcjoin1.node1.{}.x", &hex[1..]), TokenError::Fingerprint),
        (format!("wcjoin1.node1.+{}.x", &hex[1..]), TokenError::Fingerprint),
        (format!("wcjoin1.node1.{hex}."), TokenError::Secret),
        (format!("wcjoin1.node1.{hex}.a b"), TokenError::Secret),
        (format!("wcjoin1.node1.{hex}.{}", "x".repeat(257)), TokenError::Secret),
        (format!("wcjoin1.node1.{hex}.{}", "x".repeat(500)), TokenError::Form),
    ] {
        assert_eq!(text.parse::<JoinToken>(), Err(fault), "{text}");
    }
}

#[test]
fn debug_keeps_the_secret() {
    let token = JoinToken::new("node1".parse().expect("name"), [1; 32], "hunter2").expect("legal");
    assert!(!format!("{token:?}").contains("hunter2"));
}
