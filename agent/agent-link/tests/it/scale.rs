//! A node of full size.

use agent_link::Change;
use node_state::Resource;

use crate::fakes::{TestNode, TestOffice};

fn session(number: u32) -> Change {
    let [_, a, b, c] = number.to_be_bytes();
    let (s_vid, c_vid) = (number / 4000 + 1, number % 4000 + 1);
    let text = format!(
        r#"{{"kind":"session","subscriber":"subscriber-{number}","port":"access0","tags":{{"sVid":{s_vid},"cVid":{c_vid}}},"state":"active","mac":null,"lease":"100.{}.{b}.{c}/10","gateway":"100.64.0.1","network":"100.{}.{b}.{c}/32","dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":null,"rateUp":null,"rateDown":null}}"#,
        64 + a,
        64 + a,
    );
    Change::Upsert(Resource::decode(text.as_bytes()).expect("decodes"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_sessions_resume_without_being_sent_again() {
    let count = 100_000;
    let office = TestOffice::start().await;
    office.apply(1, (0..count).map(session).collect());
    let node = TestNode::joining(&office);
    let link = office.connect(&node);
    office.until_same(&node).await;
    assert_eq!(node.disk().received, count as usize);
    drop(link);
    office.apply(2, vec![session(count)]);
    let _link = office.connect(&node);
    office.until_same(&node).await;
    assert_eq!(node.disk().received, count as usize + 1);
}
