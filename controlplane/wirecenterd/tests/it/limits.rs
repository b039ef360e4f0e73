//! More than there may be: an answer says so, and all else goes on.

use std::fmt::Write as _;

use hyper::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

use crate::{
    access::{make, token, user},
    controller::{Controller, run, subscriber},
};

/// What the controller answers to a request that is written as it is, until it ends the connection.
async fn raw(controller: &Controller, request: &str) -> String {
    let stream = UnixStream::connect(controller.socket()).await.expect("connects");
    let (mut read, mut write) = stream.into_split();
    // The controller need not read all of it before it answers and closes.
    let _: std::io::Result<()> = write.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _: std::io::Result<usize> = read.read_to_end(&mut answer).await;
    String::from_utf8(answer).expect("text")
}

/// The head of a request with so many headers that are this long.
fn head(headers: usize, len: usize) -> String {
    let mut head = "GET /healthz HTTP/1.1\r\nhost: wirecenter\r\nconnection: close\r\n".to_owned();
    for i in 2..headers {
        write!(head, "x-{i}: {}\r\n", "x".repeat(len)).expect("to memory");
    }
    head + "\r\n"
}

#[test]
fn heads_are_bounded() {
    run(async {
        let controller = Controller::start().await;
        for (what, request, status) in [
            ("as many headers as may be", head(64, 1), "200"),
            ("one more", head(65, 1), "431"),
            ("hundreds", head(1000, 1), "431"),
            ("nearly as long as may be", head(3, 60 << 10), "200"),
            // What comes with the last read may be more; twice as long is always too long.
            ("too long", head(3, 128 << 10), "431"),
            ("endless", head(60, 1 << 20), "431"),
            // As a path (414) or as a head.
            ("a long path", format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000)), "4"),
            ("no HTTP", "\u{1}\u{2}\u{3}\r\n\r\n".into(), "400"),
        ] {
            let answer = raw(&controller, &request).await;
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{what}: {answer:?}");
        }
        assert_eq!(controller.get("/healthz").await.status, 200);
    });
}

#[test]
fn a_user_beyond_its_share_is_told_when_to_come_back() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    const NOBODY: u32 = 65534;
    run(async {
        let controller = Controller::start_with(&["--rate-limit", "1", "--rate-burst", "3"]).await;
        let socket = controller.socket();
        let open = |path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("can be opened");
        };
        open(socket.parent().expect("a directory"), 0o755);
        open(&socket, 0o666);
        // One connection after another: the share is the user's, not the connection's.
        let ask = || {
            let mut curl = std::process::Command::new("curl");
            curl.args(["--silent", "--include", "--unix-socket"])
                .arg(&socket)
                .arg("http://wirecenter/healthz");
            let output = curl.uid(NOBODY).gid(NOBODY).current_dir("/").output();
            String::from_utf8(output.expect("curl: apt-get install curl").stdout).expect("text")
        };
        let answers: Vec<String> = (0..200).map(|_| ask()).collect();
        for answer in &answers[..3] {
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        // How many get through depends on how long all of them take: not all do.
        let refused =
            answers.iter().find(|answer| answer.starts_with("HTTP/1.1 429")).expect("one is refused");
        assert!(refused.contains("\r\nretry-after: 1\r\n"), "{refused}");
        assert!(refused.contains("\r\ncontent-type: application/problem+json\r\n"), "{refused}");
        assert!(refused.contains("urn:wirecenter:problem:rate"), "{refused}");
        // Root is not counted.
        let mut client = controller.client().await;
        for _ in 0..100 {
            assert_eq!(client.call(Method::GET, "/healthz", &[], "").await.expect("answers").status, 200);
        }
    });
}

