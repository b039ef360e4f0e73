//! Against a service of the tests' own.

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use synchronizer::{Edge, Item, Key, Made, Operation, Outcome, Plugin as _, Retry, TenantInstances};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;
use xos_model::{ATTACHED, AnyObject, Controller, KindName, SecretText, Tenant};

use super::{INSTANCE, NETWORK, TENANT, client::Client, plugin::Service, settings};
use crate::{Given, OpenSecret};

/// Answers everything alike, and keeps what it was asked.
#[derive(Clone)]
struct Fake {
    status: u16,
    body: Bytes,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    fn new(status: u16, body: &str) -> Self {
        Self { status, body: Bytes::copy_from_slice(body.as_bytes()), asked: Arc::default() }
    }

    /// Serves from now on, over TLS if there is a certificate for that.
    async fn serve(&self, tls: Option<TlsAcceptor>) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        let address = listener.local_addr().expect("it is bound");
        let fake = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                match &tls {
                    None => fake.clone().connection(stream),
                    Some(tls) => {
                        // A client that does not believe it breaks off.
                        if let Ok(stream) = tls.accept(stream).await {
                            fake.clone().connection(stream);
                        }
                    }
                }
            }
        });
        address
    }

    fn connection(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let service = service_fn(move |request: Request<Incoming>| {
            let fake = self.clone();
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.expect("a whole body").to_bytes();
                let header = |name: &str| {
                    head.headers.get(name).map_or("-", |value| value.to_str().expect("text")).to_owned()
                };
                let asked = [
                    head.method.to_string(),
                    head.uri.path().to_owned(),
                    header("authorization"),
                    header("operation-id"),
                    header("operation-handle"),
                    String::from_utf8(body.to_vec()).expect("text"),
                ];
                fake.asked.lock().expect("no panic").push(asked.join("|"));
                let answer = Response::builder().status(fake.status).body(Full::new(fake.body.clone()));
                Ok::<_, Infallible>(answer.expect("a status"))
            }
        });
        tokio::spawn(async move {
            let _: Result<(), hyper::Error> = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("no panic"))
    }
}

fn controller(spec: &Value) -> Controller {
    let object = json!({"kind": "Controller", "metadata": {"name": "storage"}, "spec": spec, "status": {}});
    serde_json::from_value(object).expect("a Controller")
}

#[expect(clippy::needless_pass_by_value, reason = "specs are written where they are used")]
fn service(spec: Value) -> Result<Service, String> {
    let open: OpenSecret = Arc::new(|secret, key| match (secret.as_str(), key) {
        ("login", "token") => Ok(SecretText::new("t0ken").expect("short")),
        ("odd", "token") => Ok(SecretText::new("two words").expect("short")),
        _ => Err(format!("Secret {secret} has no key {key:?}")),
    });
    let controller = controller(&spec);
    let settings = settings::read(&Given { controller: &controller, open_secret: &open });
    let settings = settings.map_err(|error| error.to_string())?;
    let client = Client::new(&settings).map_err(|error| error.to_string())?;
    Ok(Service { controller: controller.name().clone(), settings, client })
}

fn at(address: SocketAddr) -> Service {
    service(json!({"plugin": "http", "url": format!("http://{address}/base/"), "credentials": "login"}))
        .expect("it is suitable")
}

fn item() -> Item<AnyObject> {
    let tenant = json!({"kind": "Tenant", "metadata": {"name": "web-volumes", "uid": "u1", "generation": 3},
        "spec": {"tenant": {"kind": "Service", "name": "web"}, "provider": "volumes", "connect": "shared"}, "status": {}});
    let tenant: Tenant = serde_json::from_value(tenant).expect("a Tenant");
    let key = Key::new(TENANT, tenant.name().clone());
    let handle = Some(synchronizer::Handle("volume-7".into()));
    let operation = Operation { key, uid: "u1".into(), generation: 3 };
    let body = Some(Arc::new(AnyObject::Tenant(tenant)));
    Item { operation, body, handle, edges: Vec::new(), attempt: 1 }
}

