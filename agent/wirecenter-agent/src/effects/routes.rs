//! The kernel's routes, carried to the fast path.

use std::{collections::BTreeSet, time::Duration};

use fastpath::Fastpath;
use linux_node::{Netlink, RouteFeed, RouteNews};
use net_types::{Prefix4, Prefix6};
use node_plan::forwarding::{KernelRoute, KernelTarget, Placed, RouteEvent, RoutePrefix};
use node_state::NodeState;
use tokio::time::timeout;

/// For a dump of a full table, a million routes, which takes some seconds.
const FIRST_DUMP_PATIENCE: Duration = Duration::from_secs(30);

/// After an error; then everything is told anew.
const RETRY: Duration = Duration::from_secs(1);

pub(super) struct Routes {
    feed: RouteFeed,
    is_begun: bool,
    /// Prefixes that the office has routes to: what becomes of others' routes to them may be drift.
    office: (BTreeSet<Prefix4>, BTreeSet<Prefix6>),
}

/// What may have to be done about what was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Routes that the office has too may be others than it wants.
    pub(super) has_drifted: bool,
    /// The node has other addresses of IPv6 than before.
    pub(super) has_moved: bool,
    pub(super) gateways: Gateways,
}

/// What becomes of gateways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Gateways {
    #[default]
    AsBefore,
    /// One of them has another Ethernet address, or none.
    Changed,
    /// There are some that nobody has looked for.
    New,
}

impl Routes {
    pub(super) fn open() -> Result<Self, linux_node::Error> {
        Ok(Self { feed: Netlink::routes()?, is_begun: false, office: Default::default() })
    }

    /// Has the fast path know all the routes that there are before it is compared for the first time: so what the maps
    /// have of them from an agent before goes on to serve.
    pub(super) async fn begin(&mut self, fastpath: &mut Fastpath) {
        if std::mem::replace(&mut self.is_begun, true) {
            return;
        }
        let all = async {
            loop {
                let news = self.next().await;
                self.tell(fastpath, news);
                if self.feed.is_settled() {
                    break;
                }
            }
        };
        if timeout(FIRST_DUMP_PATIENCE, all).await.is_err() {
            tracing::warn!("the kernel's routes change too fast to be known at once: some come later");
        }
    }

    /// What comes next. Cancel safe.
    pub(super) async fn next(&mut self) -> Vec<RouteNews> {
        loop {
            match self.feed.next().await {
                Ok(news) => return news,
                Err(error) => {
                    tracing::error!(%error, "the kernel's routes cannot be heard");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Which routes the office has.
    pub(super) fn watch(&mut self, desired: &NodeState) {
        self.office = (desired.routes.keys().copied().collect(), desired.routes6.keys().copied().collect());
    }

    pub(super) fn tell(&mut self, fastpath: &mut Fastpath, news: Vec<RouteNews>) -> Told {
        let mut neighbours = Vec::new();
        let mut events = Vec::with_capacity(news.len());
        for news in news {
            match news {
                RouteNews::Route(event) => events.push(event),
                RouteNews::Neighbour { address, .. } => neighbours.push(address),
            }
        }
        let has_moved = events.iter().any(is_own_address);
        let has_drifted = events.iter().any(|event| self.may_be_drift(event));
        let has_new = fastpath.apply_routes(events);
        if fastpath.take_route_doubt() {
            self.feed.dump_again();
        }
        let gateways = if has_new {
            Gateways::New
        } else if !neighbours.is_empty()
            && fastpath.next_hops().iter().any(|(gateway, ..)| neighbours.contains(gateway))
        {
            Gateways::Changed
        } else {
            Gateways::AsBefore
        };
        Told { has_drifted, has_moved, gateways }
    }

    fn may_be_drift(&self, event: &RouteEvent) -> bool {
        match event {
            // What a dump finds was there before, but for what has gone unseen.
            RouteEvent::Route { placed: Placed::Found, .. } => false,
            RouteEvent::Route { route, .. } | RouteEvent::RouteGone(route) => self.is_watched(route),
            RouteEvent::DumpEnds => true,
            _ => false,
        }
    }

    fn is_watched(&self, route: &KernelRoute) -> bool {
        route.is_own()
            || match route.prefix {
                RoutePrefix::V4(prefix) => self.office.0.contains(&prefix),
                RoutePrefix::V6(prefix) => self.office.1.contains(&prefix),
            }
    }
}

fn is_own_address(event: &RouteEvent) -> bool {
    match event {
        RouteEvent::Route { route, .. } | RouteEvent::RouteGone(route) => route.target == KernelTarget::Local,
        _ => false,
    }
}
