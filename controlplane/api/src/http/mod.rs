//! The office over HTTP/1.1.

mod fields;
mod limits;
mod list;
mod metrics;
mod objects;
mod problem;
mod query;
mod selector;
mod server;
mod service;
mod transactions;
mod watch;

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::{get, post},
};
use net_types::Name;
use tokio::sync::{Semaphore, watch as signal};

use crate::Office;
use metrics::Metrics;
use problem::Problem;
pub use server::serve;

/// Makes the text of a join token from a node's name and secret.
pub type TokenText = Arc<dyn Fn(&Name, &str) -> Result<String, String> + Send + Sync>;

/// What all requests share.
#[derive(Clone)]
pub struct Http(Arc<Shared>);

struct Shared {
    office: Office,
    token_text: TokenText,
    metrics: Metrics,
    watchers: Arc<Semaphore>,
    /// Turns true when the server is to end.
    ending: signal::Sender<bool>,
}

impl Http {
    pub fn new(office: Office, token_text: TokenText) -> Self {
        Self(Arc::new(Shared {
            office,
            token_text,
            metrics: Metrics::default(),
            watchers: Arc::new(Semaphore::new(limits::WATCHERS_MAX)),
            ending: signal::Sender::new(false),
        }))
    }

    fn office(&self) -> &Office {
        &self.0.office
    }

    /// Ends watches, so that their connections can end.
    fn end(&self) {
        self.0.ending.send_replace(true);
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(service::healthz))
            .route("/readyz", get(service::readyz))
            .route("/version", get(service::version))
            .route("/metrics", get(service::metrics))
            .route("/api/v1/transactions", post(transactions::post))
            .route("/api/v1/nodes/{name}/join-token", post(service::join_token))
            .route("/api/v1/{plural}", get(list::get).post(objects::post))
            .route(
                "/api/v1/{plural}/{name}",
                get(objects::get).put(objects::put).patch(objects::patch).delete(objects::delete),
            )
            .method_not_allowed_fallback(async || Problem::method_not_allowed())
            .fallback(async || Problem::no_such_path())
            .layer(from_fn_with_state(self.clone(), watchdog))
            .with_state(self)
    }
}

/// Counts every request, and ends those that take too long to begin their answer.
async fn watchdog(State(http): State<Http>, request: Request, next: Next) -> Response {
    let started = std::time::Instant::now();
    let method = request.method().clone();
    let response = match tokio::time::timeout(limits::REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => axum::response::IntoResponse::into_response(Problem::timeout()),
    };
    http.0.metrics.note(&method, response.status(), started.elapsed());
    response
}
