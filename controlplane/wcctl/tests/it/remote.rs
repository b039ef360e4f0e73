//! graph, explain, backup.

use serde_json::{Value, json};

use crate::fake::Fake;

#[test]
fn the_graph_is_shown_as_the_controller_draws_it() {
    let fake = Fake::start(&[
        ("GET /api/v1/graph?format=text", 200, "vcpe\n  volt (shared)"),
        ("GET /api/v1/graph?format=dot", 200, "digraph office {}\n"),
        ("GET /api/v1/graph?format=json", 200, r#"{"services":[]}"#),
        ("GET /api/v1/graph/connectivity?format=text", 200, "NETWORK\nprivate/web\n"),
        ("GET /api/v1/graph/connectivity?format=json", 200, "{}"),
        ("GET /api/v1/graph?format=text", 403, r#"{"title":"Forbidden","detail":"ann may not get Service"}"#),
    ]);
    assert_eq!(fake.wcctl(&["graph"]).stdout, "vcpe\n  volt (shared)\n");
    assert_eq!(fake.wcctl(&["graph", "-o", "dot"]).stdout, "digraph office {}\n");
    assert_eq!(fake.wcctl(&["graph", "-o", "yaml"]).stdout, "services: []\n");
    assert_eq!(fake.wcctl(&["graph", "--connectivity", "-o", "table"]).stdout, "NETWORK\nprivate/web\n");
    assert_eq!(fake.wcctl(&["graph", "--connectivity", "-o", "json"]).stdout, "{}\n");
    let refused = fake.wcctl(&["graph"]);
    assert_eq!((refused.status, refused.stderr.as_str()), (3, "wcctl: Forbidden: ann may not get Service\n"));
}

#[test]
fn an_explanation_is_a_few_sentences() {
    let answer = json!({
        "object": {"kind": "Tenant", "name": "alice-vcpe"},
        "sentences": ["alice is a subscriber of volt.", "Each tenancy with volt begets one with vcpe."],
    });
    let path = "GET /api/v1/explain/tenants/alice-vcpe";
    let fake = Fake::start(&[
        (path, 200, answer.to_string()),
        (path, 200, answer.to_string()),
        (path, 404, r#"{"title":"Not found"}"#.into()),
        (path, 200, "{}".into()),
        (
            "GET /api/v1/explain/attachment/vm1/shared/lan",
            200,
            r#"{"sentences":["vm1 is of slice web."]}"#.into(),
        ),
    ]);
    let run = fake.wcctl(&["explain", "tenant", "alice-vcpe"]);
    let expected = "alice is a subscriber of volt.\nEach tenancy with volt begets one with vcpe.\n";
    assert_eq!((run.status, run.stdout.as_str()), (0, expected), "{}", run.stderr);
    let json = fake.wcctl(&["explain", "ten/alice-vcpe", "-o", "json"]).stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).expect("JSON"), answer);
    let missing = fake.wcctl(&["explain", "ten/alice-vcpe"]);
    assert_eq!((missing.status, missing.stderr.as_str()), (3, "wcctl: Not found\n"));
    assert_eq!(fake.wcctl(&["explain", "ten/alice-vcpe"]).status, 5);
    let derived = fake.wcctl(&["explain", "attachment/vm1/shared/lan"]);
    assert_eq!(
        (derived.status, derived.stdout.as_str()),
        (0, "vm1 is of slice web.\n"),
        "{}",
        derived.stderr
    );
    assert_eq!(fake.wcctl(&["explain", "tenants"]).status, 2);
}

#[test]
fn backups_are_made_and_verified_at_the_controller() {
    let answer =
        json!({"path": "/b", "revision": 41, "objects": 12, "bytes": 4096, "files": ["ca/x", "keys/office"]})
            .to_string();
    let fake = Fake::start(&[
        ("POST /api/v1/backups", 201, answer.clone()),
        ("POST /api/v1/backups/verify", 200, answer),
        ("POST /api/v1/backups/verify", 422, r#"{"title":"Damaged","detail":"block 7"}"#.into()),
    ]);
    let of = |arguments: &[&str]| {
        let run = fake.wcctl(&[&["backup"], arguments].concat());
        (run.status, run.stdout + &run.stderr)
    };
    let what = "revision 41, 12 objects, 4096 bytes, 2 files of CA and keys";
    assert_eq!(of(&["create", "/b"]), (0, format!("/b written: {what}\n")));
    assert_eq!(of(&["verify", "/b"]), (0, format!("/b sound: {what}\n")));
    assert_eq!(of(&["verify", "/b"]), (3, "wcctl: Damaged: block 7\n".into()));
    assert_eq!(of(&["create", "b"]).0, 2);
    assert!(fake.bodies().iter().all(|body| body == r#"{"path":"/b"}"#));
}

#[test]
fn who_one_is_and_what_one_may_do() {
    let review = "POST /api/v1/access-reviews";
    let who = json!({"user": "ann", "via": "token", "bindings": [
        {"role": "operator", "scope": {"kind": "Site", "name": "east"}, "grantOption": true, "expiresAt": "2020-01-01T00:00:00Z"},
        {"role": "viewer", "scope": {"kind": "Office"}, "grantOption": false},
    ]});
    let roles = json!({"items": [{"name": "office-admin", "description": "Everything", "rules": []}]});
    let fake = Fake::start(&[
        (review, 200, r#"{"allowed":true,"why":"operator of site/east"}"#.into()),
        (review, 200, r#"{"allowed":false,"why":"no role of ann's says so"}"#.into()),
        (review, 200, r#"{"allowed":false}"#.into()),
        (review, 200, r#"{"allowed":false,"why":"not you"}"#.into()),
        (review, 200, "{}".into()),
        ("GET /api/v1/whoami", 200, who.to_string()),
        ("GET /api/v1/built-in-roles", 200, roles.to_string()),
    ]);
    let yes = fake.wcctl(&["auth", "can-i", "update", "sub", "alice"]);
    assert_eq!((yes.status, yes.stdout.as_str()), (0, "yes: operator of site/east\n"), "{}", yes.stderr);
    let no = fake.wcctl(&["auth", "can-i", "delete", "nodes"]);
    let said = (no.status, no.stdout.as_str(), no.stderr.as_str());
    assert_eq!(said, (1, "no: no role of ann's says so\n", ""));
    let quiet = fake.wcctl(&["auth", "can-i", "list", "nodes", "--quiet"]);
    assert_eq!((quiet.status, quiet.stdout.as_str()), (1, ""));
    let data = fake.wcctl(&["auth", "can-i", "delete", "nodes", "-o", "json"]);
    let said: Value = serde_json::from_str(&data.stdout).expect("JSON");
    assert_eq!((data.status, said), (1, json!({"allowed": false, "why": "not you"})));
    assert_eq!(fake.wcctl(&["auth", "can-i", "list", "nodes"]).status, 5, "no answer is no permission");
    assert_eq!(fake.wcctl(&["auth", "can-i", "fly", "nodes"]).status, 2);
    let bodies: Vec<Value> =
        fake.bodies().iter().take(2).map(|body| serde_json::from_str(body).expect("JSON")).collect();
    assert_eq!(bodies[0], json!({"verb": "update", "kind": "Subscriber", "name": "alice"}));
    assert_eq!(bodies[1], json!({"verb": "delete", "kind": "Node"}));

    let expected = "\
ann (by token)
ROLE       SCOPE       GRANT   EXPIRES
operator   site/east   true    2020-01-01T00:00:00Z (expired)
viewer     office      false   -
";
    assert_eq!(fake.wcctl(&["auth", "whoami"]).stdout, expected);
    let expected = "ROLE           DESCRIPTION\noffice-admin   Everything\n";
    assert_eq!(fake.wcctl(&["auth", "roles"]).stdout, expected);
}

#[test]
fn tokens_and_passwords_are_ones_own_unless_somebody_else_is_named() {
    let ann = r#"{"user":"ann","via":"token","bindings":[]}"#;
    let made = r#"{"id":"7","token":"wct_secret","expiresAt":"2027-01-01T00:00:00Z"}"#;
    let list = json!({"items": [{"id": "7", "name": "laptop", "createdAt": "2026-01-01T00:00:00Z", "expiresAt": "2027-01-01T00:00:00Z"}]});
    let fake = Fake::start(&[
        ("GET /api/v1/whoami", 200, ann.to_owned()),
        ("POST /api/v1/users/ann/tokens", 201, made.into()),
        ("GET /api/v1/users/bob/tokens", 200, list.to_string()),
        ("DELETE /api/v1/users/bob/tokens/7", 204, String::new()),
        ("PUT /api/v1/users/bob/password", 204, String::new()),
        ("GET /api/v1/whoami", 200, r#"{"user":"uid:0","via":"socket","bindings":[]}"#.into()),
    ]);
    let run = fake.wcctl(&["token", "create", "laptop"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, "wct_secret\n"), "{}", run.stderr);
    assert_eq!(run.stderr, "This token is ann's until 2027-01-01T00:00:00Z. It is shown only this once.\n");
    let expected = "\
ID   NAME     CREATED                EXPIRES                LAST-USED
7    laptop   2026-01-01T00:00:00Z   2027-01-01T00:00:00Z   -
";
    assert_eq!(fake.wcctl(&["token", "list", "--user", "bob"]).stdout, expected);
    assert_eq!(fake.wcctl(&["token", "revoke", "7", "--user", "bob"]).stdout, "token 7 revoked\n");
    let none = fake.wcctl(&["passwd", "bob"]);
    assert_eq!((none.status, none.stderr.as_str()), (2, "wcctl: no password was given\n"));
    let home = tempfile::tempdir().expect("a directory");
    let file = home.path().join("password");
    std::fs::write(&file, "correct horse battery\nand more\n").expect("written");
    let stdin = std::fs::File::open(&file).expect("it");
    let set =
        crate::run(crate::command().arg("--socket").arg(&fake.socket).args(["passwd", "bob"]).stdin(stdin));
    assert_eq!((set.status, set.stdout.as_str()), (0, "password of bob changed\n"), "{}", set.stderr);
    assert_eq!(fake.bodies().last().map(String::as_str), Some(r#"{"password":"correct horse battery"}"#));
    let root = fake.wcctl(&["token", "list"]);
    assert!(root.status == 2 && root.stderr.contains("say whose"), "{}", root.stderr);
    let socket = fake.wcctl(&["login", "ann"]);
    assert_eq!(socket.status, 2, "{}", socket.stderr);
}

#[test]
fn the_audit_log_is_read_page_by_page() {
    let item = |verb: &str, more: Value| {
        let mut item = json!({"time": "2026-01-01T00:00:00Z", "user": "ann", "from": "192.0.2.7", "outcome": "done",
            "verb": verb, "kind": "Slice", "name": "cdn"});
        xos_model::merge_patch(&mut item, more);
        item
    };
    let refused = item(
        "delete",
        json!({"outcome": "refused", "status": 403, "leftOut": 7, "detail": "not yours", "from": "socket uid:0"}),
    );
    let first = json!({"metadata": {"continue": "9.1"}, "items": [refused]});
    let second =
        json!({"metadata": {}, "items": [item("update", json!({"patch": {"spec": {"enabled": false}}}))]});
    let pages = [
        ("GET /api/v1/audit?limit=100&user=ann", 200, first.to_string()),
        ("GET /api/v1/audit?limit=99&user=ann&continue=9.1", 200, second.to_string()),
    ];
    let expected = "\
TIME                   USER   FROM           VERB     OBJECT      OUTCOME
2026-01-01T00:00:00Z   ann    socket:uid:0   delete   slice/cdn   refused:403(+7)
2026-01-01T00:00:00Z   ann    192.0.2.7      update   slice/cdn   done
";
    let fake = Fake::start(&pages);
    let run = fake.wcctl(&["audit", "--user", "ann"]);
    assert_eq!((run.status, run.stdout.as_str()), (0, expected), "{}", run.stderr);
    let wide = Fake::start(&pages).wcctl(&["audit", "--user", "ann", "-o", "wide"]).stdout;
    assert!(wide.contains("not yours") && wide.contains(r#"{"spec":{"enabled":false}}"#), "{wide}");
    let fake = Fake::start(&[("GET /api/v1/audit?limit=1", 200, r#"{"items":[]}"#)]);
    assert_eq!(fake.wcctl(&["audit", "--limit", "1"]).stdout, "Nothing is told of that.\n");
}
