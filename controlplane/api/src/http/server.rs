//! Connections.

use std::sync::Arc;

use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use tokio::{net::UnixListener, sync::Semaphore};
use tower::util::MapRequest;

use super::{Http, limits, principal::Principal};

/// Serves until `shutdown`, then lets requests in progress end for a few seconds.
pub async fn serve(listener: UnixListener, http: Http, shutdown: impl Future<Output = ()>) {
    let router = http.clone().router();
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIMEOUT)
        .max_headers(limits::HEADERS_MAX)
        .max_buf_size(limits::HEAD_BYTES_MAX);
    let connections = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let graceful = GracefulShutdown::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        // Beyond the limit, connections wait to be accepted.
        let accept = async {
            let permit = connections.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accept => accepted,
            () = &mut shutdown => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                // Out of file descriptors, most likely: some come back.
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let principal = match Principal::of(&stream) {
            Ok(principal) => principal,
            Err(error) => {
                tracing::warn!(%error, "the kernel does not tell who has connected");
                continue;
            }
        };
        let known = move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(principal);
            request
        };
        let service = TowerToHyperService::new(MapRequest::new(router.clone(), known));
        let connection = graceful.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            let _permit = permit;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended with an error");
            }
        });
    }
    drop(listener);
    http.end();
    if tokio::time::timeout(limits::GRACE, graceful.shutdown()).await.is_err() {
        tracing::warn!("requests were still going on when the server ended");
    }
}
