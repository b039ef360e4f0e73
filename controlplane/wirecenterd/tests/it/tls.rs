//! The API over TLS, as operators elsewhere reach it: with the real `wcctl`.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use hyper::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::controller::{Controller, run};

/// An operator's home, on a machine that knows of the office what is put there.
struct Operator(TempDir);

pub(crate) fn wcctl_program() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_wirecenterd")).with_file_name("wcctl");
    assert!(path.exists(), "{} is missing: cargo build -p wcctl", path.display());
    path
}

impl Operator {
    fn new() -> Self {
        Self(TempDir::new().expect("a directory"))
    }

    fn wcctl(&self, arguments: &[&str], input: &str) -> (i32, String) {
        let mut command = Command::new(wcctl_program());
        for variable in ["WIRECENTER_SOCKET", "WIRECENTER_CONTEXT", "XDG_CONFIG_HOME"] {
            command.env_remove(variable);
        }
        let piped = || Stdio::piped();
        command.env("HOME", self.0.path()).args(arguments).stdin(piped()).stdout(piped()).stderr(piped());
        let mut child = command.spawn().expect("wcctl starts");
        // It need not read it.
        let _: std::io::Result<()> = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let output = child.wait_with_output().expect("wcctl ends");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().expect("a status"), String::from_utf8(text).expect("UTF-8"))
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
        path.to_str().expect("UTF-8").to_owned()
    }

    fn knows(&self, server: &str, ca: &str, token: Option<&str>) {
        let mut set = vec!["config", "set-context", "east", "--server", server, "--ca-file", ca];
        set.extend(token.iter().flat_map(|token| ["--token-file", token]));
        assert_eq!(self.wcctl(&set, "").0, 0);
        assert_eq!(self.wcctl(&["config", "use-context", "east"], "").0, 0);
    }
}

#[test]
fn an_operator_elsewhere_needs_the_offices_authority_and_a_token() {
    run(async {
        let controller =
            Controller::start_with(&["--listen", "127.0.0.1:0", "--tls-name", "office.example"]).await;
        let other = Controller::start().await;
        let (operator, server) = (Operator::new(), format!("https://{}", controller.api()));
        let ca = operator.file("ca.pem", &fs::read(controller.ca()).expect("the CA"));
        let wrong_ca = operator.file("other.pem", &fs::read(other.ca()).expect("the CA"));
        let token = operator.file("token", controller.first_token().as_bytes());

        operator.knows(&server, &ca, None);
        let (status, text) = operator.wcctl(&["get", "users"], "");
        assert!(status == 3 && text.contains("Unauthorized: say who you are"), "{status} {text}");
        assert_eq!(operator.wcctl(&["version"], "").0, 0, "what is not about the office");

        operator.knows(&server, &wrong_ca, Some(&token));
        let (status, text) = operator.wcctl(&["get", "users"], "");
        assert!(status == 4 && text.contains("certificate"), "{status} {text}");

        operator.knows(&server, &ca, Some(&token));
        let (status, text) = operator.wcctl(&["get", "users", "-o", "name"], "");
        assert_eq!((status, text.as_str()), (0, "user/admin\n"));
        let (status, text) = operator.wcctl(&["auth", "whoami"], "");
        let expected =
            "admin (by token)\nROLE           SCOPE    GRANT   EXPIRES\noffice-admin   office   true    -\n";
        assert_eq!((status, text.as_str()), (0, expected));
        let (status, text) = operator.wcctl(&["auth", "can-i", "delete", "node", "n1"], "");
        let why =
            "yes: role binding admin gives role office-admin over the office, whose rules[0] allows it\n";
        assert_eq!((status, text.as_str()), (0, why));

        // A password, a session, and what was done with it.
        let password = "correct horse battery\n";
        assert_eq!(operator.wcctl(&["passwd"], password), (0, "password of admin changed\n".into()));
        operator.knows(&server, &ca, None);
        let (status, text) = operator.wcctl(&["login", "admin"], "wrong horse battery\n");
        assert!(status == 3 && text.contains("no user admin with this password"), "{status} {text}");
        let (status, text) = operator.wcctl(&["login", "admin"], password);
        assert!(status == 0 && text.starts_with("logged in to east as admin until "), "{status} {text}");
        let site = operator.file("site.yaml", b"kind: Site\nmetadata: {name: north}\nspec: {}\n");
        let (status, text) = operator.wcctl(&["create", "-f", &site], "");
        assert_eq!(status, 0, "{text}");
        let (status, text) = operator.wcctl(&["audit", "--kind", "Site"], "");
        let line: Vec<_> = text.lines().nth(1).expect("a line").split_whitespace().skip(1).collect();
        assert_eq!((status, line), (0, vec!["admin", "127.0.0.1", "create", "site/north", "done"]));
        let (_, list) = operator.wcctl(&["token", "list"], "");
        assert!(list.contains("first administrator") && list.contains("login"), "{list}");
        assert!(
            !fs::read_to_string(controller.log_path()).expect("the log").contains("horse"),
            "nothing secret is logged"
        );
    });
}

