//! What is on its way is not held up by what comes in.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use synchronizer::{
    Change, Config, Declaration, Feed, Item, Key, Limits, Outcome, Plugin, Runner, Snapshot, Store,
    StoreError, Write,
};
use tokio::task::yield_now;

use crate::support::{SLICE, key, object};

/// A store into which objects come without end.
#[derive(Default)]
struct Flood {
    pages: Arc<AtomicUsize>,
}

struct FloodFeed {
    pages: Arc<AtomicUsize>,
    begun: bool,
}

impl Store for Flood {
    type Body = ();
    type Feed = FloodFeed;

    fn feed(&self) -> FloodFeed {
        FloodFeed { pages: self.pages.clone(), begun: false }
    }

    fn read(&self, _: &Key) -> Result<Option<Snapshot<()>>, StoreError> {
        Ok(Some(Snapshot { uid: "".into(), generation: 0, body: Arc::new(()) }))
    }

    async fn write(&self, _: Vec<Write>) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Feed for FloodFeed {
    async fn next(&mut self) -> Result<Vec<Change>, StoreError> {
        if !std::mem::replace(&mut self.begun, true) {
            return Ok(vec![Change::SnapshotBegins, Change::SnapshotEnds]);
        }
        yield_now().await;
        let page = self.pages.fetch_add(1, Ordering::Relaxed);
        Ok(vec![Change::Present(object(&key(SLICE, &format!("slice-{page}")), &[]))])
    }
}

/// Notes how many pages of the feed there had been at each call.
struct Clerk {
    pages: Arc<AtomicUsize>,
    calls: Arc<Mutex<Vec<usize>>>,
}

impl Plugin<()> for Clerk {
    fn declare(&self) -> Declaration {
        let limits = Limits { concurrent: 1, batch_max: 1, ..Limits::default() };
        Declaration { limits, journal: synchronizer::Journal::Keyed, ..Declaration::new([SLICE]) }
    }

    async fn apply(&self, _: &Item<()>) -> Outcome {
        self.calls.lock().expect("no panic").push(self.pages.load(Ordering::Relaxed));
        Outcome::done()
    }

    async fn remove(&self, _: &Item<()>) -> Outcome {
        Outcome::done()
    }
}

#[tokio::test]
async fn a_back_end_whose_call_has_ended_does_not_wait_for_pages_of_the_feed() {
    let (store, calls) = (Arc::new(Flood::default()), Arc::new(Mutex::new(Vec::new())));
    let clerk = Clerk { pages: store.pages.clone(), calls: calls.clone() };
    let (runner, control) = Runner::new(store, Config { seed: 42, ..Config::default() });
    let running = tokio::spawn(runner.with("clerk", clerk).run());
    while calls.lock().expect("no panic").len() < 1000 {
        yield_now().await;
    }
    control.shutdown().expect("it runs");
    running.await.expect("no panic").expect("the feed has not failed");
    let calls = calls.lock().expect("no panic");
    let longest = calls.windows(2).map(|calls| calls[1] - calls[0]).max();
    // One on its way to the back end, one while it acts, one on the way back.
    assert!(longest <= Some(3), "{longest:?} pages between two calls");
}
