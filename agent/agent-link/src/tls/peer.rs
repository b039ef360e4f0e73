//! What a certificate says.

use std::time::{Duration, SystemTime};

use net_types::Name;
use x509_parser::{
    certificate::X509Certificate, extensions::GeneralName, oid_registry::OID_X509_SERIALNUMBER,
};

/// How long after its certificate has expired a node may still renew it: so long can a node be switched off, or the
/// controller away, without anyone having to hand out a new token. A deleted node is refused all the
/// same, and one that was created again under its name.
pub(crate) const RENEWAL_GRACE: Duration = Duration::from_hours(24 * 30);

/// Who is at the other end, by its certificate. The handshake has checked who signed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
    pub(crate) node: Name,
    /// Tells the node from an earlier one of the same name.
    pub(crate) uid: String,
    pub(crate) validity: Validity,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Validity {
    pub(crate) not_before: SystemTime,
    pub(crate) not_after: SystemTime,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PeerError {
    #[error("the certificate cannot be parsed")]
    Parse,
    #[error("the certificate does not name exactly one node")]
    Node,
    #[error("the certificate does not name exactly one uid of a node")]
    Uid,
}

impl Peer {
    pub(crate) fn from_der(certificate: &[u8]) -> Result<Self, PeerError> {
        let (_, certificate) =
            x509_parser::parse_x509_certificate(certificate).map_err(|_| PeerError::Parse)?;
        let names = certificate.subject_alternative_name().map_err(|_| PeerError::Parse)?;
        let names = names.map_or(&[][..], |extension| &extension.value.general_names[..]);
        let [GeneralName::DNSName(node)] = names else { return Err(PeerError::Node) };
        let node = node.parse().map_err(|_| PeerError::Node)?;
        let uids: Vec<_> = certificate.subject().iter_by_oid(&OID_X509_SERIALNUMBER).collect();
        let [uid] = uids[..] else { return Err(PeerError::Uid) };
        let uid = uid.as_str().map_err(|_| PeerError::Uid)?.to_owned();
        Ok(Self { node, uid, validity: Validity::of(&certificate) })
    }
}

impl Validity {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let time = |t: x509_parser::time::ASN1Time| {
            let seconds = u64::try_from(t.timestamp()).unwrap_or(0);
            SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
        };
        Self {
            not_before: time(certificate.validity().not_before),
            not_after: time(certificate.validity().not_after),
        }
    }

    /// How long from `now` until a new certificate is due, at two thirds of the life of this one.
    pub(crate) fn until_renewal(self, now: SystemTime) -> Duration {
        let life = self.not_after.duration_since(self.not_before).unwrap_or_default();
        (self.not_before + life * 2 / 3).duration_since(now).unwrap_or_default()
    }

    /// How long from `now` until it expires; `None`: it has.
    pub(crate) fn left(self, now: SystemTime) -> Option<Duration> {
        self.not_after.duration_since(now).ok().filter(|left| !left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_is_due_at_two_thirds_of_life() {
        let at = |hours| SystemTime::UNIX_EPOCH + Duration::from_hours(hours);
        let validity = Validity { not_before: at(100), not_after: at(124) };
        assert_eq!(validity.until_renewal(at(100)), Duration::from_hours(16));
        assert_eq!(validity.until_renewal(at(116)), Duration::ZERO);
        assert_eq!(validity.until_renewal(at(200)), Duration::ZERO);
        assert_eq!(validity.left(at(123)), Some(Duration::from_hours(1)));
        assert_eq!((validity.left(at(124)), validity.left(at(125))), (None, None));
    }

    #[test]
    fn rubbish_is_nobody() {
        assert_eq!(Peer::from_der(&[0x30, 0x03, 1, 2, 3]), Err(PeerError::Parse));
        let key = rcgen::KeyPair::generate().expect("key");
        for names in [vec![], vec!["node1".to_owned(), "node2".to_owned()], vec!["node1.example".to_owned()]]
        {
            let params = rcgen::CertificateParams::new(names).expect("names");
            let certificate = params.self_signed(&key).expect("certificate");
            assert_eq!(Peer::from_der(certificate.der()), Err(PeerError::Node));
        }
        let params = rcgen::CertificateParams::new(vec!["node1".to_owned()]).expect("names");
        let certificate = params.self_signed(&key).expect("certificate");
        assert_eq!(Peer::from_der(certificate.der()), Err(PeerError::Uid));
    }
}
