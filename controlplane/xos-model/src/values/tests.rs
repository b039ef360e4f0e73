use std::{fmt::Display, str::FromStr};

use proptest::prelude::*;

use super::*;

fn accepts<T: FromStr + Display>(texts: &[&str])
where
    T::Err: Display,
{
    for text in texts {
        let value: T = text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(value.to_string(), *text);
    }
}

fn refuses<T: FromStr>(texts: &[&str]) {
    for text in texts {
        assert!(text.parse::<T>().is_err(), "{text:?}");
    }
}

#[test]
fn urls() {
    accepts::<HttpUrl>(&[
        "http://a",
        "https://example.net:8181/a/b?c=d#e",
        "http://[2001:db8::1]/",
        "HTTPS://a/",
    ]);
    let https = |url: &str| url.parse::<HttpUrl>().expect("a URL").is_https();
    assert_eq!(["https://a", "HTTPS://a", "http://a"].map(https), [true, true, false]);
    let long = format!("http://a/{}", "x".repeat(2048));
    refuses::<HttpUrl>(&[
        "",
        "a",
        "http:",
        "http://",
        "http:a",
        "http:/a",
        "http:\\\\a",
        "http://a\\b",
        "ftp://a/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://user@a/",
        "http://:secret@a/",
        " http://a",
        "http://a\n",
        "http://a b/",
        "//a",
        "http://a:99999/",
        &long,
    ]);
}

#[test]
fn mail_addresses() {
    let local = "l".repeat(64);
    let longest = format!("{local}@{}.{}.{}", "h".repeat(63), "h".repeat(63), "h".repeat(61));
    accepts::<Email>(&["a@b", "ada.l+x@math.example.net", "o'brien@x-y.example", &longest]);
    let longer = longest.clone() + "h";
    let local = format!("{local}l@a");
    refuses::<Email>(&[
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a b@c",
        ".a@b",
        "a.@b",
        "a..b@c",
        "a@b@c",
        "a@-b",
        "a@b-",
        "a@b..c",
        "a@b.",
        "a\n@b",
        "\"a\"@b",
        "a@[192.0.2.1]",
        &longer,
        &local,
    ]);
}

#[test]
fn digests_and_versions_and_texts() {
    let digest = "0123456789abcdef".repeat(4);
    accepts::<Sha256>(&[&digest]);
    refuses::<Sha256>(&[
        "",
        &digest[1..],
        &digest.to_uppercase(),
        &digest.replace('0', "g"),
        &digest.replace("01", "é"),
    ]);
    accepts::<Version>(&["1", "1.2.3-rc1+build~7_x"]);
    refuses::<Version>(&["", "1 2", "1/2", &"1".repeat(65)]);
    accepts::<Text<4>>(&["", "a\n\tb", "éé"]);
    refuses::<Text<4>>(&["abcde", "ééé", "\0", "\r", "\u{85}"]);
}

#[test]
fn keys_of_people() {
    let data = |kind: &str, rest: &[u8]| {
        let len = u32::try_from(kind.len()).expect("short").to_be_bytes();
        Base64::from([&len, kind.as_bytes(), rest].concat()).to_string()
    };
    let ed25519 = data("ssh-ed25519", &[7; 36]);
    let sk = data("sk-ssh-ed25519@openssh.com", &[7]);
    accepts::<SshKey>(&[
        &format!("ssh-ed25519 {ed25519}"),
        &format!("ssh-ed25519 {ed25519} Ada at home"),
        &format!("sk-ssh-ed25519@openssh.com {sk} x"),
    ]);
    let (empty, wrong) = (data("ssh-ed25519", &[]), Base64::from(vec![255, 255, 255, 255, 1]).to_string());
    refuses::<SshKey>(&[
        "",
        "ssh-ed25519",
        "ssh-ed25519 ",
        "ssh-ed25519 !",
        "ssh-ed25519 AAAA",
        &format!("ssh-rsa {ed25519}"),
        &format!("ssh-ed25519 {empty}"),
        &format!("ssh-ed25519 {wrong}"),
        &format!("command=\"sh\" ssh-ed25519 {ed25519}"),
        &format!("ssh-ed25519 {ed25519}\nssh-ed25519 {ed25519}"),
        &format!("ssh-dss {}", data("ssh-dss", &[1])),
        &format!("ssh-ed25519 {ed25519} {}", "x".repeat(4096)),
    ]);
}

#[test]
fn bundles_of_authorities() {
    let one = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    accepts::<CaBundle>(&[one, &one.repeat(3), &format!("# the office's\r\n{}", one.replace('\n', "\r\n"))]);
    refuses::<CaBundle>(&[
        "",
        "MAA=",
        &one[..40],
        &one.replace("MAA=\n", ""),
        &one.replace("MAA=", "M!"),
        &one.replace("MAA=", one),
        &format!("{one}-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"),
        &one.replace("CERTIFICATE", "RSA PRIVATE KEY"),
        &one.repeat(2000),
    ]);
}

proptest! {
    #[test]
    fn what_parses_prints_as_itself(text in ".{0,80}|[a-z.@:/-]{0,40}|https?://[a-z\\[\\]:@?#/%.-]{0,20}") {
        macro_rules! same { ($($type:ty)*) => {$(
            if let Ok(value) = text.parse::<$type>() {
                prop_assert_eq!(value.to_string(), &*text);
            }
        )*} }
        same! { Base64 CaBundle Email HttpUrl Sha256 SshKey Text<40> Version }
    }
}
