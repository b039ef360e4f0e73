use serde_json::json;

use super::*;

fn object(name: &str, revision: u64) -> Value {
    json!({"metadata": {"name": name, "resourceVersion": revision}})
}

fn list(revision: u64, objects: &[(&str, u64)]) -> List {
    let items = objects.iter().map(|(name, revision)| object(name, *revision)).collect();
    List { items, resource_version: revision.to_string() }
}

fn shown(events: impl IntoIterator<Item = WatchEvent>) -> Vec<String> {
    let line = |event: WatchEvent| format!("{} {}", event.kind, name(&event.object));
    events.into_iter().map(line).collect()
}

#[test]
fn a_stream_that_ends_amid_a_revision_goes_on_before_it() {
    let mut told = Told::default();
    assert_eq!(shown(told.listed(list(5, &[("a", 3)]))), ["ADDED a"]);
    assert_eq!(told.resumes_at(), "5");
    let all = [
        ("MODIFIED", "a", 6),
        ("ADDED", "b", 7),
        ("DELETED", "a", 7),
        ("ADDED", "c", 7),
        ("ADDED", "d", 9),
        ("MODIFIED", "d", 12),
    ];
    // Wherever it ends, what comes again is not told again, and the rest is.
    for end in 0..=all.len() {
        let mut told = Told::default();
        told.listed(list(5, &[("a", 3)]));
        let mut heard = Vec::new();
        for (kind, name, revision) in &all[..end] {
            heard.extend(told.heard(event(kind, object(name, *revision))));
        }
        let from: u64 = told.resumes_at().parse().expect("a number");
        for (kind, name, revision) in all.iter().filter(|(_, _, revision)| *revision > from) {
            heard.extend(told.heard(event(kind, object(name, *revision))));
        }
        assert_eq!(shown(heard), all.map(|(kind, name, _)| format!("{kind} {name}")), "{end}");
    }
}

#[test]
fn a_bookmark_says_that_a_revision_is_over() {
    let mut told = Told::default();
    told.listed(list(5, &[]));
    told.heard(event("ADDED", object("a", 7)));
    assert_eq!(told.resumes_at(), "5");
    assert!(told.heard(event("BOOKMARK", json!({"metadata": {"resourceVersion": 7}}))).is_none());
    assert_eq!(told.resumes_at(), "7");
}

#[test]
fn a_list_tells_what_has_happened_meanwhile() {
    let mut told = Told::default();
    told.listed(list(5, &[("a", 1), ("b", 2), ("c", 3)]));
    let news = told.listed(list(90, &[("b", 2), ("c", 77), ("d", 80)]));
    assert_eq!(shown(news), ["DELETED a", "MODIFIED c", "ADDED d"]);
    assert_eq!(told.resumes_at(), "90");
    assert_eq!(shown(told.listed(list(91, &[("b", 2), ("c", 77), ("d", 80)]))), [] as [String; 0]);
}
