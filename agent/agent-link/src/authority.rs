//! The office's certificate authority.

use std::{
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

use net_types::Name;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, DnValue, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData, SanType,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use time::OffsetDateTime;

use crate::{JoinToken, SigningRequest, TokenError};

/// How long a certificate of a node or of the controller's end is valid.
pub(crate) const LIFETIME: Duration = Duration::from_hours(24);
/// How far back a certificate's validity begins, for clocks that are behind.
const CLOCK_SKEW: Duration = Duration::from_mins(10);
const CA_LIFETIME: Duration = Duration::from_hours(24 * 365 * 20);
/// The name that the controller's end has in its certificate. A node's name has no dots, so no node can have it.
pub(crate) const SERVER_NAME: &str = "controller.wirecenter.internal";

/// The attribute of a subject that tells those of the same name apart: here, a node's uid (X.520, serialNumber).
const SERIAL_NUMBER: [u64; 4] = [2, 5, 4, 5];

/// The office's key and certificate, which vouch for its controller and its nodes.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path} holds no certificate or key that can be used: {reason}")]
    Content { path: PathBuf, reason: String },
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
}

/// A certificate with its private key.
pub(crate) struct Identified {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Authority {
    /// In its directory, its key.
    pub const KEY_FILE: &str = "office-ca-key.pem";
    /// In its directory, the certificate that clients are to trust.
    pub const CERTIFICATE_FILE: &str = "office-ca.pem";

    /// Opens the authority that is kept in `dir`, or makes one there (readable by its owner only).
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, AuthorityError> {
        let key_path = dir.as_ref().join(Self::KEY_FILE);
        let certificate_path = dir.as_ref().join(Self::CERTIFICATE_FILE);
        // The key is written last: as long as it is missing, nobody can have been given a certificate.
        if !key_path.exists() {
            Self::make(dir.as_ref(), &certificate_path, &key_path)?;
        }
        let read = |path: &Path| {
            std::fs::read_to_string(path).map_err(|source| AuthorityError::File { path: path.into(), source })
        };
        Self::from_pem((&certificate_path, &read(&certificate_path)?), (&key_path, &read(&key_path)?))
    }

    /// An authority from its certificate and its key in PEM, each after the path that it is from.
    pub fn from_pem(
        (certificate_path, certificate): (&Path, &str),
        (key_path, key): (&Path, &str),
    ) -> Result<Self, AuthorityError> {
        let content = |path: &Path, reason: String| AuthorityError::Content { path: path.into(), reason };
        let certificate = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|e| content(certificate_path, e.to_string()))?;
        let key = KeyPair::from_pem(key).map_err(|e| content(key_path, e.to_string()))?;
        let public = x509_parser::parse_x509_certificate(&certificate)
            .map_err(|e| content(certificate_path, e.to_string()))?
            .1
            .public_key()
            .raw
            .to_vec();
        if public != key.subject_public_key_info() {
            return Err(content(key_path, "it is not the key of the certificate beside it".into()));
        }
        let issuer = Issuer::from_ca_cert_der(&certificate, key)?;
        Ok(Self { issuer, certificate })
    }

    /// The text of a join token for a node; `secret` is what [`crate::Office::redeem`] will be asked about.
    pub fn token(&self, node: &Name, secret: &str) -> Result<String, TokenError> {
        JoinToken::new(node.clone(), fingerprint(&self.certificate), secret).map(|token| token.to_string())
    }

    fn make(dir: &Path, certificate_path: &Path, key_path: &Path) -> Result<(), AuthorityError> {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .map_err(|source| AuthorityError::File { path: dir.into(), source })?;
        let key = KeyPair::generate()?;
        let mut params = params_for("Wirecenter office", OffsetDateTime::now_utc() + CA_LIFETIME);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        write_private(certificate_path, certificate.pem().as_bytes())?;
        write_private(key_path, key.serialize_pem().as_bytes())
    }

    pub(crate) const fn certificate(&self) -> &CertificateDer<'static> {
        &self.certificate
    }

    /// A certificate for a node, in DER, of the key that it asks for; all else is ours to say.
    pub fn certify(
        &self,
        node: &Name,
        uid: &str,
        request: &SigningRequest,
    ) -> Result<Vec<u8>, AuthorityError> {
        let not_after = OffsetDateTime::now_utc() + LIFETIME;
        Ok(self.certify_key(node, uid, request.key(), not_after)?.to_vec())
    }

    pub(crate) fn certify_key(
        &self,
        node: &Name,
        uid: &str,
        key: &impl PublicKeyData,
        not_after: OffsetDateTime,
    ) -> Result<CertificateDer<'static>, rcgen::Error> {
        let mut params = params_for(node.as_str(), not_after);
        let uid = DnValue::PrintableString(uid.try_into()?);
        params.distinguished_name.push(DnType::CustomDnType(SERIAL_NUMBER.to_vec()), uid);
        params.subject_alt_names = vec![SanType::DnsName(node.as_str().try_into()?)];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        Ok(params.signed_by(key, &self.issuer)?.der().clone())
    }

    /// A certificate for the controller's end, with a new key; names are of hosts, or addresses.
    pub(crate) fn server_identity(&self, names: &[String]) -> Result<Identified, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = params_for(SERVER_NAME, OffsetDateTime::now_utc() + LIFETIME);
        for name in names {
            let name = match name.parse() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into()?),
            };
            params.subject_alt_names.push(name);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer)?.der().clone();
        Ok(Identified { certificate, key: PrivateKeyDer::Pkcs8(key.serialize_der().into()) })
    }
}

/// What a certificate is known by.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    sha256(certificate)
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

fn params_for(common_name: &str, not_after: OffsetDateTime) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = OffsetDateTime::now_utc().min(not_after) - CLOCK_SKEW;
    params.not_after = not_after;
    params.use_authority_key_identifier_extension = true;
    params
}

/// Whole or not at all, even if the machine stops: a temporary file, synced, then renamed.
fn write_private(path: &Path, content: &[u8]) -> Result<(), AuthorityError> {
    let temporary = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let _ = std::fs::remove_file(&temporary);
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| AuthorityError::File { path: path.into(), source })
}

#[cfg(test)]
mod tests;
