use serde_json::json;

use crate::*;

const CANARY: &str = "correct horse";

fn plain() -> SecretSpec {
    parse_value(json!({"data": {"password": CANARY, "user": ""}})).expect("a secret")
}

#[test]
fn the_clear_form_is_never_written() {
    let draft = Draft::new(Metadata::named("s".parse().expect("a name")), plain());
    let object = Object {
        kind: KindName::Secret,
        metadata: draft.metadata.clone(),
        spec: plain(),
        status: SecretStatus::default(),
    };
    let texts = [
        format!("{draft:?} {draft:#?} {object:?}"),
        serde_json::to_string(&plain()).expect("JSON"),
        serde_json::to_string(&object).expect("JSON"),
    ];
    for text in texts {
        assert!(!text.contains(CANARY) && !text.contains("horse") && text.contains("password"), "{text}");
    }
    let SecretSpec::Plain(data) = plain() else { panic!("not in the clear") };
    assert_eq!((data.get("password"), data.get("user"), data.get("x")), (Some(CANARY), Some(""), None));
}

#[test]
fn faults_do_not_show_values() {
    for value in [json!(4242), json!(-4242), json!(42.42), json!(["4242"]), json!({"4242": 1}), json!(true)] {
        for text in [json!({"data": {"pin": value}}), json!({"data": {"pin": value}, "keys": []})] {
            let text = text.to_string();
            let error = parse::<SecretSpec>(text.as_bytes()).expect_err("not a text").to_string();
            assert!(
                error.contains("/data/pin") && !error.contains("42") && !error.contains("true"),
                "{error}"
            );
        }
    }
    let long = json!({"data": {"pin": "4242".repeat(20_000)}});
    let error = parse_value::<SecretSpec>(long).expect_err("too long");
    assert!(error.len() == 1 && error[0].detail.len() < 100, "{}", error.len());
}

#[test]
fn a_secret_is_sent_stored_and_served() {
    // Not encryption: what is looked at is what becomes of the bytes.
    let sealed = plain().seal(|bytes| Ok::<_, ()>(bytes.iter().map(|b| !b).collect())).expect("sealed");
    let stored = serde_json::to_value(&sealed).expect("JSON");
    assert_eq!(stored["keys"], json!(["password", "user"]));
    let SecretSpec::Sealed { sealed: bytes, .. } = &sealed else { panic!("not sealed") };
    let opened: Vec<u8> = bytes.as_bytes().iter().map(|b| !b).collect();
    let SecretSpec::Plain(data) = plain() else { panic!("not in the clear") };
    assert_eq!(SecretData::decode(&opened), Some(data));
    assert_eq!(parse_value::<SecretSpec>(stored), Ok(sealed.clone()));
    assert_eq!(sealed.validate(), []);
    assert_eq!(sealed.clone().seal(|_| Err("sealed twice")), Ok(sealed.clone()));
    let served = serde_json::to_value(sealed.served()).expect("JSON");
    assert_eq!(served, json!({"keys": ["password", "user"]}));
    let back: SecretSpec = parse_value(served).expect("read");
    assert_eq!((back.validate(), back.keys()), (vec![], sealed.keys()), "what is served can be put back");
    assert_eq!(plain().seal(|_| Err("no key")), Err("no key"));
}

#[test]
fn forms_do_not_mix() {
    for mixed in [
        json!({}),
        json!({"sealed": "AAAA"}),
        json!({"data": {}, "sealed": "AAAA", "keys": []}),
        json!({"data": {"a b": ""}}),
        json!({"sealed": "A", "keys": []}),
    ] {
        parse_value::<SecretSpec>(mixed.clone()).expect_err(&mixed.to_string());
    }
}

#[test]
fn a_change_keeps_what_it_names_and_replaces_what_it_has() {
    let SecretSpec::Plain(stored) = plain() else { panic!("not in the clear") };
    let change = |spec| match parse_value(spec).expect("a secret") {
        SecretSpec::Change { data, keys } => data.with_kept(&stored, &keys),
        SecretSpec::Keys(keys) => SecretData::default().with_kept(&stored, &keys),
        other => panic!("{other:?}"),
    };
    for (spec, password, user, pin) in [
        (json!({"keys": ["password", "user"]}), Some(CANARY), Some(""), None),
        (json!({"keys": ["user"]}), None, Some(""), None),
        (json!({"keys": ["user", "password"], "data": {"password": "new"}}), Some("new"), Some(""), None),
        (json!({"keys": ["user", "pin"], "data": {"pin": "1"}}), None, Some(""), Some("1")),
    ] {
        let data = change(spec.clone()).expect("all is there");
        assert_eq!(
            (data.get("password"), data.get("user"), data.get("pin")),
            (password, user, pin),
            "{spec}"
        );
    }
    assert_eq!(change(json!({"keys": ["pin", "user"]})).expect_err("no pin").as_str(), "pin");
}

#[test]
fn limits_hold_and_damage_is_no_secret() {
    let data: serde_json::Map<_, _> = (0..65).map(|i| (format!("k{i}"), json!(""))).collect();
    let many: SecretSpec = parse_value(json!({"data": data})).expect("a secret");
    assert_eq!(many.validate()[0].pointer.as_str(), "/spec/data");
    let data: serde_json::Map<_, _> = (0..5).map(|i| (format!("k{i}"), json!("x".repeat(60_000)))).collect();
    let big: SecretSpec = parse_value(json!({"data": data})).expect("a secret");
    assert_eq!(big.validate()[0].pointer.as_str(), "/spec/data");
    let SecretSpec::Plain(data) = plain() else { panic!("not in the clear") };
    let bytes = data.encode();
    for len in 1..bytes.len() {
        // Where one value ends, what is left is a smaller secret.
        assert!(SecretData::decode(&bytes[..len]).is_none_or(|less| less != data), "{len}");
    }
    for damaged in [&[0, 0][..], &[255; 8], &[0, 0, 0, 1, b'!', 0, 0, 0, 0], &[0, 0, 0, 1, 255]] {
        assert_eq!(SecretData::decode(damaged), None, "{damaged:?}");
    }
}