#[test]
fn the_certificate_is_for_the_names_that_were_given_or_is_one_that_was() {
    run(async {
        let controller = Controller::start_with(&[
            "--listen",
            "127.0.0.1:0",
            "--tls-name",
            "office.example",
            "--tls-name",
            "192.0.2.7",
        ])
        .await;
        let curl = |ca: &Path, api: &str, host: &str| {
            let port = api.rsplit(':').next().expect("a port");
            let output = Command::new("curl")
                .args(["--silent", "--show-error", "--http1.1", "--cacert"])
                .arg(ca)
                .args([
                    "--connect-to",
                    &format!("{host}:{port}:{api}"),
                    &format!("https://{host}:{port}/healthz"),
                ])
                .output()
                .expect("curl: apt-get install curl");
            (
                output.status.success(),
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
            )
        };
        let ca = controller.ca();
        for name in ["office.example", "192.0.2.7", "localhost"] {
            assert_eq!(curl(&ca, &controller.api(), name), (true, "ok\n".into()), "{name}");
        }
        let (ok, said) = curl(&ca, &controller.api(), "elsewhere.example");
        assert!(!ok && said.contains("elsewhere.example"), "{said}");

        // One of another authority's: here, that of the test.
        let operator = Operator::new();
        let own = rcgen::generate_simple_self_signed(["office.example".to_owned()]).expect("a certificate");
        let certificate = operator.file("own.pem", own.cert.pem().as_bytes());
        let key = operator.file("own.key", own.signing_key.serialize_pem().as_bytes());
        let arguments = ["--listen", "127.0.0.1:0", "--tls-cert", &certificate, "--tls-key", &key];
        let arguments: Vec<&'static str> = arguments.iter().map(|text| &*text.to_string().leak()).collect();
        let controller = Controller::start_with(arguments.leak()).await;
        assert_eq!(curl(Path::new(&certificate), &controller.api(), "office.example"), (true, "ok\n".into()));
    });
}

#[test]
fn strangers_are_slowed_down_and_root_is_not() {
    run(async {
        let controller =
            Controller::start_with(&["--listen", "127.0.0.1:0", "--rate-limit", "1", "--rate-burst", "3"])
                .await;
        let url = format!("https://{}/api/v1/sites", controller.api());
        let ask = || {
            let mut curl = Command::new("curl");
            curl.args(["--silent", "--write-out", "%{http_code} ", "--cacert"]).arg(controller.ca());
            // One connection for all.
            for _ in 0..50 {
                curl.args(["--output", "/dev/null", url.as_str()]);
            }
            let output = curl.output().expect("curl: apt-get install curl");
            String::from_utf8(output.stdout).expect("text")
        };
        let said = ask();
        assert!(said.starts_with("401 401 401 ") && said.contains("429"), "{said}");
        // A user's share is the user's, by whichever token and connection.
        let admin = controller.first_token();
        let mut said = Vec::new();
        for _ in 0..20 {
            let answer = controller.call_as(&admin, Method::GET, "/api/v1/sites", &json!(null)).await;
            said.push(answer.status.as_u16());
        }
        assert_eq!(said[..3], [200; 3]);
        assert!(said.contains(&429), "{said:?}");
        for _ in 0..100 {
            assert_eq!(controller.call(Method::GET, "/api/v1/sites", &json!(null)).await.status, 200);
        }
    });
}
