//! From a name to an HTTP/2 connection over TLS.

use std::sync::Arc;

use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint, Uri};

use super::LinkError;
use crate::{
    Identity,
    authority::{SERVER_NAME, fingerprint},
    limits::{HANDSHAKE, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, STREAM_WINDOW_BYTES},
    tls::{client_config, joining_config},
};

type TlsConnection = tokio_rustls::client::TlsStream<TcpStream>;

pub(crate) async fn connect(controller: &str, identity: &Identity) -> Result<Channel, LinkError> {
    let tls = client_config(identity).map_err(|e| LinkError::Identity(e.to_string()))?;
    channel(tls_connection(controller, tls).await?).await
}

/// Without a certificate of our own. Returns the office's certificate too, whose fingerprint is `office`.
pub(crate) async fn connect_to_join(
    controller: &str,
    office: [u8; 32],
) -> Result<(Channel, Vec<u8>), LinkError> {
    let tls = joining_config(office).map_err(|e| LinkError::Connect(e.to_string()))?;
    let connection = tls_connection(controller, tls).await?;
    let chain = connection.get_ref().1.peer_certificates().unwrap_or_default();
    let certificate = chain.iter().find(|certificate| fingerprint(certificate) == office);
    let certificate = certificate.expect("the verifier has insisted on it").to_vec();
    Ok((channel(connection).await?, certificate))
}

/// HTTP/2 over that connection, which is not made again when it breaks: whether to go on is for the link to say.
async fn channel(connection: TlsConnection) -> Result<Channel, LinkError> {
    // The host of the URI goes into a header only; the name that TLS checks is always the same.
    let endpoint = Endpoint::from_static("http://controller.wirecenter.internal")
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES);
    let mut connection = Some(TokioIo::new(connection));
    let connector = tower::service_fn(move |_: Uri| {
        let connection = connection.take().ok_or_else(|| std::io::Error::other("the connection broke"));
        std::future::ready(connection)
    });
    endpoint.connect_with_connector(connector).await.map_err(|e| LinkError::Connect(with_causes(&e)))
}

async fn tls_connection(controller: &str, tls: ClientConfig) -> Result<TlsConnection, LinkError> {
    let refused = |e: std::io::Error| LinkError::Connect(format!("{controller}: {e}"));
    let connection = async {
        let stream = TcpStream::connect(controller).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(SERVER_NAME).expect("a DNS name");
        TlsConnector::from(Arc::new(tls)).connect(name, stream).await
    };
    let connection = timeout(HANDSHAKE, connection).await;
    connection.map_err(|_| LinkError::Connect(format!("{controller}: no answer in time")))?.map_err(refused)
}

/// An error and what lies behind it, in one line.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
