//! The API for whoever is elsewhere: over TLS.

use std::{path::Path, sync::Arc};

use agent_link::Authority;
use anyhow::Context as _;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio::net::TcpListener;

use crate::args::Args;

/// Listens where the command line says, if it does.
pub(crate) async fn open(
    args: &Args,
    authority: &Arc<Authority>,
) -> anyhow::Result<Option<(TcpListener, Arc<ServerConfig>)>> {
    let Some(address) = args.listen else { return Ok(None) };
    let listener =
        TcpListener::bind(address).await.with_context(|| format!("listening for clients on {address}"))?;
    let at = listener.local_addr().context("listening for clients")?;
    let config = if let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) {
        tracing::info!(api = %at, certificate = %certificate.display(), "the API is served over TLS");
        given(certificate, key)?
    } else {
        let ca = args.data_dir.join("ca").join(Authority::CERTIFICATE_FILE);
        tracing::info!(api = %at, ca = %ca.display(), "the API is served over TLS");
        agent_link::api_server_config(authority, &args.tls_name).context("the API's certificate")?
    };
    Ok(Some((listener, Arc::new(config))))
}

fn given(certificate: &Path, key: &Path) -> anyhow::Result<ServerConfig> {
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .with_context(|| format!("the certificate in {}", certificate.display()))?;
    let key_of =
        PrivateKeyDer::from_pem_file(key).with_context(|| format!("the key in {}", key.display()))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config
        .with_no_client_auth()
        .with_single_cert(chain, key_of)
        .with_context(|| format!("{} and {}", certificate.display(), key.display()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
