use serde_json::json;

use super::*;

const OFFICE: &str = r#"# An office.
kind: Subscriber
metadata: { name: alice, labels: { tier: gold } }
spec:
  access:
    node: node1
    sVid: 100
  bundle:
    dns:
      - 9.9.9.9
      - 149.112.112.112
---
kind: Node
metadata:
  name: node1
spec:
  loopback: 192.0.2.129
  ports:
    - name: access0
      outerTpid: "0x88a8"
---
"#;

fn parsed(text: &str) -> Vec<Document> {
    parse("office.yaml", text).unwrap_or_else(|failure| panic!("{failure}"))
}

fn fault(text: &str) -> String {
    parse("office.yaml", text).expect_err("a fault")
}

#[test]
fn every_document_is_an_object_with_its_lines() {
    let documents = parsed(OFFICE);
    let names: Vec<String> = documents.iter().map(|document| document.reference.to_string()).collect();
    assert_eq!(names, ["subscriber/alice", "node/node1"]);
    assert_eq!(documents[0].object["spec"]["access"], json!({"node": "node1", "sVid": 100}));
    assert_eq!(documents[1].object["spec"]["ports"], json!([{"name": "access0", "outerTpid": "0x88a8"}]));
    for (document, pointer, line) in [
        (0, "/spec/access/sVid", 7),
        (0, "/spec/bundle/dns/1", 11),
        (0, "/metadata/labels/tier", 3),
        (0, "/spec/access/port", 6), // It is missing; this is where it would be.
        (1, "/spec/ports/0/outerTpid", 20),
    ] {
        assert_eq!(documents[document].place(pointer), format!("office.yaml:{line}"), "{pointer}");
    }
    let text = documents[0].explain(&Fault::new("/spec/access/sVid", "taken"));
    assert_eq!(text, "office.yaml:7: subscriber/alice: /spec/access/sVid: taken");
}

#[test]
fn json_may_be_an_object_an_array_a_list_or_many() {
    let node = |name: &str| json!({"kind": "Node", "metadata": {"name": name}}).to_string();
    for text in [
        format!("{}\n{}", node("a"), node("b")),
        format!("[{},\n{}]", node("a"), node("b")),
        format!("{{\"kind\":\"NodeList\",\"metadata\":{{}},\"items\":[{},{}]}}", node("a"), node("b")),
    ] {
        let names: Vec<String> = parsed(&text).into_iter().map(|document| document.reference.name).collect();
        assert_eq!(names, ["a", "b"], "{text}");
    }
    let documents = parsed(&format!("{}\n\n{}", node("a"), node("b")));
    assert_eq!(documents[1].place("/spec/loopback"), "office.yaml:3");
}

#[test]
fn a_block_list_is_no_list_of_objects() {
    let list = json!({"kind": "BlockList", "metadata": {"name": "games"}});
    let documents = parsed(&list.to_string());
    assert_eq!(documents.len(), 1);
    assert_eq!(documents[0].object, list);
}

#[test]
fn documents_of_both_kinds_stand_side_by_side() {
    let text = "\
{\"kind\": \"Node\", \"metadata\": {\"name\": \"a\"}}
{\"kind\": \"Node\", \"metadata\": {\"name\": \"b\"}}
---
{kind: Node, metadata: {name: c},
 spec: {loopback: 192.0.2.129}}
--- # in JSON again
[{\"kind\": \"Node\", \"metadata\": {\"name\": \"d\"}}]
...
# And in blocks.
kind: Node
metadata:
  name: e
";
    let documents = parsed(text);
    let found: Vec<_> =
        documents.iter().map(|d| (d.reference.name.as_str(), d.place("/spec/loopback"))).collect();
    let expected = [("a", 1), ("b", 2), ("c", 5), ("d", 7), ("e", 10)];
    assert_eq!(found, expected.map(|(name, line)| (name, format!("office.yaml:{line}"))));
}

#[test]
fn faults_name_their_document_where_there_are_several() {
    let good = "{\"kind\": \"Node\", \"metadata\": {\"name\": \"a\"}}\n";
    for (text, expected) in [
        (format!("{good}{{\"kind\": \"Node\"}}"), "office.yaml:2: document 2: /metadata/name: missing"),
        (
            format!("{good}{good}{{\n\"kind\": oops}}"),
            "office.yaml:4: document 3: expected value, at column 9",
        ),
        (format!("{good}{good}nonsense"), "office.yaml:3: document 3: "),
        (format!("---\n{good}---\n{{kind: Node, metadata: {{name: b}}\n"), "office.yaml:4: document 2: "),
        (format!("kind: Vm\n---\n{good}"), "office.yaml:1: document 1: /kind: there is no kind"),
        (format!("{good}---\n# Two\n\nkind: Node\nkind: Node\n"), "office.yaml:6: document 2: "),
        (format!("{good}---\nkind: Node\n  metadata: [\n"), "office.yaml:4: document 2: "),
    ] {
        let fault = fault(&text);
        assert!(fault.starts_with(expected), "{text:?} gives {fault:?}");
    }
}

#[test]
fn a_yaml_list_keeps_the_lines_of_its_items() {
    let text = "kind: NodeList\nitems:\n- kind: Node\n  metadata:\n    name: a\n- kind: Node\n  metadata:\n    name: b\n";
    let documents = parsed(text);
    assert_eq!(documents[1].place("/metadata/name"), "office.yaml:8");
}

#[test]
fn faults_name_their_line() {
    for (text, expected) in [
        ("kind: Node\nmetadata: {}\n", "office.yaml:2: /metadata/name: missing"),
        ("kind: Vm\nmetadata: {name: a}\n", "office.yaml:1: /kind: there is no kind \"Vm\""),
        ("metadata: {name: a}\n", "office.yaml:1: /kind: missing"),
        ("just text\n", "office.yaml:1: /: an object begins with"),
        ("kind: Node\nmetadata:\n  name: A_b\n", "office.yaml:3: /metadata/name: \"A_b\" is not a name"),
        ("kind: Node\nkind: Node\n", "office.yaml:2: "),
        ("kind: Node\n  metadata: [\n", "office.yaml:2: "),
        ("{\n\"kind\": oops}", "office.yaml:2: "),
    ] {
        let fault = fault(text);
        assert!(fault.starts_with(expected), "{text:?} gives {fault:?}");
    }
}

#[test]
fn files_are_put_in_order_and_nothing_is_there_twice() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("1.yaml"), OFFICE).expect("written");
    fs::write(dir.path().join("2.json"), r#"{"kind":"AddressPool","metadata":{"name":"inside"}}"#)
        .expect("written");
    fs::write(dir.path().join("notes.txt"), "not a manifest").expect("written");
    let documents = read(&[dir.path().into()]).expect("objects");
    let names: Vec<String> = documents.iter().map(|document| document.reference.to_string()).collect();
    assert_eq!(names, ["node/node1", "addresspool/inside", "subscriber/alice"]);

    let again = read(&[dir.path().into(), dir.path().join("2.json")]).expect_err("twice").to_string();
    assert!(again.contains("addresspool/inside is also at"), "{again}");
    let empty = tempfile::tempdir().expect("a directory");
    assert!(matches!(read(&[empty.path().into()]), Err(Failure::Usage(_))));
    assert!(matches!(read(&[dir.path().join("missing")]), Err(Failure::File { .. })));
}
