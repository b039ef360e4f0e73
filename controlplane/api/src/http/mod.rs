//! The office over HTTP/1.1.

mod access;
mod backups;
mod bodies;
mod events;
mod explain;
mod fields;
mod graph;
mod idempotency;
mod limits;
mod list;
mod metrics;
mod objects;
mod openapi;
mod plans;
mod principal;
mod problem;
mod query;
mod rate;
mod selector;
mod server;
mod service;
mod transactions;
mod watch;

use std::sync::Arc;

use axum::{
    Extension, Router,
    body::HttpBody as _,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use net_types::Name;
use synchronizer::Control;
use tokio::sync::{Semaphore, watch as signal};
use xos_model::AnyObject;

use crate::{Office, Vault, office::Origin};
use access::{
    Access,
    login::{Failures, Hashing},
    refusals::Refusals,
};
use bodies::Bodies;
use metrics::Metrics;
pub use metrics::NodeCounters;
use principal::Share;
use problem::Problem;
use rate::Buckets;
pub use rate::RateLimit;
pub use server::{Listeners, serve};

/// Makes the text of a join token from a node's name and secret.
pub type TokenText = Arc<dyn Fn(&Name, &str) -> Result<String, String> + Send + Sync>;

/// What nodes count, as they have told it last.
pub type Counted = Arc<dyn Fn() -> NodeCounters + Send + Sync>;

/// What all requests share.
#[derive(Clone)]
pub struct Http(Arc<Shared>);

struct Shared {
    office: Office,
    vault: Arc<dyn Vault>,
    synchronizer: Control<AnyObject>,
    token_text: TokenText,
    counted: Counted,
    metrics: Metrics,
    bodies: Bodies,
    buckets: Buckets<Share>,
    hashing: Hashing,
    failures: Failures,
    refusals: Refusals,
    watchers: Arc<Semaphore>,
    /// Turns true when the server is to end.
    ending: signal::Sender<bool>,
}

impl Http {
    pub fn new(
        office: Office,
        vault: Arc<dyn Vault>,
        synchronizer: Control<AnyObject>,
        token_text: TokenText,
        counted: Counted,
        limit: RateLimit,
    ) -> Self {
        Self(Arc::new(Shared {
            office,
            vault,
            synchronizer,
            token_text,
            counted,
            metrics: Metrics::default(),
            bodies: Bodies::default(),
            buckets: Buckets::new(limit),
            hashing: Hashing::default(),
            failures: Failures::default(),
            refusals: Refusals::default(),
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
        let router = routes().into_iter().fold(Router::new(), |router, (path, at)| router.route(path, at));
        router
            .method_not_allowed_fallback(async || Problem::method_not_allowed())
            .fallback(async || Problem::no_such_path())
            .layer(from_fn_with_state(self.clone(), watchdog))
            .with_state(self)
    }
}

/// Every path, with what can be done there. The API's description says the same.
fn routes() -> Vec<(&'static str, MethodRouter<Http>)> {
    vec![
        ("/healthz", get(service::healthz)),
        ("/readyz", get(service::readyz)),
        ("/version", get(service::version)),
        ("/openapi.json", get(openapi::get)),
        ("/metrics", get(service::metrics)),
        ("/api/v1/transactions", post(transactions::post)),
        ("/api/v1/graph", get(graph::get)),
        ("/api/v1/graph/connectivity", get(graph::connectivity)),
        ("/api/v1/explain/{plural}/{name}", get(explain::object)),
        ("/api/v1/explain/private/{name}", get(explain::derived)),
        ("/api/v1/explain/shared/{name}", get(explain::derived)),
        ("/api/v1/explain/gateway/{name}", get(explain::derived)),
        ("/api/v1/explain/public/{name}", get(explain::derived)),
        ("/api/v1/explain/attachment/{instance}/{of}/{name}", get(explain::derived)),
        ("/api/v1/backups", post(backups::create)),
        ("/api/v1/backups/verify", post(backups::verify)),
        ("/api/v1/nodes/{name}/join-token", post(service::join_token)),
        ("/api/v1/subscribers/{name}/chain", get(list::chain)),
        ("/api/v1/login", post(access::login::post)),
        ("/api/v1/whoami", get(access::review::whoami)),
        ("/api/v1/access-reviews", post(access::review::review)),
        ("/api/v1/built-in-roles", get(access::review::built_in_roles)),
        ("/api/v1/audit", get(access::audit::get)),
        ("/api/v1/events", get(events::get)),
        ("/api/v1/users/{name}/tokens", get(access::tokens::list).post(access::tokens::create)),
        ("/api/v1/users/{name}/tokens/{id}", delete(access::tokens::revoke)),
        ("/api/v1/users/{name}/password", put(access::tokens::password)),
        ("/api/v1/{plural}", get(list::get).post(objects::post)),
        (
            "/api/v1/{plural}/{name}",
            get(objects::get).put(objects::put).patch(objects::patch).delete(objects::delete),
        ),
    ]
}

/// Reads a request's body before anything is answered: a connection on which the rest of a body comes after the answer
/// is closed, and a client that sends its next request on it meanwhile gets no answer at all.
async fn whole(http: &Http, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let is_transaction = parts.uri.path() == "/api/v1/transactions";
    let limit = if is_transaction { limits::TRANSACTION_BYTES_MAX } else { limits::OBJECT_BYTES_MAX };
    match http.0.bodies.read(body, limit).await {
        Ok((bytes, _room)) => next.run(Request::from_parts(parts, bytes.into())).await,
        Err(problem) => problem.into_response(),
    }
}

/// Reads what a stranger sends, and throws it away: so that an answer is seen, and the connection can go on.
async fn drain(request: Request) {
    let body = objects::read_body(request.into_body(), 0);
    // Whatever is wrong with it, the answer is another.
    let _: Result<_, _> = tokio::time::timeout(limits::REQUEST_TIMEOUT, body).await;
}

/// Finds out who asks, counts every request, refuses those beyond their principal's share, and ends those that take too long to begin
/// their answer.
async fn watchdog(
    State(http): State<Http>,
    Extension(origin): Extension<Origin>,
    mut request: Request,
    next: Next,
) -> Response {
    let started = std::time::Instant::now();
    let method = request.method().clone();
    let uri = request.uri().clone();
    let caller = principal::authenticate(&http, origin, request.headers()).map(Arc::new);
    let share = principal::share(caller.as_ref().ok(), origin);
    let (user, id) = match &caller {
        Ok(caller) => (caller.to_string(), caller.request.clone()),
        Err(_) => ("-".to_owned(), uuid::Uuid::new_v4().to_string()),
    };
    request.extensions_mut().insert(origin);
    let refused = match caller {
        Ok(caller) => {
            request.extensions_mut().insert(Access::new(http.office(), caller));
            None
        }
        Err(_) if principal::is_public(&method, uri.path()) => None,
        Err(problem) => Some(problem),
    };
    let mut response = match share.map_or(Ok(()), |share| http.0.buckets.take(share, started)) {
        Err(wait) => Problem::too_many_requests(wait).into_response(),
        Ok(()) => match refused {
            Some(problem) => {
                drain(request).await;
                problem.into_response()
            }
            None => match tokio::time::timeout(limits::REQUEST_TIMEOUT, whole(&http, request, next)).await {
                Ok(response) => response,
                Err(_) => Problem::timeout().into_response(),
            },
        },
    };
    http.0.metrics.note(&method, response.status(), started.elapsed());
    http.0.refusals.note((user, origin, &id), (&method, &uri), &response);
    if let Ok(id) = id.try_into() {
        response.headers_mut().insert("x-request-id", id);
    }
    response
}
