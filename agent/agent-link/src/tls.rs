//! How each end proves itself: TLS 1.3, the office's certificates, no resumption (a resumed handshake would not look at
//! the certificate's expiry again).

mod client;
mod peer;
mod server;

use std::sync::Arc;

use rustls::crypto::CryptoProvider;

pub(crate) use client::{client_config, joining_config};
pub(crate) use peer::{Peer, RENEWAL_GRACE, Validity};
pub use server::api_server_config;
pub(crate) use server::server_config;

/// HTTP/2 over TLS (RFC 9113, section 3.2).
const ALPN: &[u8] = b"h2";

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Why TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("TLS: {0}")]
    Rustls(#[from] rustls::Error),
    #[error("TLS: certificates cannot be checked: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
    #[error("a certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
}
