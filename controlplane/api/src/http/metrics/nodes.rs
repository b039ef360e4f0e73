//! What nodes count of the frames that their ports take in, as far as their agents are connected.

use std::collections::BTreeMap;

use net_types::Name;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

/// A node's counters by name: `drops.REASON.STAGE` and `stages.STAGE.DIRECTION.WHAT`.
pub type NodeCounters = Vec<(Name, BTreeMap<String, u64>)>;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Drop {
    node: String,
    reason: String,
    stage: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Flow {
    node: String,
    stage: String,
    direction: String,
    what: String,
}

pub(super) fn register(registry: &mut Registry, all: &NodeCounters) {
    let (drops, stages) = (Family::<Drop, Counter>::default(), Family::<Flow, Counter>::default());
    for (node, counters) in all {
        for (name, count) in counters {
            let parts: Vec<&str> = name.split('.').collect();
            let node = node.to_string();
            match *parts {
                ["drops", reason, stage] => {
                    let labels = Drop { node, reason: reason.to_owned(), stage: stage.to_owned() };
                    drops.get_or_create(&labels).inc_by(*count);
                }
                ["stages", stage, direction, what] => {
                    let [stage, direction, what] = [stage, direction, what].map(str::to_owned);
                    stages.get_or_create(&Flow { node, stage, direction, what }).inc_by(*count);
                }
                // An agent of another version may count more.
                _ => {}
            }
        }
    }
    let help = "Frames that a node dropped, by reason and by stage of the chain";
    registry.register("node_dropped_frames", help, drops);
    let help = "Frames through a stage of the chain: in is out and all else that became of them";
    registry.register("node_stage_frames", help, stages);
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn what_a_node_counts_has_labels_for_what_it_is() {
        let counted = [("drops.storm.volt", 3), ("stages.vbng.up.out", 7), ("drops.storm", 1), ("a.b.c", 1)];
        let counters = counted.map(|(name, count)| (name.to_owned(), count)).into();
        let mut registry = Registry::default();
        register(&mut registry, &vec![("node1".parse().expect("a name"), counters)]);
        let mut text = String::new();
        encode(&mut text, &registry).expect("text");
        let samples: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            samples,
            [
                r#"node_dropped_frames_total{node="node1",reason="storm",stage="volt"} 3"#,
                r#"node_stage_frames_total{node="node1",stage="vbng",direction="up",what="out"} 7"#,
            ]
        );
    }
}