#[test]
fn what_one_user_asks_too_often_is_nothing_to_another() {
    run(async {
        let controller = Controller::start_with(&["--rate-limit", "1", "--rate-burst", "5"]).await;
        make(&controller, &[user("ann"), user("bob")]).await;
        let (ann, bob) = (token(&controller, "ann").await, token(&controller, "bob").await);
        let ask =
            async |token: &str| controller.call_as(token, Method::GET, "/api/v1/whoami", &json!(null)).await;
        // Whichever of its connections: each of these is a new one.
        let mut refused = None;
        for _ in 0..1000 {
            let answer = ask(&ann).await;
            if answer.status == 429 {
                refused = Some(answer);
                break;
            }
        }
        let refused = refused.expect("a thousand times at once is too often");
        assert_eq!(refused.json()["type"], "urn:wirecenter:problem:rate");
        assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
        assert_eq!(ask(&bob).await.status, 200);
    });
}

#[test]
fn one_watch_too_many_is_told_so() {
    const WATCHES: usize = 256;
    run(async {
        let controller = Controller::start().await;
        let path = "/api/v1/nodes?watch=1";
        let mut watches = Vec::new();
        for _ in 0..WATCHES {
            let answer = controller.client().await.send(Method::GET, path, &[], "").await.expect("answers");
            assert_eq!(answer.status(), 200);
            watches.push(answer);
        }
        let refused = controller.get(path).await;
        assert_eq!(refused.status, 429);
        assert_eq!(refused.places(), Vec::<String>::new());
        assert_eq!(refused.json()["type"], "urn:wirecenter:problem:watchers");
        // Everything else has room.
        assert_eq!(controller.get("/api/v1/nodes").await.status, 200);
        // One that goes makes room for another, as soon as the controller has seen that it is gone.
        drop(watches.pop());
        for _ in 0..1000 {
            let mut client = controller.client().await;
            let answer = client.send(Method::GET, path, &[], "").await.expect("answers");
            if answer.status() == 200 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("no room for another watch");
    });
}

#[test]
fn ten_thousand_objects_are_one_transaction() {
    run(async {
        let controller = Controller::with_office().await;
        let operation = |i: u16| {
            let object = subscriber(&format!("house{i}"), 1 + i / 4000, 1 + i % 4000);
            json!({"op": "apply", "object": object})
        };
        let body = json!({"operations": (0..10_000).map(operation).collect::<Vec<_>>()});
        let before = controller.revision().await;
        let answer = controller.call(Method::POST, "/api/v1/transactions", &body).await;
        assert_eq!(answer.status, 200, "{:?}", answer.body);
        let results = answer.json()["results"].as_array().expect("results").clone();
        assert_eq!(results.len(), 10_000);
        assert!(results.iter().all(|result| result["result"] == "created"));
        let revision = answer.json()["resourceVersion"].as_u64();
        assert!(revision > Some(before));
        let within = |of: &serde_json::Value| of.as_u64() > Some(before) && of.as_u64() <= revision;
        assert!(results.iter().all(|result| within(&result["resourceVersion"])));
    });
}

#[test]
fn a_secret_is_not_sent_with_an_idempotency_key() {
    run(async {
        let controller = Controller::start().await;
        let secret = json!({"kind": "Secret", "metadata": {"name": "s"}, "spec": {"data": {"k": "guess"}}});
        let batch = json!({"operations": [{"op": "create", "object": secret}]});
        for (path, body, status) in [("/api/v1/secrets", &secret, 400), ("/api/v1/transactions", &batch, 422)]
        {
            let headers = [("idempotency-key", "k")];
            let mut client = controller.client().await;
            let answer = client.call(Method::POST, path, &headers, body.to_string()).await.expect("answers");
            assert_eq!(answer.status, status, "{path}: {:?}", answer.body);
            assert_eq!(controller.get("/api/v1/secrets/s").await.status, 404);
        }
        let headers = [("idempotency-key", "k")];
        let mut client = controller.client().await;
        let place = json!({"path": controller.data().join("b")}).to_string();
        let answer = client.call(Method::POST, "/api/v1/backups", &headers, place).await.expect("answers");
        assert_eq!((answer.status.as_u16(), answer.places()), (400, vec!["idempotency-key".to_owned()]));
    });
}
