//! A small cloud of a test's own, behind a Controller's URL. It says what was done before its time.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::{Arc, Mutex, MutexGuard},
};

use http_body_util::{BodyExt as _, Full};
use hyper::{
    Method, Request, Response,
    body::{Bytes, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Clone)]
pub(crate) struct Cloud {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// By place, such as `networks/blue`: as last told.
    things: BTreeMap<String, Value>,
    /// Networks that were there before, and are somebody else's.
    foreign: BTreeSet<String>,
    refused: BTreeMap<String, &'static str>,
    calls: Vec<String>,
    disorders: Vec<String>,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let cloud = Self { url, state: Arc::default() };
        let serving = cloud.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let cloud = serving.clone();
                let service = service_fn(move |request| cloud.clone().answer(request));
                let connection = hyper::server::conn::http1::Builder::new();
                // A controller that is killed breaks off.
                tokio::spawn(connection.serve_connection(TokioIo::new(stream), service));
            }
        });
        cloud
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test panics while it holds this")
    }

    /// What it was asked for since it was asked last, and was not refused.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.state().calls)
    }

    /// Where it has something.
    pub(crate) fn places(&self) -> Vec<String> {
        self.state().things.keys().cloned().collect()
    }

    /// What it was told of something last.
    pub(crate) fn thing(&self, place: &str) -> Value {
        self.state().things.get(place).cloned().unwrap_or_default()
    }

    pub(crate) fn disorders(&self) -> Vec<String> {
        self.state().disorders.clone()
    }

    /// From now on somebody else's network is there.
    pub(crate) fn has_foreign(&self, network: &str) {
        self.state().foreign.insert(network.to_owned());
    }

    pub(crate) fn refuse(&self, place: &str, why: &'static str) {
        self.state().refused.insert(place.to_owned(), why);
    }

    pub(crate) fn refuse_nothing(&self) {
        self.state().refused.clear();
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        let place = head.uri.path().trim_start_matches('/');
        let (status, said) = self.state().take(&head.method, place, &body);
        let answer = Response::builder().status(status).body(Full::from(said.to_string()));
        Ok(answer.expect("a status"))
    }
}

impl State {
    fn take(&mut self, method: &Method, place: &str, body: &[u8]) -> (u16, Value) {
        if let Some(why) = self.refused.get(place) {
            return (503, json!({"detail": why}));
        }
        let call = format!("{method} {place}");
        self.calls.push(call.clone());
        match method.as_str() {
            "PUT" => {
                let told: Value = serde_json::from_slice(body).expect("a controller says JSON");
                let missing = names(&told["networks"]).filter(|network| !self.has_network(network));
                let missing: Vec<_> =
                    missing.map(|network| format!("{call}: {network} is missing")).collect();
                self.disorders.extend(missing);
                self.things.insert(place.to_owned(), told);
                (200, json!({"handle": format!("id-of-{place}")}))
            }
            "DELETE" => {
                let name = place.trim_start_matches("networks/");
                let attached = self
                    .things
                    .values()
                    .any(|thing| names(&thing["networks"]).any(|network| network == name));
                if attached || self.foreign.contains(name) {
                    self.disorders.push(call);
                }
                self.things.remove(place);
                (204, Value::Null)
            }
            _ if self.foreign.contains(place.trim_start_matches("networks/")) => {
                (200, json!({"handle": "somebody-elses"}))
            }
            _ => (404, json!({"detail": "the cloud knows none of that name"})),
        }
    }

    fn has_network(&self, name: &str) -> bool {
        self.foreign.contains(name) || self.things.contains_key(&format!("networks/{name}"))
    }
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}
