//! The real node.

use access_protocols::dhcp4::Binding;
use fastpath::{Fastpath, Punts};
use linux_node::{Changes, Feature, Netlink, set_features};
use net_types::{IfName, Mac, Name};
use node_state::{NodeState, PortRole, Resource, ResourceKey};
use tokio::io::unix::AsyncFd;

use super::{
    Done, Effects, Event,
    frames::Frames,
    neighbours,
    routes::{Gateways, Routes, Told},
};
use crate::options::Options;

/// Punted packets that are answered at a time: with one write to the disk.
const PUNTS_MAX: usize = 256;

pub(crate) struct Node {
    netlink: Netlink,
    changes: Changes,
    routes: Routes,
    fastpath: Fastpath,
    punts: AsyncFd<Punts>,
    frames: Frames,
}

impl Node {
    pub(crate) fn open(options: &Options) -> anyhow::Result<Self> {
        // Before anything is observed, so that no change goes unseen.
        let changes = Netlink::changes()?;
        let routes = Routes::open()?;
        let netlink = Netlink::connect()?;
        let fastpath_options = fastpath::Options { pin_dir: options.pin_dir.clone(), sizes: options.sizes() };
        let mut fastpath = Fastpath::open(&fastpath_options)?;
        let punts =
            fastpath.punts().ok_or_else(|| anyhow::anyhow!("the punted packets are taken already"))?;
        #[expect(
            deprecated,
            reason = "the other way is unsafe; Punts owns its descriptor for as long as it lives"
        )]
        let punts = AsyncFd::new(punts)?;
        Ok(Self { netlink, changes, routes, fastpath, punts, frames: Frames::default() })
    }
}

impl Effects for Node {
    async fn kernel(&mut self, desired: &NodeState) -> Done {
        self.routes.watch(desired);
        let observed = match self.netlink.observe_for(desired).await {
            Ok(observed) => observed,
            Err(error) => {
                tracing::error!(%error, "the kernel cannot be observed");
                let keys = desired.resources().map(|resource| resource.key());
                let keys = keys.filter(|key| key.subscriber().is_none());
                return Done { results: keys.map(|key| (key, Err(error.to_string()))).collect(), changes: 0 };
            }
        };
        let plan = node_plan::kernel::plan(&observed, desired);
        let mut outcomes = self.netlink.execute(&plan).await;
        for port in desired.ports.values().filter(|port| matches!(port.role, PortRole::Access { .. })) {
            // XDP has to see both tags; a network card would take out the outer one.
            if let Err(error) = set_features(&port.name, &[(Feature::RxVlan, false)]) {
                let key = Resource::Port(port.clone()).key();
                outcomes.resources.entry(key).and_modify(|outcome| {
                    if outcome.is_ok() {
                        *outcome = Err(error.to_string());
                    }
                });
            }
        }
        self.routes.begin(&mut self.fastpath).await;
        Done { results: outcomes.resources.into_iter().collect(), changes: plan.steps.len() as u64 }
    }

    fn fastpath(&mut self, desired: &NodeState) -> Done {
        let results = tokio::task::block_in_place(|| self.fastpath.reconcile(desired));
        done(results, self.fastpath.writes())
    }

    fn fastpath_changes(&mut self, changes: &[fastpath::Change]) -> Done {
        let results = tokio::task::block_in_place(|| self.fastpath.apply(changes));
        done(results, self.fastpath.writes())
    }

    async fn neighbours(&mut self, ask: bool) {
        neighbours::update(&self.netlink, &mut self.fastpath, ask).await;
    }

    fn learn_mac(&mut self, subscriber: &Name, mac: Mac) {
        // A session that is not in the kernel is told of when it is.
        let Some(index) = self.fastpath.index_of(subscriber) else { return };
        if let Err(error) = self.fastpath.learn_mac(index, mac) {
            tracing::warn!(%subscriber, %mac, %error, "the fast path does not take the address");
        }
    }

    fn forget_mac(&mut self, subscriber: &Name) {
        let Some(index) = self.fastpath.index_of(subscriber) else { return };
        if let Err(error) = self.fastpath.forget_mac(index) {
            tracing::warn!(%subscriber, %error, "the fast path does not forget the address");
        }
    }

    fn lease(&self, subscriber: &Name) -> Option<Binding> {
        self.fastpath.lease(subscriber).map(binding)
    }

    fn leases(&self) -> Vec<(Name, Binding)> {
        self.fastpath.leases().into_iter().map(|(name, lease)| (name, binding(lease))).collect()
    }

    fn forget_lease(&mut self, subscriber: &Name) {
        if let Err(error) = self.fastpath.forget_lease(subscriber) {
            tracing::warn!(%subscriber, %error, "the fast path does not forget the lease");
        }
    }

    fn subscriber(&self, index: u32) -> Option<Name> {
        self.fastpath.session_by_index(index)
    }

    async fn port_mac(&mut self, port: &IfName) -> Option<Mac> {
        self.frames.mac(&self.netlink, port).await
    }

    async fn send(&mut self, port: &IfName, frame: &[u8]) {
        self.frames.send(&self.netlink, port, frame).await;
    }

    async fn event(&mut self) -> Event {
        loop {
            tokio::select! {
                change = self.changes.next() => match change {
                    Ok(linux_node::Change::Link { .. } | linux_node::Change::Lost) => {
                        self.frames.forget();
                        return Event::Links;
                    }
                    Ok(linux_node::Change::Address { .. }) => return Event::Routes,
                    Err(error) => {
                        tracing::error!(%error, "the kernel's changes cannot be heard");
                        // The comparison of everything makes up for what is not heard.
                        tokio::time::sleep(HEARING_RETRY).await;
                        return Event::Links;
                    }
                },
                news = self.routes.next() => {
                    match self.routes.tell(&mut self.fastpath, news) {
                        Told { has_drifted: true, .. } => return Event::Routes,
                        Told { gateways: Gateways::New, .. } => return Event::Neighbours { ask: true },
                        Told { gateways: Gateways::Changed, .. } => return Event::Neighbours { ask: false },
                        Told { gateways: Gateways::AsBefore, .. } => {}
                    }
                }
                punts = next_punts(&mut self.punts) => return Event::Punts(punts),
            }
        }
    }
}

const HEARING_RETRY: std::time::Duration = std::time::Duration::from_secs(1);

/// What is there, at most `PUNTS_MAX`; waits for the first.
async fn next_punts(punts: &mut AsyncFd<Punts>) -> Vec<fastpath::Punt> {
    loop {
        let mut guard = match punts.readable_mut().await {
            Ok(guard) => guard,
            Err(error) => {
                tracing::error!(%error, "punted packets cannot be waited for");
                std::future::pending().await
            }
        };
        let mut batch = Vec::new();
        while batch.len() < PUNTS_MAX {
            let Some(punt) = guard.get_inner_mut().next() else {
                guard.clear_ready();
                break;
            };
            batch.push(punt);
        }
        if !batch.is_empty() {
            return batch;
        }
    }
}

fn binding(lease: fastpath::Lease) -> Binding {
    Binding { mac: lease.mac, expires_s: lease.expires_s }
}

fn done(results: Vec<(ResourceKey, Result<(), fastpath::ApplyError>)>, changes: u64) -> Done {
    let results = results.into_iter().map(|(key, result)| (key, result.map_err(|e| e.to_string())));
    Done { results: results.collect(), changes }
}
