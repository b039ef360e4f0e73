//! Who may join, and as whom.

use crate::fakes::{TestNode, TestOffice, upsert};

#[tokio::test]
async fn a_wrong_or_used_token_is_refused_and_a_new_one_helps() {
    let office = TestOffice::start().await;
    office.apply(1, vec![upsert(1)]);
    let token = office.token("node1", "first");
    let node = TestNode::new("node1", Ok(token.clone()));
    let link = office.connect(&node);
    office.until_same(&node).await;
    drop(link);
    let thief = TestNode::new("node1", Ok(token.clone()));
    let _thief = office.connect(&thief);
    thief.until_waiting_for("not valid for this node, or has been used").await;
    let mut wrong = office.token("node1", "second");
    wrong.secret = "guess".into();
    let guesser = TestNode::new("node1", Ok(wrong));
    let _guesser = office.connect(&guesser);
    guesser.until_waiting_for("not valid for this node, or has been used").await;
    assert!(guesser.disk().identity.is_none());
    guesser.set_token(Ok(office.token("node1", "third")));
    office.until_same(&guesser).await;
}

#[tokio::test]
async fn an_expired_token_is_refused_as_such_and_a_new_one_helps() {
    let office = TestOffice::start().await;
    office.apply(1, vec![upsert(1)]);
    let node = TestNode::new("node1", Ok(office.expired_token("node1", "old")));
    let _link = office.connect(&node);
    node.until_waiting_for("the join token has expired: the node needs a new one").await;
    node.set_token(Ok(office.token("node1", "new")));
    office.until_same(&node).await;
}

#[tokio::test]
async fn a_token_of_another_office_or_node_is_refused() {
    let (office, other) = (TestOffice::start().await, TestOffice::start().await);
    let node = TestNode::new("node1", Ok(other.token("node1", "first")));
    let _link = office.connect(&node);
    node.until_waiting_for("cannot reach the controller").await;
    let node = TestNode::new("node1", Ok(office.token("node2", "first")));
    let _link = office.connect(&node);
    node.until_waiting_for("the join token is for node node2, this is node node1").await;
    let node = TestNode::new("node1", Err("no join token".into()));
    let _link = office.connect(&node);
    node.until_waiting_for("no join token").await;
}

#[tokio::test]
async fn a_certificate_of_another_office_is_refused_until_the_node_is_told_to_join_this_one() {
    let (office, other) = (TestOffice::start().await, TestOffice::start().await);
    other.apply(100, vec![upsert(1)]);
    let node = TestNode::joining(&other);
    let link = other.connect(&node);
    other.until_same(&node).await;
    drop(link);
    office.apply(1, vec![upsert(2)]);
    let _link = office.connect(&node);
    node.until_waiting_for("cannot reach the controller").await;
    // What it has stays as it is meanwhile.
    assert_eq!(node.disk().generation.0, 100);
    node.set_token(Ok(office.token("node1", "anew")));
    office.until_same(&node).await;
}

#[tokio::test]
async fn another_nodes_certificate_is_refused() {
    let office = TestOffice::start().await;
    office.add("node2");
    let node2 = TestNode::new("node2", Ok(office.token("node2", "first")));
    let link = office.connect(&node2);
    node2.until(|disk| disk.chunks > 0).await;
    drop(link);
    let node1 = TestNode::new("node1", Err("none".into()));
    node1.change_disk(|disk| disk.identity = node2.disk().identity);
    let _link = office.connect(&node1);
    node1.until_waiting_for("says that it is node1, its certificate that it is node2").await;
}

#[tokio::test]
async fn a_node_made_again_under_a_name_is_another() {
    let office = TestOffice::start().await;
    office.apply(1, vec![upsert(1)]);
    let node = TestNode::joining(&office);
    let link = office.connect(&node);
    office.until_same(&node).await;
    office.delete("node1");
    drop(link);
    office.add_as("node1", "second");
    office.apply(2, vec![upsert(2)]);
    let _link = office.connect(&node);
    node.until_waiting_for("the certificate is of an earlier node node1").await;
    assert_eq!(node.disk().generation.0, 1);
    // Neither can it be renewed; a token is what helps.
    node.set_token(Ok(office.token("node1", "anew")));
    office.until_same(&node).await;
}

#[tokio::test]
async fn a_deleted_node_is_sent_away_and_keeps_what_it_has() {
    let office = TestOffice::start().await;
    office.apply(1, vec![upsert(1)]);
    let node = TestNode::joining(&office);
    let _link = office.connect(&node);
    office.until_same(&node).await;
    office.delete("node1");
    node.until_waiting_for("the office has no node node1").await;
    assert_eq!(node.disk().resources.len(), 1);
}
