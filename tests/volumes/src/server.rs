//! The protocol of the plug-in `http`, from the service's side.

use std::{cell::RefCell, convert::Infallible, path::PathBuf, rc::Rc, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use tokio::net::TcpListener;

use crate::{
    journal::Thing,
    state::{Refusal, State},
};

const BODY_BYTES_MAX: usize = 16 << 20;

pub(crate) struct Server {
    state: RefCell<State>,
    authorization: String,
    hold: Option<PathBuf>,
}

/// Whose turn it is: `KIND/NAME/UID/GENERATION`.
struct Operation {
    uid: String,
    generation: u64,
}

#[derive(Deserialize)]
struct Told {
    spec: Value,
}

#[derive(Deserialize)]
struct Instances {
    instances: Vec<String>,
}

impl Server {
    pub(crate) fn new(state: State, token: &str, hold: Option<PathBuf>) -> Self {
        Self { state: RefCell::new(state), authorization: format!("Bearer {token}"), hold }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (status, kind, body) = match self.done(request).await {
            Ok(body) => (200, "application/json", body),
            Err(Refusal(status, detail)) => {
                (status, "application/problem+json", json!({"status": status, "detail": detail}))
            }
        };
        let answer = Response::builder().status(status).header(CONTENT_TYPE, kind);
        answer.body(Full::from(body.to_string())).expect("a status and a type")
    }

    async fn done(&self, request: Request<Incoming>) -> Result<Value, Refusal> {
        let (head, body) = request.into_parts();
        let sent = head.headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
        if !bool::from(sent.ct_eq(self.authorization.as_bytes())) {
            return Err(Refusal(401, "the token is wrong".into()));
        }
        let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
        let body = body.map_err(|error| Refusal(400, format!("the body: {error}")))?.to_bytes();
        let path: Vec<&str> = head.uri.path().trim_start_matches('/').split('/').collect();
        if (&head.method, path.as_slice()) == (&Method::GET, &["observed"]) {
            return Ok(self.state.borrow().observed());
        }
        let operation = head.headers.get("operation-id").and_then(|value| value.to_str().ok());
        let Operation { uid, generation } = operation
            .and_then(Operation::read)
            .ok_or_else(|| Refusal(400, "operation-id is KIND/NAME/UID/GENERATION".into()))?;
        let thing = Thing { uid: uid.clone(), generation };
        let done = {
            let mut state = self.state.borrow_mut();
            match (&head.method, path.as_slice()) {
                (&Method::PUT, ["services", name]) => state.put_service(plain(name)?, &thing),
                (&Method::DELETE, ["services", name]) => {
                    state.delete_service(plain(name)?, &uid).map(|()| json!({}))
                }
                (&Method::PUT, ["tenants", name]) => {
                    let Told { spec } = read(&body)?;
                    state.put_tenant(plain(name)?, &thing, &spec)
                }
                (&Method::DELETE, ["tenants", name]) => {
                    state.delete_tenant(plain(name)?, &uid).map(|()| json!({}))
                }
                (&Method::PUT, ["tenants", name, "instances"]) => {
                    let Instances { instances } = read(&body)?;
                    instances.iter().try_for_each(|instance| plain(instance).map(drop))?;
                    state.put_instances(plain(name)?, &uid, instances)
                }
                _ => Err(Refusal(404, format!("there is no {}", head.uri.path()))),
            }
        };
        while self.hold.as_ref().is_some_and(|hold| hold.exists()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        done
    }
}

impl Operation {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('/').skip(2);
        let (uid, generation) = (parts.next()?.to_owned(), parts.next()?.parse().ok()?);
        Some(Self { uid, generation })
    }
}

fn read<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal(400, format!("the body: {error}")))
}

/// A name that leads nowhere else as a path.
fn plain(name: &str) -> Result<&str, Refusal> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    if name.is_empty() || name.starts_with('.') || !name.bytes().all(legal) {
        return Err(Refusal(400, format!("{name:?} is no name")));
    }
    Ok(name)
}

pub(crate) async fn serve(listener: TcpListener, server: Rc<Server>) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        let server = server.clone();
        let service = service_fn(move |request| {
            let server = server.clone();
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        tokio::task::spawn_local(async move {
            // Who breaks off has heard enough.
            let _: Result<(), hyper::Error> = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}
