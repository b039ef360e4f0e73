use intent_store::{MemoryEngine, Options, Store};

use super::*;
use crate::office::{Draft, Operation, Verb};

const NODE: &[u8] = br#"{"kind":"Node","metadata":{"name":"node1"},
    "spec":{"loopback":"192.0.2.129","ports":[{"name":"access0","role":"access"}]}}"#;

fn node1() -> Name {
    "node1".parse().expect("a name")
}

/// An office in memory with a node.
async fn office() -> Office {
    let (store, _) = Store::open(MemoryEngine::default(), Options::default()).expect("opens");
    let office = Office::new(store);
    let draft = Draft::parse(NODE).expect("a node");
    office.run(Operation::put(Verb::Create, draft)).await.expect("runs").expect("is accepted");
    office
}

async fn issue(office: &Office) -> (String, Timestamp) {
    office.issue_join_secret(node1()).await.expect("runs").expect("a node")
}

/// Makes the pending token as old as if it had been given out that much earlier.
async fn age(office: &Office, by: SignedDuration) {
    let aged = office.admit(false, move |admission| {
        let record = admission.txn.get(Table::Claims, &key(&node1())).expect("a pending token");
        let mut pending: Pending = serde_json::from_slice(&record.value).expect("readable");
        pending.expires_at -= by;
        admission.txn.put(Table::Claims, key(&node1()), serde_json::to_vec(&pending).expect("plain fields"));
        Ok(())
    });
    aged.await.expect("runs").expect("is accepted");
}

#[tokio::test]
async fn a_secret_is_good_once_for_its_node() {
    let office = office().await;
    let (secret, expires_at) = issue(&office).await;
    assert!(expires_at > crate::office::now() + LIFETIME - SignedDuration::from_mins(1));
    let other = "node2".parse().expect("a name");
    assert_eq!(office.redeem_join_secret(&other, &secret).await, Err(JoinError::Refused));
    assert_eq!(office.redeem_join_secret(&node1(), "guess").await, Err(JoinError::Refused));
    // Half a life later.
    age(&office, LIFETIME / 2).await;
    assert_eq!(office.redeem_join_secret(&node1(), &secret).await, Ok(()));
    assert_eq!(office.redeem_join_secret(&node1(), &secret).await, Err(JoinError::Refused));
}

#[tokio::test]
async fn an_expired_secret_is_refused_as_such_and_a_new_one_helps() {
    let office = office().await;
    let (expired, _) = issue(&office).await;
    age(&office, LIFETIME).await;
    for _ in 0..2 {
        assert_eq!(office.redeem_join_secret(&node1(), &expired).await, Err(JoinError::Expired));
    }
    // Who does not have it learns nothing of it.
    assert_eq!(office.redeem_join_secret(&node1(), "guess").await, Err(JoinError::Refused));
    let (secret, _) = issue(&office).await;
    assert_eq!(office.redeem_join_secret(&node1(), &expired).await, Err(JoinError::Refused));
    assert_eq!(office.redeem_join_secret(&node1(), &secret).await, Ok(()));
}
