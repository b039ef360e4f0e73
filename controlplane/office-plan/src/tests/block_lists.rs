//! Lists of names, and who blocks them.

use node_state::Resource;
use serde_json::json;
use xos_model::BlockListSpec;

use super::*;
use crate::BlockLists;

fn list(domains: &[String]) -> BlockListSpec {
    serde_json::from_value(json!({"description": "d", "domains": domains, "resolvers": ["1.1.1.0/24"]}))
        .expect("a list")
}

#[test]
fn a_large_list_travels_in_parts() {
    let long = |n: usize| format!("a-name-that-is-rather-long-so-that-few-of-them-fit-{n:04}.games.example");
    let domains: Vec<String> = (0..1200).map(long).collect();
    let mut lists = BlockLists::default();
    let games = "games".parse().expect("a name");
    assert!(lists.change(&games, Some(list(&domains))));
    assert!(lists.change(&"none".parse().expect("a name"), Some(list(&[]))));
    let resources = lists.resources();
    let keys: Vec<String> = resources.iter().map(|resource| resource.key().to_string()).collect();
    assert_eq!(keys, ["blockList/games.0", "blockList/games.1", "blockList/games.2", "blockList/none.0"]);
    let mut names = 0;
    for resource in &resources {
        assert!(resource.encode().len() < 48 << 10);
        let Resource::BlockList(part) = resource else { panic!("a list") };
        assert_eq!(part.resolvers.len(), usize::from(part.part == 0));
        names += part.domains.len();
    }
    assert_eq!(names, domains.len());
    // What is said for people is no news to nodes.
    let described = BlockListSpec { description: None, ..list(&domains) };
    assert!(!lists.change(&games, Some(described)));
    assert!(lists.change(&games, None) && !lists.change(&games, None));
    assert_eq!(lists.resources().len(), 1);
}

#[test]
fn a_session_says_what_is_blocked_and_when() {
    let control = json!({"utcOffset": "-03:30", "rules": [
        {"block": ["games", "adult"], "devices": ["02:00:00:00:00:07"],
         "times": [{"days": ["sun", "mon"], "from": "21:00", "to": "06:30"}]}]});
    let nat = json!({"address": "198.51.100.1", "firstPort": 1024, "ports": 256});
    let home = subscriber(
        json!({"bundle": {"parentalControl": control}}),
        &json!({"observedGeneration": 1, "address": "100.64.0.2", "gateway": "100.64.0.1", "nat": nat}),
    );
    let session = session(&home, &office(), &pools()).expect("allocated");
    assert_eq!(
        serde_json::to_value(session.parental_control).expect("JSON"),
        json!({"utcOffset": "-03:30", "rules": [
            {"lists": ["adult", "games"], "devices": ["02:00:00:00:00:07"],
             "times": [{"days": ["mon", "sun"], "from": "21:00", "to": "06:30"}]}]})
    );
}
