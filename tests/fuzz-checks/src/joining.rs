//! What a node shows that wants to join: its token, its certificate signing request.

use std::sync::LazyLock;

use agent_link::{Authority, JoinToken, SigningRequest};
use net_types::Name;
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use x509_parser::{
    certificate::X509Certificate, certification_request::X509CertificationRequest, extensions::GeneralName,
    prelude::FromDer,
};

/// A token prints as it was written, but for the case of its digits; a secret that is accepted fits into a token.
pub fn fuzz_join_token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(token) = text.parse::<JoinToken>() {
        let printed = token.to_string();
        assert!(printed.eq_ignore_ascii_case(text.trim()), "{text:?} prints as {printed:?}");
        assert_eq!(printed.parse(), Ok(token));
    }
    if let Ok(token) = JoinToken::new(NODE.clone(), [0xab; 32], text) {
        assert_eq!(token.to_string().parse(), Ok(token));
    }
}

static NODE: LazyLock<Name> = LazyLock::new(|| "node1".parse().expect("a name"));

/// An office, and a node's key (as a request shows it, too).
struct Office {
    authority: Authority,
    random: SystemRandom,
    key: EcdsaKeyPair,
}

static OFFICE: LazyLock<Office> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::open(folder.path()).expect("an authority");
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
    let key = EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).expect("a key");
    Office { authority, random, key }
});

/// A request as it comes; its signature is rarely right, so most of the work is done by the next one.
pub fn fuzz_csr(bytes: &[u8]) {
    let Ok(request) = SigningRequest::from_der(bytes) else { return };
    let (rest, asked) = X509CertificationRequest::from_der(bytes).expect("what was read is a request");
    assert!(rest.is_empty(), "nothing comes after a request");
    let key = asked.certification_request_info.subject_pki.raw;
    let certificate = OFFICE.authority.certify(&NODE, "uid", &request).expect("what was read is signed");
    let (rest, certificate) = X509Certificate::from_der(&certificate).expect("a certificate");
    assert!(rest.is_empty());
    assert_eq!(certificate.public_key().raw, key, "a certificate is of the key that was shown");
    assert!(!certificate.is_ca(), "no node is an authority");
    let names = certificate.subject_alternative_name().expect("readable").expect("there");
    assert_eq!(names.value.general_names, [GeneralName::DNSName("node1")], "and of its node alone");
    let usage = certificate.extended_key_usage().expect("readable").expect("there").value;
    assert!(usage.client_auth && !usage.server_auth && !usage.any, "no node is a controller");
    let subject = certificate.subject().to_string();
    assert_eq!(subject, "CN=node1, serialNumber=uid", "nothing else is of the request's saying");
}

/// The beginning of an uncompressed point of P-256 as a bit string (RFC 5480, 2.2).
const POINT: [u8; 4] = [0x03, 0x42, 0x00, 0x04];
/// ecdsa-with-SHA256 (RFC 5758, 3.2).
const ALGORITHM: [u8; 12] = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// What a request says, with a node's own key in it where there is room for one, and soundly signed.
pub fn fuzz_csr_signed(bytes: &[u8]) {
    fuzz_csr(&signed(bytes));
}

pub(crate) fn signed(bytes: &[u8]) -> Vec<u8> {
    let mut said = bytes.to_vec();
    let shown = OFFICE.key.public_key().as_ref();
    if let Some(at) = said.windows(POINT.len()).position(|window| window == POINT)
        && let Some(room) = said.get_mut(at + 3..at + 3 + shown.len())
    {
        room.copy_from_slice(shown);
    }
    let signature = OFFICE.key.sign(&OFFICE.random, &said).expect("signs");
    let signature = [&[0], signature.as_ref()].concat();
    let parts = [said, ALGORITHM.into(), tagged(0x03, &signature)].concat();
    tagged(0x30, &parts)
}

/// DER: tag, length, content.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let len = content.len().to_be_bytes();
    let len = &len[len.iter().position(|byte| *byte != 0).unwrap_or(len.len() - 1)..];
    let mut der = vec![tag];
    if content.len() >= 0x80 {
        der.push(0x80 | u8::try_from(len.len()).expect("at most eight"));
    }
    der.extend_from_slice(len);
    der.extend_from_slice(content);
    der
}
