//! The API held against its own description.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    net::{TcpListener, UnixStream},
    process::Command,
    task::JoinHandle,
};

use hyper::{Method, StatusCode};
use serde_json::Value;
use xos_model::KindName;

use crate::{
    campaign::from_environment,
    controller::{Controller, run},
    everything::{NAME, everything},
    references::{results, transact},
};

/// Where `cargo xtask setup` installs it.
fn schemathesis() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    let program = cache.expect("a home").join("wirecenter/schemathesis/bin/schemathesis");
    assert!(program.is_file(), "{} is missing: cargo xtask setup", program.display());
    program
}

/// Carries connections from a port of the loopback to the socket: the program speaks TCP only.
async fn forward(socket: PathBuf) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let forwarding = tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.expect("accepts");
            let socket = socket.clone();
            tokio::spawn(async move {
                let mut controller = UnixStream::connect(socket).await.expect("connects");
                // Either may break off.
                let _: std::io::Result<_> = tokio::io::copy_bidirectional(&mut client, &mut controller).await;
            });
        }
    });
    (port, forwarding)
}

#[test]
fn every_operation_that_is_described_has_a_route_and_no_route_has_another() {
    run(async {
        let controller = Controller::start().await;
        let document = controller.get("/openapi.json").await.json();
        for (path, at) in document["paths"].as_object().expect("paths") {
            let path = path.replace("{name}", "example").replace("{id}", "example");
            let path = path.replace("{instance}", "example").replace("{of}", "network");
            let answer = controller.call(Method::OPTIONS, &path, &Value::Null).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
            let allowed = answer.headers["allow"].to_str().expect("text").to_ascii_lowercase();
            let mut allowed: Vec<_> = allowed.split(',').filter(|method| *method != "head").collect();
            allowed.sort_unstable();
            let described = at.as_object().expect("methods").keys().map(String::as_str);
            let described: Vec<_> = described.filter(|key| *key != "parameters").collect();
            assert_eq!(allowed, described, "{path}");
        }
    });
}

#[test]
fn a_stranger_may_read_what_the_api_is_and_nothing_of_what_is_there() {
    run(async {
        let controller = Controller::start().await;
        let asked = |path| controller.call_as("nobody", Method::GET, path, &Value::Null);
        assert_eq!(asked("/openapi.json").await.status, StatusCode::OK);
        assert_eq!(asked("/api/v1/nodes").await.status, StatusCode::UNAUTHORIZED);
    });
}

/// A slice of the campaign `cargo xtask campaign openapi`, on an office whose objects its operations find.
#[test]
fn the_api_is_as_it_describes_itself() {
    run(async {
        let controller = Controller::start().await;
        let all = everything();
        let made = transact(&controller, "create", &all).await;
        assert_eq!(results(&made), vec!["created"; all.len()]);
        for kind in KindName::ALL {
            let found = controller.get(&format!("/api/v1/{}/{NAME}", kind.plural())).await;
            assert_eq!(found.status, StatusCode::OK, "{kind} has no {NAME}");
        }
        let (port, forwarding) = forward(controller.socket()).await;
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis.toml");
        let (examples, seed) = (
            from_environment("WIRECENTER_CAMPAIGN_COUNT", 8).to_string(),
            from_environment("WIRECENTER_CAMPAIGN_SEED", 20_261_123).to_string(),
        );
        let output = Command::new(schemathesis())
            .arg("--config-file")
            .arg(config)
            .args(["run", &format!("http://127.0.0.1:{port}/openapi.json"), "--checks", "all", "--no-color"])
            .args(["--max-examples", &examples, "--seed", &seed])
            .current_dir(controller.socket().parent().expect("a directory"))
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = output.await.expect("starts");
        forwarding.abort();
        let (said, failed) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        println!("{said}");
        assert!(output.status.success(), "{failed}");
        // It also ends well when it has found nothing to do.
        assert!(said.contains(" generated, "), "{said}");
    });
}
