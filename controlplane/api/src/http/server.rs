//! Connections.

use std::sync::Arc;

use axum::Router;
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::{GracefulShutdown, Watcher},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::Semaphore,
};
use tokio_rustls::TlsAcceptor;
use tower::util::MapRequest;

use super::{Http, access::refusals, limits};
use crate::office::Origin;

/// Where clients come from.
pub struct Listeners {
    /// For root, and whoever root lets open it.
    pub local: UnixListener,
    /// For everyone who has a token.
    pub remote: Option<(TcpListener, Arc<rustls::ServerConfig>)>,
}

/// A connection, and who the system says is at its other end.
enum Accepted {
    Local(tokio::net::UnixStream, Origin),
    Remote(tokio::net::TcpStream, Origin, TlsAcceptor),
}

impl Listeners {
    async fn accept(&self) -> std::io::Result<Accepted> {
        let remote = async {
            match &self.remote {
                Some((listener, tls)) => (listener.accept().await, tls.clone()),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            local = self.local.accept() => {
                let (stream, _) = local?;
                let uid = stream.peer_cred()?.uid();
                Ok(Accepted::Local(stream, Origin::Local(uid)))
            }
            (remote, tls) = remote => {
                let (stream, address) = remote?;
                // An answer goes out at once: many are small.
                stream.set_nodelay(true)?;
                Ok(Accepted::Remote(stream, Origin::Remote(address.ip().to_canonical()), tls.into()))
            }
        }
    }
}

/// Serves until `shutdown`, then lets requests in progress end for a few seconds.
pub async fn serve(listeners: Listeners, http: Http, shutdown: impl Future<Output = ()>) {
    let refusals = tokio::spawn(refusals::tell(http.clone()));
    let router = http.clone().router();
    let connections = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let remotes = Arc::new(Semaphore::new(limits::REMOTE_CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        // Beyond the limit, connections wait to be accepted.
        let accept = async {
            let permit = connections.clone().acquire_owned().await;
            (permit, listeners.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accept => accepted,
            () = &mut shutdown => break,
        };
        let (router, graceful) = (router.clone(), graceful.watcher());
        match accepted {
            Ok(Accepted::Local(stream, origin)) => {
                tokio::spawn(async move {
                    let _permit = permit;
                    converse(stream, origin, router, graceful).await;
                });
            }
            Ok(Accepted::Remote(stream, origin, tls)) => {
                // Strangers never use up what root needs to look after the office.
                let Ok(remote) = remotes.clone().try_acquire_owned() else { continue };
                tokio::spawn(async move {
                    let _permits = (permit, remote);
                    match tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                        Ok(Ok(stream)) => converse(stream, origin, router, graceful).await,
                        Ok(Err(error)) => tracing::debug!(%error, %origin, "no TLS was agreed on"),
                        Err(_) => tracing::debug!(%origin, "TLS took too long"),
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors, most likely: some come back.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
    drop(listeners);
    http.end();
    refusals.abort();
    if tokio::time::timeout(limits::GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still going on when the server ended");
    }
}

/// Answers requests on a connection until it ends.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    origin: Origin,
    router: Router,
    graceful: Watcher,
) {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIMEOUT)
        .max_headers(limits::HEADERS_MAX)
        .max_buf_size(limits::HEAD_BYTES_MAX);
    let known = move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(origin);
        request
    };
    let service = TowerToHyperService::new(MapRequest::new(router, known));
    let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended with an error");
    }
}
