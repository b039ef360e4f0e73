//! The controller's side of TLS.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore, ServerConfig,
    SignatureScheme,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, UnixTime},
    server::{
        ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    sign::CertifiedKey,
};

use super::{ALPN, Peer, RENEWAL_GRACE, TlsError, provider};
use crate::{
    Authority,
    authority::{LIFETIME, SERVER_NAME},
};

/// A certificate is asked for and, when there is one, must be of this office; who may do what without one, or with one
/// that has expired of late, is for each call to say.
pub(crate) fn server_config(authority: &Arc<Authority>) -> Result<ServerConfig, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().clone())?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .allow_unauthenticated()
        .build()?;
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(WithGrace(verifier)))
        .with_cert_resolver(Arc::new(OwnCertificate::new(authority.clone(), vec![SERVER_NAME.to_owned()])?));
    config.alpn_protocols = vec![ALPN.into()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// For clients of the API, who prove themselves by other means: `names` are those of the controller's host, beside
/// `localhost` and its addresses.
pub fn api_server_config(authority: &Arc<Authority>, names: &[String]) -> Result<ServerConfig, TlsError> {
    let own = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let names = own.into_iter().chain(names.iter().cloned()).collect();
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(OwnCertificate::new(authority.clone(), names)?));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Lets certificates through that expired within the grace for renewal.
#[derive(Debug)]
struct WithGrace(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for WithGrace {
    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        match self.0.verify_client_cert(end_entity, intermediates, now) {
            Err(Error::InvalidCertificate(
                error @ (CertificateError::Expired | CertificateError::ExpiredContext { .. }),
            )) => {
                let refused = || Error::InvalidCertificate(error.clone());
                let peer = Peer::from_der(end_entity).map_err(|_| refused())?;
                let expired = peer.validity.not_after.duration_since(SystemTime::UNIX_EPOCH);
                let expired = expired.map_err(|_| refused())?;
                if Duration::from_secs(now.as_secs()).saturating_sub(expired) > RENEWAL_GRACE {
                    return Err(refused());
                }
                // All else about it must have been right while it was valid.
                self.0.verify_client_cert(end_entity, intermediates, UnixTime::since_unix_epoch(expired))
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

/// The controller's own certificate, made anew at half its life.
struct OwnCertificate {
    authority: Arc<Authority>,
    names: Vec<String>,
    current: Mutex<(Arc<CertifiedKey>, SystemTime)>,
}

impl OwnCertificate {
    fn new(authority: Arc<Authority>, names: Vec<String>) -> Result<Self, TlsError> {
        let current = Mutex::new((Self::make(&authority, &names)?, SystemTime::now()));
        Ok(Self { authority, names, current })
    }

    fn make(authority: &Authority, names: &[String]) -> Result<Arc<CertifiedKey>, TlsError> {
        let own = authority.server_identity(names)?;
        // The office's certificate goes along: who joins knows its fingerprint only.
        let chain = vec![own.certificate, authority.certificate().clone()];
        Ok(Arc::new(CertifiedKey::from_der(chain, own.key, &provider())?))
    }
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.1.elapsed().is_ok_and(|age| age > LIFETIME / 2) {
            match Self::make(&self.authority, &self.names) {
                Ok(fresh) => *current = (fresh, SystemTime::now()),
                Err(error) => tracing::error!(%error, "the controller's certificate cannot be renewed"),
            }
        }
        Some(current.0.clone())
    }
}

impl fmt::Debug for OwnCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnCertificate").finish_non_exhaustive()
    }
}
