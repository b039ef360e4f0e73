//! Histories of one node and its office.

use std::collections::BTreeMap;

use agent_link::Report;
use net_types::Generation;

use crate::fakes::{TestNode, TestOffice, remove, route, update, upsert};

/// What happens between two times of being connected.
enum Away {
    Nothing,
    Changes,
    /// The controller starts again, with what it read from its store.
    Restart,
    /// The agent dies while it works on a chunk, and the controller restarts.
    DiesInTheMiddle,
}

#[tokio::test]
async fn each_history_ends_with_what_the_table_says() {
    for (what, away, received) in [
        ("resume", Away::Nothing, 5000),
        ("changed, added and removed while away", Away::Changes, 5003),
        ("controller restarts", Away::Restart, 5000),
        ("agent and controller die in the middle of a generation", Away::DiesInTheMiddle, 5000),
    ] {
        let mut office = TestOffice::start().await;
        office.apply(1, (0..5000).map(upsert).collect());
        let node = TestNode::joining(&office);
        if matches!(away, Away::DiesInTheMiddle) {
            node.hang_after(Some(1));
        }
        let link = office.connect(&node);
        match away {
            Away::DiesInTheMiddle => {
                node.until(|disk| disk.chunks == 1).await;
                assert_eq!(node.disk().generation, Generation(0), "{what}: not whole yet");
            }
            _ => office.until_same(&node).await,
        }
        drop(link);
        match away {
            Away::Nothing => {}
            Away::Changes => office.apply(2, vec![upsert(6000), update(1), remove(2)]),
            Away::Restart | Away::DiesInTheMiddle => {
                office.stop().await;
                office.replace_table(1, (0..5000).map(upsert).collect());
                office.resume().await;
                node.hang_after(None);
            }
        }
        let _link = office.connect(&node);
        office.until_same(&node).await;
        // Live, after all that.
        office.apply(3, vec![upsert(7000)]);
        office.until_same(&node).await;
        assert_eq!(node.disk().received, received + 1, "{what}");
    }
}

#[tokio::test]
async fn the_office_hears_what_became_of_each_resource() {
    let office = TestOffice::start().await;
    office.apply(4, vec![upsert(1), upsert(2)]);
    let node = TestNode::joining(&office);
    node.refuse("route/10.0.2.");
    let link = office.connect(&node);
    let (good, bad) = (route(1, "pool"), route(2, "pool"));
    let refused = (bad.key(), bad.version(), Err("the kernel says no".to_owned()));
    let results = vec![(good.key(), good.version(), Ok(())), refused.clone()];
    let applied = Report::Applied { generation: Generation(4), results };
    office.until_reported(|reports| reports.last() == Some(&applied)).await;
    // By itself, later.
    let healed = (bad.key(), bad.version(), Ok(()));
    node.tell(healed.clone());
    let healed = Report::Applied { generation: Generation(4), results: vec![healed] };
    office.until_reported(|reports| reports.last() == Some(&healed)).await;
    drop(link);
    office.until_reported(|reports| matches!(reports.last(), Some(Report::Disconnected { .. }))).await;
    // A controller that missed it all hears it again.
    let before = office.reports().len();
    let _link = office.connect(&node);
    office.until_reported(|reports| reports.len() >= before + 2).await;
    let connected = Report::Connected { agent_version: "test".into(), programmed: Generation(4) };
    assert_eq!(office.reports()[before], connected);
    let Report::Applied { results, .. } = &office.reports()[before + 1] else { panic!("no results") };
    assert!(results.contains(&refused), "{results:?}");
    assert_eq!(node.disk().received, 2);
}

#[tokio::test]
async fn the_office_has_the_counters_of_a_node_that_is_connected() {
    let office = TestOffice::start().await;
    office.apply(1, vec![upsert(1)]);
    let node = TestNode::joining(&office);
    node.count("drops.storm.volt", 7);
    node.count("stages.volt.up.in", 9);
    let link = office.connect(&node);
    let counted = [("drops.storm.volt".to_owned(), 7), ("stages.volt.up.in".to_owned(), 9)];
    office.until_counted(&counted.into()).await;
    drop(link);
    office.until_counted(&BTreeMap::new()).await;
}

#[tokio::test]
async fn a_stale_controller_is_refused_in_words() {
    let mut office = TestOffice::start().await;
    office.apply(10, vec![upsert(1)]);
    let node = TestNode::joining(&office);
    let link = office.connect(&node);
    office.until_same(&node).await;
    drop(link);
    office.stop().await;
    office.replace_table(9, vec![]);
    office.resume().await;
    let _link = office.connect(&node);
    node.until_waiting_for("the controller is stale: it speaks of generation 9, the node is at 10").await;
    assert_eq!(node.disk().resources.len(), 1);
    let told =
        |report: &Report| matches!(report, Report::Disconnected { reason } if reason.contains("stale"));
    office.until_reported(|reports| reports.iter().any(told)).await;
    // Once it has caught up, all is well.
    office.apply(11, vec![upsert(2)]);
    office.until_same(&node).await;
}

#[tokio::test]
async fn a_new_stream_replaces_the_old_one_and_reports_stay_in_order() {
    let office = TestOffice::start().await;
    office.apply(1, vec![upsert(1)]);
    let node = TestNode::joining(&office);
    let first = office.connect(&node);
    office.until_same(&node).await;
    // The same node again, as after its agent was killed without a word.
    let twin = TestNode::new("node1", Err("none".into()));
    twin.change_disk(|disk| *disk = node.disk());
    let _second = office.connect(&twin);
    let connections =
        |reports: &[Report]| reports.iter().filter(|r| matches!(r, Report::Connected { .. })).count();
    office.until_reported(|reports| connections(reports) >= 2).await;
    drop(first);
    office.apply(2, vec![upsert(2)]);
    office.until_same(&twin).await;
    let mut connected = false;
    for report in office.reports() {
        let (before, after) = match report {
            Report::Connected { .. } => (false, true),
            Report::Applied { .. } => (true, true),
            Report::Disconnected { .. } => (true, false),
        };
        assert_eq!(connected, before, "{report:?}");
        connected = after;
    }
}
