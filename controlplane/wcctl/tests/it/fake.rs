//! A controller that has its answers from a list.

use std::{
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, header, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
};
use tokio_rustls::TlsAcceptor;

/// An answer that is given once, to the first request that it fits: method and path, status, body.
pub(crate) type Answer = (String, u16, String);

/// A status that stands for no answer at all.
pub(crate) const NEVER: u16 = 0;

#[derive(Default)]
struct State {
    answers: Vec<Answer>,
    bodies: Vec<String>,
    /// The `Authorization` of each request, or nothing.
    authorizations: Vec<String>,
}

pub(crate) struct Fake {
    pub(crate) socket: PathBuf,
    state: Arc<Mutex<State>>,
    _dir: tempfile::TempDir,
}

/// The same over TLS.
pub(crate) struct FakeTls {
    pub(crate) port: u16,
    state: Arc<Mutex<State>>,
}

fn state<P: ToString, B: ToString>(answers: &[(P, u16, B)]) -> Arc<Mutex<State>> {
    let answers = answers.iter().map(|(path, status, body)| (path.to_string(), *status, body.to_string()));
    Arc::new(Mutex::new(State { answers: answers.collect(), ..State::default() }))
}

/// Ends with the test's process.
fn in_background<F: Future<Output = ()>>(serve: impl FnOnce() -> F + Send + 'static) {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(serve());
    });
}

impl Fake {
    pub(crate) fn start<P: ToString, B: ToString>(answers: &[(P, u16, B)]) -> Self {
        let state = state(answers);
        let dir = tempfile::tempdir().expect("a directory");
        let socket = dir.path().join("api.sock");
        let listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
        listener.set_nonblocking(true).expect("non-blocking");
        let served = state.clone();
        in_background(move || async move {
            let listener = UnixListener::from_std(listener).expect("a listener");
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                serve(stream, &served).await;
            }
        });
        Self { socket, state, _dir: dir }
    }

    /// The bodies that were sent, in their order.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.state.lock().expect("no panic").bodies.clone()
    }

    /// Requests that were expected and did not come.
    pub(crate) fn left(&self) -> Vec<String> {
        self.state.lock().expect("no panic").answers.iter().map(|(path, ..)| path.clone()).collect()
    }
}

impl FakeTls {
    pub(crate) fn start<P: ToString, B: ToString>(answers: &[(P, u16, B)], tls: ServerConfig) -> Self {
        let state = state(answers);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
        listener.set_nonblocking(true).expect("non-blocking");
        let port = listener.local_addr().expect("an address").port();
        let served = state.clone();
        in_background(move || async move {
            let listener = TcpListener::from_std(listener).expect("a listener");
            let tls = TlsAcceptor::from(Arc::new(tls));
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                // A client that does not trust this end goes away.
                if let Ok(stream) = tls.accept(stream).await {
                    serve(stream, &served).await;
                }
            }
        });
        Self { port, state }
    }

    pub(crate) fn authorizations(&self) -> Vec<String> {
        self.state.lock().expect("no panic").authorizations.clone()
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, state: &Arc<Mutex<State>>) {
    let service = service_fn(|request: Request<Incoming>| answer(state.clone(), request));
    // A client that goes away is no concern of this end.
    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn take(state: &Mutex<State>, asked: &str, body: &[u8]) -> (u16, String) {
    let mut state = state.lock().expect("no panic");
    state.bodies.push(String::from_utf8(body.to_vec()).expect("UTF-8"));
    match state.answers.iter().position(|(path, ..)| path == asked) {
        Some(index) => {
            let (_, status, body) = state.answers.remove(index);
            (status, body)
        }
        None => (500, format!(r#"{{"title":"the test does not expect {asked}"}}"#)),
    }
}

async fn answer(
    state: Arc<Mutex<State>>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let asked = format!("{} {}", request.method(), request.uri());
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.map_or("", |value| value.to_str().expect("text")).to_owned();
    state.lock().expect("no panic").authorizations.push(authorization);
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let (status, body) = take(&state, &asked, &body);
    if status == NEVER {
        std::future::pending::<()>().await;
    }
    Ok(Response::builder().status(status).body(Full::new(body.into())).expect("a response"))
}
