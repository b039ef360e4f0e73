//! Whatever the history, it ends with the agent holding what the table says.

use proptest::{collection::vec, prelude::*, test_runner::TestRunner};

use crate::fakes::{TestNode, TestOffice, remove, update, upsert};

#[derive(Clone, Debug)]
enum Event {
    Upsert(u32),
    Update(u32),
    Remove(u32),
    AgentDies,
    ControllerRestarts,
    /// Lets both come to rest before going on.
    Calm,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0u32..8).prop_map(Event::Upsert),
        3 => (0u32..8).prop_map(Event::Update),
        3 => (0u32..8).prop_map(Event::Remove),
        2 => Just(Event::AgentDies),
        1 => Just(Event::ControllerRestarts),
        2 => Just(Event::Calm),
    ]
}

#[test]
fn random_histories_converge() {
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&vec(event(), 1..24), |events| {
            runtime.block_on(history(events));
            Ok(())
        })
        .expect("converges");
}

async fn history(events: Vec<Event>) {
    let mut office = TestOffice::start().await;
    let node = TestNode::joining(&office);
    let mut link = office.connect(&node);
    for (generation, event) in (1..).zip(events) {
        match event {
            Event::Upsert(number) => office.apply(generation, vec![upsert(number)]),
            Event::Update(number) => office.apply(generation, vec![update(number)]),
            Event::Remove(number) => office.apply(generation, vec![remove(number)]),
            Event::AgentDies => {
                drop(link);
                renew_token(&office, &node, generation);
                link = office.connect(&node);
            }
            Event::ControllerRestarts => {
                office.stop().await;
                office.resume().await;
                renew_token(&office, &node, generation);
            }
            Event::Calm => office.until_same(&node).await,
        }
    }
    office.until_same(&node).await;
    drop(link);
    office.stop().await;
}

/// The end of either can come between the agent's spending its token and its keeping the certificate: then the operator
/// gives it another.
fn renew_token(office: &TestOffice, node: &TestNode, generation: u64) {
    if node.disk().identity.is_none() {
        node.set_token(Ok(office.token("node1", &format!("after-{generation}"))));
    }
}
