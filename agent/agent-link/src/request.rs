//! Certificate signing requests: what a node shows of a key that it has made.

use rcgen::{CertificateSigningRequestParams, PublicKey, PublicKeyData};
use rustls::pki_types::CertificateSigningRequestDer;
use x509_parser::{certification_request::X509CertificationRequest, prelude::FromDer};

use crate::limits::CSR_BYTES_MAX;

/// A request (PKCS #10, RFC 2986) whose sender has proved that the key is its own. Nothing else that it says counts.
#[derive(Debug)]
pub struct SigningRequest(PublicKey);

#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("longer than {CSR_BYTES_MAX} bytes")]
    TooLong,
    #[error("not a certificate signing request in DER, and nothing after it")]
    Form,
    #[error("the signing request is refused: {0}")]
    Refused(#[from] rcgen::Error),
    #[error("the key is not of the kind that the request's signature is of")]
    Key,
}

impl SigningRequest {
    pub fn from_der(der: &[u8]) -> Result<Self, RequestError> {
        if der.len() > CSR_BYTES_MAX {
            return Err(RequestError::TooLong);
        }
        let (rest, form) = X509CertificationRequest::from_der(der).map_err(|_| RequestError::Form)?;
        if !rest.is_empty() {
            return Err(RequestError::Form);
        }
        let request = CertificateSigningRequestParams::from_der(&CertificateSigningRequestDer::from(der))?;
        // The kind of key is taken from the signature's algorithm. A P-256 key that signs with SHA-384 would be taken
        // for one of P-384, and a certificate be made that nobody can use.
        if request.public_key.subject_public_key_info() != form.certification_request_info.subject_pki.raw {
            return Err(RequestError::Key);
        }
        Ok(Self(request.public_key))
    }

    pub(crate) const fn key(&self) -> &PublicKey {
        &self.0
    }
}

#[cfg(test)]
mod tests;
