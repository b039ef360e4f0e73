//! The controller's end.

mod accept;
mod seat;
mod service;
mod session;

use std::{
    future::Future,
    sync::{Arc, Mutex},
};

use tokio::{net::TcpListener, sync::mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Authority, Office,
    limits::{CLOSING, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MESSAGE_BYTES_MAX, STREAM_WINDOW_BYTES},
    tls::server_config,
    wire::link_server::LinkServer,
};

#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the link to the agents cannot be set up: {0}")]
    Setup(String),
    #[error("the link to the agents stopped: {0}")]
    Transport(#[from] tonic::transport::Error),
}

/// Serves agents until `shutdown`, then ends their streams. When this returns, the last report has been made.
pub async fn serve(
    listener: TcpListener,
    authority: Arc<Authority>,
    office: Arc<impl Office>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let tls = server_config(&authority).map_err(|e| ServeError::Setup(e.to_string()))?;
    let closing = CancellationToken::new();
    let streams = TaskTracker::new();
    let service = service::Service {
        authority,
        office,
        seats: Arc::new(Mutex::default()),
        closing: closing.clone(),
        streams: streams.clone(),
    };
    let service = LinkServer::new(service)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let (connections, incoming) = mpsc::channel(1);
    let accepting = tokio::spawn(accept::run(listener, Arc::new(tls), connections, closing.clone()));
    let serving = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .max_concurrent_streams(8)
        .add_service(service)
        .serve_with_incoming_shutdown(ReceiverStream::new(incoming), closing.clone().cancelled_owned());
    let mut serving = std::pin::pin!(serving);
    let result = tokio::select! {
        result = &mut serving => result,
        () = shutdown => {
            closing.cancel();
            // Peers that do not hang up by then are hung up on.
            tokio::time::timeout(CLOSING, serving).await.unwrap_or(Ok(()))
        }
    };
    closing.cancel();
    streams.close();
    streams.wait().await;
    // It ends by `closing`; that it panicked would have ended `serving` with nothing more to say.
    let _ = accepting.await;
    Ok(result?)
}

#[cfg(test)]
mod tests;
