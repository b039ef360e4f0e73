use serde_json::json;

use super::{super::*, Sketch, name, object, office};

#[test]
fn the_office_as_text() {
    let user = json!({"tenant": {"kind": "User", "name": "ada"}, "provider": "vcpe", "connect": "gateway",
                      "direction": "toTenant"});
    let sketch = office()
        .service("dns", json!({"version": "9.18", "enabled": false}))
        .tenancy("volt>dns", "public", json!({}))
        .tenancy("vbng>dns", "public", json!({}))
        .tenancy("dns>nowhere", "shared", json!({}))
        .tenant("ada-vcpe", user)
        .slice("cpes", "vcpe", 2, json!({}))
        .slice("old", "vcpe", 0, json!({"enabled": false}))
        .network("n1", "cpes", json!({}))
        .network("n2", "cpes", json!({}));
    let expected = "\
volt 1, each subscriber's
  → dns 9.18, not enabled  (volt-dns: public)
    → nowhere, which is not there  (dns-nowhere: shared)
  → vcpe 1  (volt-vcpe: shared, per tenant)
    slice cpes: 2 instances on network/n1, network/n2
    slice old, not enabled: 0 instances on private/old
    ← User ada  (ada-vcpe: gateway toTenant)
    → vbng 1  (vcpe-vbng: public, per tenant)
      → dns, see above  (vbng-dns: public)
";
    assert_eq!(sketch.0.text(), expected);
}

#[test]
fn cycles_and_depths_are_drawn_too() {
    let ring = Sketch::default().services(&["a", "b"]).tenancy("a>b", "shared", json!({})).tenancy(
        "b>a",
        "shared",
        json!({}),
    );
    assert_eq!(ring.0.text(), "a 1\n  → b 1  (a-b: shared)\n    → a, see above  (b-a: shared)\n");
    let mut deep = Graph::default();
    for i in 0..2000 {
        let spec = json!({"serviceType": "s", "version": "1"});
        deep.put(&object::<ServiceSpec>(&format!("s{i}"), spec));
        let spec = json!({"tenant": {"kind": "Service", "name": format!("s{i}")}, "provider": format!("s{}", i + 1),
                          "connect": "shared"});
        deep.put(&object::<TenantSpec>(&format!("t{i}"), spec));
    }
    let text = deep.text();
    for i in 0..2000 {
        assert_eq!(text.matches(&format!("s{i} 1")).count(), 1, "s{i}");
    }
    assert!(text.len() < 2000 * 200, "{}", text.len());
}

#[test]
fn many_tenants_are_counted() {
    let mut sketch = Sketch::default().services(&["a"]);
    for i in 0..20 {
        let root = json!({"tenant": {"kind": "Root", "name": format!("r{i}")}, "provider": "a", "connect": "public"});
        sketch = sketch.tenant(&format!("t{i:02}"), root);
    }
    let text = sketch.0.text();
    assert!(text.contains("← Root r15") && !text.contains("r16") && text.contains("← and 4 more"), "{text}");
}

#[test]
fn dot_quotes_what_it_is_given() {
    let user = json!({"tenant": {"kind": "User", "name": "ada"}, "provider": "vcpe", "connect": "public"});
    let sketch = office()
        .tenant("ada-vcpe", user)
        .slice("cpes", "vcpe", 2, json!({"networks": ["other"]}))
        .network("net", "cpes", json!({}));
    let dot = sketch.0.dot();
    for line in [
        r#"  "Service/volt" [label="volt\n1", style=solid];"#,
        r#"  "Service/volt" -> "Service/vcpe" [label="volt-vcpe\nshared, per tenant"];"#,
        r#"  "User/ada" -> "Service/vcpe" [label="ada-vcpe\npublic"];"#,
        r#"  "Slice/cpes" [label="cpes\n2 instances", shape=ellipse];"#,
        r#"  "Slice/cpes" -> "Network/other" [style=dashed];"#,
        r#"  "Slice/cpes" -> "Network/net" [arrowhead=none];"#,
    ] {
        assert!(dot.lines().any(|have| have == line), "{line}\n{dot}");
    }
    assert!(dot.starts_with("digraph wirecenter {\n") && dot.ends_with("}\n"));
    let quoted = render::quoted("a\"b\\N\nc\u{7}");
    assert_eq!(quoted, r#""a\"b\\N\nc ""#);
}

#[test]
fn data_holds_the_objects_and_what_follows() {
    let sketch = office().slice("cpes", "vcpe", 1, json!({}));
    let data = sketch.0.data();
    assert_eq!(data["services"][0]["name"], "vbng");
    assert_eq!(data["tenants"][1]["spec"]["provider"], "vcpe");
    assert_eq!(data["instances"][0]["spec"]["slice"], "cpes");
    assert_eq!(data["connectivity"]["networks"][0]["id"], "private/cpes");
    assert_eq!(data["connectivity"]["attachments"][1]["network"], "shared/volt-vcpe");
    assert_eq!(data["connectivity"]["attachments"][1]["ownerReferences"][2]["uid"], "uid-of-volt-vcpe");
    assert_eq!(sketch.0.service(&name("vcpe")).map(|spec| spec.version.as_str()), Some("1"));
}