#[tokio::test]
async fn an_object_is_told_with_its_operation_and_what_is_answered_is_kept() {
    let fake = Fake::new(200, r#"{"handle": "volume-8", "digest": "a", "more": 1}"#);
    let service = at(fake.serve(None).await);
    let Outcome::Done(made) = service.apply(&item()).await else { panic!("it is done") };
    assert_eq!(made.handle, Some(synchronizer::Handle("volume-8".into())));
    assert!(made.digest.is_some() && made.owned);
    assert_eq!(service.remove(&item()).await, Outcome::done());
    let key = |name: &str| Key::new(TENANT, name.parse().expect("a name"));
    let change = TenantInstances {
        operation: item().operation,
        service: key("volumes"),
        tenant: key("web"),
        instances: vec![key("web-1"), key("web-2")],
        added: vec![key("web-2")],
        removed: vec![key("web-0")],
    };
    assert_eq!(service.tenant_instances_changed(&change).await, Outcome::done());
    let id = "Tenant/web-volumes/u1/3";
    let told = r#"{"kind":"Tenant","metadata":{"name":"web-volumes","uid":"u1","generation":3,"labels":{}},"spec":{"tenant":{"kind":"Service","name":"web"},"provider":"volumes","connect":"shared","attributes":{}}}"#;
    let instances = r#"{"service":"volumes","tenant":"web","instances":["web-1","web-2"],"added":["web-2"],"removed":["web-0"]}"#;
    assert_eq!(
        fake.asked(),
        [
            format!("PUT|/base/tenants/web-volumes|Bearer t0ken|{id}|volume-7|{told}"),
            format!("DELETE|/base/tenants/web-volumes|Bearer t0ken|{id}|volume-7|"),
            format!("PUT|/base/tenants/web-volumes/instances|Bearer t0ken|{id}|-|{instances}"),
        ]
    );
}

#[tokio::test]
async fn what_is_refused_is_said_in_the_services_words() {
    let problem = r#"{"type": "about:blank", "detail": "no\nroom"}"#;
    let long = format!(r#"{{"detail": "{}"}}"#, "x".repeat(5000));
    // Answer, message, whether it can be said to have done nothing, and when it is tried again.
    for (status, body, message, untouched, retry) in [
        (422, problem, "no room", true, Retry::OnChange),
        (409, problem, "no room", true, Retry::OnChange),
        (
            400,
            "<html>",
            "the service answers 400 Bad Request to PUT /tenants/web-volumes",
            true,
            Retry::OnChange,
        ),
        (401, r#"{"title": "who are you?"}"#, "who are you?", true, Retry::BackOff),
        (404, "", "the service answers 404 Not Found to PUT /tenants/web-volumes", true, Retry::BackOff),
        (
            307,
            "",
            "the service answers 307 Temporary Redirect to PUT /tenants/web-volumes",
            false,
            Retry::BackOff,
        ),
        (500, problem, "no room", false, Retry::BackOff),
        (503, &long, &"x".repeat(1024), false, Retry::BackOff),
    ] {
        let fake = Fake::new(status, body);
        let outcome = at(fake.serve(None).await).apply(&item()).await;
        let (failure, none) = match outcome {
            Outcome::Untouched(failure) => (failure, true),
            Outcome::Failed(failure) => (failure, false),
            other => panic!("{status}: {other:?}"),
        };
        assert_eq!((failure.message.as_str(), none, failure.retry), (message, untouched, retry), "{status}");
    }
    let gone = Fake::new(404, "");
    assert_eq!(at(gone.serve(None).await).remove(&item()).await, Outcome::done());
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_an_error() {
    let long = "x".repeat(256);
    let huge = format!(r#"{{"more": "{}"}}"#, "x".repeat(70_000));
    for (body, message) in [
        ("[1", "the answer is not as agreed"),
        (r#"{"handle": ""}"#, "\"handle\" is not of 1 to 255 visible characters"),
        (r#"{"handle": "a b"}"#, "\"handle\" is not of 1 to 255 visible characters"),
        (&format!(r#"{{"digest": "{long}"}}"#), "\"digest\" has more than 255 bytes"),
        (&huge, "the answer has more than 65536 bytes"),
    ] {
        let outcome = at(Fake::new(200, body).serve(None).await).apply(&item()).await;
        let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
        assert!(failure.message.contains(message), "{}", failure.message);
    }
    let silent = Fake::new(204, "");
    assert_eq!(at(silent.serve(None).await).apply(&item()).await, Outcome::done());
}

#[tokio::test]
async fn nothing_is_done_by_a_service_that_is_not_there() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback is there");
        listener.local_addr().expect("it is bound")
    };
    let outcome = at(address).apply(&item()).await;
    let Outcome::Untouched(failure) = outcome else { panic!("{outcome:?}") };
    let words = format!("http://{address}/base cannot be reached");
    assert!(failure.message.starts_with(&words), "{}", failure.message);
}

#[tokio::test]
async fn what_is_observed_is_compared_and_who_cannot_tell_says_so() {
    let items = r#"{"items": [{"kind": "Tenant", "name": "web-volumes", "uid": "u1", "handle": "volume-8", "digest": "a"}]}"#;
    let (fake, made) = (Fake::new(200, items), Fake::new(200, r#"{"digest": "a"}"#));
    let found = at(fake.serve(None).await).observe().await.expect("it answers").expect("it can tell");
    let Outcome::Done(made) = at(made.serve(None).await).apply(&item()).await else { panic!("it is done") };
    assert_eq!((found.len(), &found[0].key, found[0].digest), (1, &item().operation.key, made.digest));
    for status in [404, 501] {
        assert_eq!(at(Fake::new(status, "").serve(None).await).observe().await, Ok(None));
    }
    let odd = r#"{"items": [{"kind": "Disk", "name": "a", "uid": "u1"}]}"#;
    for (status, body, words) in [(200, odd, "\"Disk\""), (200, "{}", "not as agreed"), (500, "", "500")] {
        let error =
            at(Fake::new(status, body).serve(None).await).observe().await.expect_err("it cannot be used");
        assert!(error.message.contains(words), "{}", error.message);
    }
}

#[tokio::test]
async fn over_tls_only_whom_the_bundle_vouches_for_is_believed() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth();
    let config = config.with_single_cert(vec![cert.der().clone()], key).expect("they belong together");
    let fake = Fake::new(200, "");
    let address = fake.serve(Some(TlsAcceptor::from(Arc::new(config)))).await;
    let url = format!("https://localhost:{}", address.port());
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    for (bundle, believed) in [(cert.pem(), true), (other.cert.pem(), false)] {
        let service =
            service(json!({"plugin": "http", "url": url, "credentials": "login", "caBundle": bundle}));
        let outcome = service.expect("it is suitable").apply(&item()).await;
        assert_eq!(outcome == Outcome::done(), believed, "{outcome:?}");
        assert_eq!(fake.asked().len(), usize::from(believed), "the token is not shown to anybody else");
    }
}

#[test]
fn what_a_controller_lacks_is_said_of_its_field() {
    for (spec, words) in [
        (json!({}), "spec.url: is missing"),
        (
            json!({"url": "http://storage.example/"}),
            "spec.url: says everything in the clear to another machine",
        ),
        (json!({"url": "https://storage.example/?a=b"}), "spec.url: has a query"),
        (
            json!({"url": "http://127.0.0.1/", "credentials": "none"}),
            "spec.credentials: Secret none has no key \"token\"",
        ),
        (
            json!({"url": "http://127.0.0.1/", "credentials": "odd"}),
            "spec.credentials: \"token\" of Secret odd is not one line",
        ),
        (
            json!({"url": "http://127.0.0.1/", "parameters": {"colour": 1}}),
            "spec.parameters: the plug-in http knows no \"colour\"",
        ),
        (
            json!({"url": "http://127.0.0.1/", "parameters": {"compareSeconds": 9}}),
            "spec.parameters: \"compareSeconds\" is a number from 10",
        ),
    ] {
        let mut spec = spec;
        spec["plugin"] = json!("http");
        let Err(error) = service(spec) else { panic!("{words}") };
        assert!(error.starts_with(words), "{error}");
    }
    for url in ["http://localhost:80/a", "http://[::1]:80", "http://127.1.2.3"] {
        assert!(service(json!({"plugin": "http", "url": url})).is_ok(), "{url}");
    }
}

/// An object whose turn it is, with what it is attached to.
fn of_a_cloud(object: Value, networks: &[&str]) -> Item<AnyObject> {
    let name = |text: &str| text.parse::<net_types::Name>().expect("a name");
    let kind = if object["kind"] == "Instance" { INSTANCE } else { NETWORK };
    let key = Key::new(kind, name(object["metadata"]["name"].as_str().expect("a name")));
    let body = if kind == INSTANCE {
        AnyObject::Instance(serde_json::from_value(object).expect("an Instance"))
    } else {
        AnyObject::Network(serde_json::from_value(object).expect("a Network"))
    };
    let slice = Edge::new("slice", Key::new(KindName::Slice, name("front")));
    let attached = networks.iter().map(|network| Edge::new(ATTACHED, Key::new(NETWORK, name(network))));
    let edges = [slice].into_iter().chain(attached).collect();
    let operation = Operation { key, uid: "u1".into(), generation: 1 };
    Item { operation, body: Some(Arc::new(body)), handle: None, edges, attempt: 1 }
}

fn network() -> Item<AnyObject> {
    let metadata = json!({"name": "blue", "uid": "u1", "generation": 1});
    of_a_cloud(
        json!({"kind": "Network", "metadata": metadata, "spec": {"slice": "front"}, "status": {}}),
        &[],
    )
}

#[tokio::test]
async fn a_cloud_is_told_of_a_machine_where_it_is_placed_and_what_it_is_attached_to() {
    let fake = Fake::new(200, "");
    let cloud = at(fake.serve(None).await);
    for (status, told) in
        [(json!({}), r#""status":{}"#), (json!({"node": "node1"}), r#""status":{"node":"node1"}"#)]
    {
        let metadata = json!({"name": "vm", "uid": "u1", "generation": 1});
        let spec = json!({"slice": "front", "placement": {"deployment": "west"}});
        let instance = json!({"kind": "Instance", "metadata": metadata, "spec": spec, "status": status});
        let item = of_a_cloud(instance, &["blue", "red"]);
        assert_eq!(cloud.apply(&item).await, Outcome::done());
        let said = format!(
            r#"{{"kind":"Instance","metadata":{{"name":"vm","uid":"u1","generation":1,"labels":{{}}}},"spec":{{"slice":"front","placement":{{"deployment":"west"}}}},"networks":["blue","red"],{told}}}"#
        );
        assert_eq!(fake.asked(), [format!("PUT|/base/instances/vm|Bearer t0ken|Instance/vm/u1/1|-|{said}")]);
    }
    assert_eq!(cloud.remove(&network()).await, Outcome::done());
    assert_eq!(fake.asked(), ["DELETE|/base/networks/blue|Bearer t0ken|Network/blue/u1/1|-|"]);
}

#[tokio::test]
async fn what_is_adopted_is_looked_up_and_is_not_the_offices() {
    let fake = Fake::new(200, r#"{"handle": "net-4"}"#);
    let made = at(fake.serve(None).await).adopt(&network()).await;
    assert_eq!(made, Outcome::Done(Made::with_handle("net-4").found()));
    assert_eq!(fake.asked(), ["GET|/base/networks/blue|Bearer t0ken|Network/blue/u1/1|-|"]);

    for (status, body, words) in [
        (404, r#"{"detail": "no such network"}"#, "Network blue is not there to be adopted: no such network"),
        (
            404,
            "",
            "Network blue is not there to be adopted: the service answers 404 Not Found to GET /networks/blue",
        ),
        (503, "", "the service answers 503 Service Unavailable to GET /networks/blue"),
        (200, "[", "the answer is not as agreed: EOF while parsing a list at line 1 column 1"),
    ] {
        let outcome = at(Fake::new(status, body).serve(None).await).adopt(&network()).await;
        let (Outcome::Untouched(failure) | Outcome::Failed(failure)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!((failure.message.as_str(), failure.retry), (words, Retry::BackOff));
    }

    let items = r#"{"items": [{"kind": "Network", "name": "blue", "uid": "u1", "adopted": true},
                              {"kind": "Instance", "name": "vm", "uid": "u1"}]}"#;
    let found = at(Fake::new(200, items).serve(None).await).observe().await.expect("it answers");
    let owned: Vec<_> =
        found.expect("it can tell").iter().map(|thing| (thing.key.kind, thing.owned)).collect();
    assert_eq!(owned, [(NETWORK, false), (INSTANCE, true)]);
}
