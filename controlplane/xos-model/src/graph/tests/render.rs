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

#[test]
fn connectivity_as_tables_and_for_graphviz() {
    let sketch = Sketch::default()
        .services(&["web", "cache", "log"])
        .slice("front", "web", 1, json!({"exposedPorts": [{"protocol": "tcp", "port": 80}]}))
        .slice("caches", "cache", 1, json!({}))
        .network("lan", "front", json!({}))
        .tenancy("web>cache", "shared", json!({}))
        .tenancy("cache>log", "gateway", json!({"direction": "toProvider"}))
        .tenant(
            "out",
            json!({"tenant": {"kind": "Root", "name": "world"}, "provider": "web", "connect": "public"}),
        );
    let connectivity = sketch.0.connectivity();
    let expected = "\
NETWORK            SLICES         BECAUSE OF
network/lan        front          network/lan,slice/front
private/caches     caches         slice/caches
shared/web-cache   caches,front   tenant/web-cache,service/web,service/cache

GATEWAY             TENANT   WHO BEGINS   PROVIDER   INSTANCES   BECAUSE OF
gateway/cache-log   cache    toProvider   log        -           tenant/cache-log,service/cache,service/log

PUBLIC       PROVIDER   EXPOSED        TENANT SLICES   BECAUSE OF
public/out   web        front:tcp/80   -               tenant/out,service/web

INSTANCE   NETWORK            BECAUSE OF
caches-1   private/caches     instance/caches-1,slice/caches
caches-1   shared/web-cache   instance/caches-1,slice/caches,tenant/web-cache
front-1    network/lan        instance/front-1,slice/front,network/lan
front-1    shared/web-cache   instance/front-1,slice/front,tenant/web-cache
";
    assert_eq!(connectivity.text(), expected);
    let dot = connectivity.dot();
    for line in [
        "  \"instance/front-1\" -- \"shared/web-cache\";",
        "  \"private/caches\" -- \"gateway/cache-log\" [style=solid];",
        "  \"public/out\" -- \"slice/front\" [style=dashed];",
    ] {
        assert!(dot.lines().any(|one| one == line), "{line}: {dot}");
    }
    assert_eq!(Sketch::default().0.connectivity().text(), "");
}

#[test]
fn slices_and_instances_are_explained_with_all_that_reaches_them() {
    let sketch = Sketch::default()
        .services(&["web", "cache"])
        .slice("front", "web", 1, json!({}))
        .slice("caches", "cache", 0, json!({}))
        .tenancy("web>cache", "shared", json!({}));
    let why = |thing: &str| sketch.0.explain(&thing.parse().expect("a thing")).join(" ");
    assert_eq!(
        why("slice/front"),
        "Slice front is of Service web. It has instance front-1. Slice front has no Network object, so that it has a \
         private network for its instances. Tenant web-cache joins web (slice front) and cache (slice caches) by one \
         network."
    );
    let instance = why("instance/front-1");
    assert!(
        instance.contains("whose private network this is.") && instance.contains("of Service web."),
        "{instance}"
    );
    assert_eq!(why("slice/none"), "There is no Slice none.");
    let owners = sketch.0.owners_of(&"attachment/front-1/shared/web-cache".parse().expect("a thing"));
    let names: Vec<_> = owners.iter().map(|owner| format!("{} {}", owner.kind, owner.name)).collect();
    assert_eq!(names, ["Instance front-1", "Slice front", "Tenant web-cache"]);
    assert!(sketch.0.owners_of(&"private/none".parse().expect("a thing")).is_empty());
}
