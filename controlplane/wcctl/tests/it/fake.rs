//! A controller that has its answers from a list.

use std::{
    convert::Infallible,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::UnixListener;

/// An answer that is given once, to the first request that it fits: method and path, status, body.
pub(crate) type Answer = (String, u16, String);

/// A status that stands for no answer at all.
pub(crate) const NEVER: u16 = 0;

#[derive(Default)]
struct State {
    answers: Vec<Answer>,
    bodies: Vec<String>,
}

pub(crate) struct Fake {
    pub(crate) socket: PathBuf,
    state: Arc<Mutex<State>>,
    _dir: tempfile::TempDir,
}

impl Fake {
    pub(crate) fn start<P: ToString, B: ToString>(answers: &[(P, u16, B)]) -> Self {
        let answers =
            answers.iter().map(|(path, status, body)| (path.to_string(), *status, body.to_string()));
        let state = Arc::new(Mutex::new(State { answers: answers.collect(), bodies: Vec::new() }));
        let dir = tempfile::tempdir().expect("a directory");
        let socket = dir.path().join("api.sock");
        let listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
        listener.set_nonblocking(true).expect("non-blocking");
        let served = state.clone();
        // Ends with the test's process.
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(serve(listener, served));
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

async fn serve(listener: std::os::unix::net::UnixListener, state: Arc<Mutex<State>>) {
    let listener = UnixListener::from_std(listener).expect("a listener");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let state = state.clone();
        let service = service_fn(move |request: Request<Incoming>| answer(state.clone(), request));
        // A client that goes away is no concern of this end.
        let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
    }
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
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let (status, body) = take(&state, &asked, &body);
    if status == NEVER {
        std::future::pending::<()>().await;
    }
    Ok(Response::builder().status(status).body(Full::new(body.into())).expect("a response"))
}
