//! Contexts, and controllers that are reached over TLS.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

use crate::{
    Run, command,
    fake::{Fake, FakeTls},
    run,
};

fn in_home(home: &Path, arguments: &[&str]) -> Run {
    run(command().env("HOME", home).args(arguments))
}

/// An authority's certificate in PEM, and a server's configuration for `localhost` that it vouches for.
fn authority() -> (String, ServerConfig) {
    let mut params = CertificateParams::new([]).expect("parameters");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = params.self_signed(&key).expect("signed").pem();
    let issuer = Issuer::new(params, key);
    let server_key = KeyPair::generate().expect("a key");
    let server = CertificateParams::new(["localhost".into()]).expect("parameters");
    let certificate = server.signed_by(&server_key, &issuer).expect("signed");
    let chain = vec![CertificateDer::from(certificate)];
    let key = PrivateKeyDer::from_pem_slice(server_key.serialize_pem().as_bytes()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth().with_single_cert(chain, key);
    (authority, config.expect("a configuration"))
}

#[test]
fn contexts_are_kept_where_only_their_owner_reads_them() {
    let home = tempfile::tempdir().expect("a directory");
    let here = Fake::start(&[("GET /version", 200, r#"{"version":"1.2.3"}"#); 3]);
    let socket = here.socket.to_str().expect("UTF-8");
    let of = |arguments: &[&str]| {
        let run = in_home(home.path(), arguments);
        (run.status, run.stdout + &run.stderr)
    };
    assert_eq!(of(&["config", "get-contexts"]), (0, "There are no contexts.\n".into()));
    assert_eq!(of(&["config", "current-context"]), (2, "wcctl: no context is in use\n".into()));
    assert_eq!(
        of(&["config", "set-context", "here", "--unix-socket", socket]),
        (0, "context here created\n".into())
    );
    let east = ["config", "set-context", "east", "--server", "https://east.example", "--ca-file", "/ca.pem"];
    assert_eq!(of(&east), (0, "context east created\n".into()));
    assert_eq!(of(&east), (0, "context east changed\n".into()));
    let file = home.path().join(".config/wirecenter/config.yaml");
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    assert_eq!(
        fs::metadata(file.parent().expect("a folder")).expect("it").permissions().mode() & 0o777,
        0o700
    );

    assert_eq!(of(&["config", "use-context", "here"]), (0, "context here is in use\n".into()));
    assert_eq!(of(&["config", "current-context"]), (0, "here\n".into()));
    let (_, table) = of(&["config", "get-contexts"]);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[1], ["-", "east", "https://east.example", "/ca.pem", "-"]);
    assert_eq!(rows[2], ["*", "here", socket, "-", "-"]);

    // The current one, one that is named, one of the environment; and a socket that is named goes before all.
    assert!(of(&["version"]).1.ends_with("wirecenterd  1.2.3\n"));
    assert_eq!(of(&["version", "--context", "here"]).0, 0);
    let by_variable = |name: &str, value: &str| {
        run(command().env("HOME", home.path()).env(name, value).arg("version")).status
    };
    assert_eq!(by_variable("WIRECENTER_CONTEXT", "west"), 2);
    assert_eq!(by_variable("WIRECENTER_CONTEXT", "here"), 0);
    assert_eq!(by_variable("WIRECENTER_SOCKET", "/nonexistent"), 4);
    assert_eq!(of(&["version", "--socket", "/nonexistent"]).0, 4);
    assert_eq!(of(&["version", "--socket", "/nonexistent", "--context", "here"]).0, 2);
    let unknown = "wcctl: there is no context \"west\"; there are: east, here\n";
    assert_eq!(of(&["config", "use-context", "west"]), (2, unknown.into()));

    let (status, text) = of(&["config", "delete-context", "here"]);
    assert_eq!((status, text.as_str()), (0, "context here deleted\nhere was in use: now no context is\n"));
    fs::write(&file, "contexts: {east: {port: 8443}}").expect("written");
    let (status, text) = of(&["config", "get-contexts"]);
    assert!(status == 2 && text.contains("port"), "{text}");
}

#[test]
fn a_server_is_trusted_by_its_authority_and_gets_the_token() {
    let home = tempfile::tempdir().expect("a directory");
    let (authority_pem, tls) = authority();
    let fake = FakeTls::start(&[("GET /version", 200, r#"{"version":"1.2.3"}"#); 2], tls);
    let file = |name: &str, text: &str, mode: u32| {
        let path = home.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        path.to_str().expect("UTF-8").to_owned()
    };
    let (trusted, other) = (file("ca.pem", &authority_pem, 0o644), file("other.pem", &authority().0, 0o644));
    let (token, open_token) = (file("token", "s3cret\n", 0o600), file("open-token", "s3cret\n", 0o644));
    let server = format!("https://localhost:{}", fake.port);
    let version = |ca: &str, token: Option<&str>| {
        let mut set = vec!["config", "set-context", "east", "--server", &server, "--ca-file", ca];
        set.extend(token.iter().flat_map(|token| ["--token-file", token]));
        assert_eq!(in_home(home.path(), &set).status, 0);
        in_home(home.path(), &["--context", "east", "version"])
    };
    let run = version(&trusted, Some(&token));
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    assert!(run.stdout.ends_with("wirecenterd  1.2.3\n"), "{}", run.stdout);
    assert_eq!(version(&trusted, None).status, 0);
    assert_eq!(fake.authorizations(), ["Bearer s3cret", ""]);

    let untrusted = version(&other, Some(&token));
    assert_eq!(untrusted.status, 4);
    assert!(
        untrusted.stderr.contains(&server) && untrusted.stderr.contains("certificate"),
        "{}",
        untrusted.stderr
    );
    let open = version(&trusted, Some(&open_token));
    assert!(open.status == 2 && open.stderr.contains("chmod 600"), "{}", open.stderr);
    let none = version(&token, None);
    assert!(none.status == 2 && none.stderr.contains("no certificate"), "{}", none.stderr);
    assert_eq!(fake.authorizations().len(), 2, "no token goes to a server that is not trusted");
}
