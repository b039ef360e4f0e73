use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair, SanType};
use x509_parser::certificate::X509Certificate;

use super::*;
use crate::Authority;

fn der(params: &CertificateParams, key: &KeyPair) -> Vec<u8> {
    params.serialize_request(key).expect("a request").der().to_vec()
}

#[test]
fn only_the_key_of_a_request_counts() {
    let dir = tempfile::tempdir().expect("directory");
    let authority = Authority::open(dir.path()).expect("authority");
    let key = KeyPair::generate().expect("key");
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "controller.wirecenter.internal");
    params.subject_alt_names = vec![SanType::DnsName("node2".try_into().expect("a name"))];
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let request = SigningRequest::from_der(&der(&params, &key)).expect("a request");
    let node = "node1".parse().expect("name");
    let certificate = authority.certify(&node, "uid", &request).expect("a certificate");
    let (_, certificate) = X509Certificate::from_der(&certificate).expect("a certificate");
    assert_eq!(certificate.public_key().raw, key.subject_public_key_info());
    assert!(!certificate.is_ca());
    assert!(certificate.subject().to_string().contains("CN=node1"), "{}", certificate.subject());
}

#[test]
fn what_is_not_a_request_is_refused() {
    let key = KeyPair::generate().expect("key");
    let good = der(&CertificateParams::default(), &key);
    let (mut longer, mut forged) = (good.clone(), good.clone());
    longer.push(0);
    *forged.last_mut().expect("not empty") ^= 1;
    let refused = |der: &[u8]| SigningRequest::from_der(der).expect_err("refused");
    assert!(matches!(refused(&[1, 2, 3]), RequestError::Form));
    assert!(matches!(refused(&longer), RequestError::Form));
    assert!(matches!(refused(&forged), RequestError::Refused(_)));
    assert!(matches!(refused(&vec![0; CSR_BYTES_MAX + 1]), RequestError::TooLong));
}

/// `openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -sha384 -nodes -subj /CN=node1 -outform der`.
const P256_SHA384: &[u8] = include_bytes!("p256-sha384.der");

#[test]
fn a_key_of_another_kind_than_its_signature_is_refused() {
    assert!(matches!(SigningRequest::from_der(P256_SHA384), Err(RequestError::Key)));
}
