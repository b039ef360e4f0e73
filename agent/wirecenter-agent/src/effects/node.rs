//! The real node.

use std::{
    net::{Ipv6Addr, SocketAddr},
    os::fd::AsRawFd,
    time::Duration,
};

use access_protocols::dhcp4::Binding;
use fastpath::{Events, Extension, Fastpath, Losses, Migration, NatBlock, Punts, Tally};
use ipfix::{Exporter, Progress, Sender};
use linux_node::{Changes, Feature, Netlink, set_features};
use net_types::{IfName, Mac, Name};
use node_state::{Blocked, NodeState, PortRole, Resource, ResourceKey};
use tokio::io::unix::AsyncFd;

use super::{
    Done, Effects, Event,
    addresses::OwnAddresses,
    frames::Frames,
    neighbours,
    routes::{Gateways, Routes, Told},
};
use crate::options::Options;

/// Punted packets that are answered at a time: with one write to the disk.
const PUNTS_MAX: usize = 256;
/// Events that are taken at a time.
const EVENTS_MAX: usize = 4096;

pub(crate) struct Node {
    netlink: Netlink,
    changes: Changes,
    routes: Routes,
    fastpath: Fastpath,
    punts: AsyncFd<Punts>,
    events: AsyncFd<Events>,
    frames: Frames,
    addresses: OwnAddresses,
    /// Towards the NAT log's collector.
    sender: Option<(SocketAddr, Sender)>,
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
        let events = fastpath.events().ok_or_else(|| anyhow::anyhow!("the events are taken already"))?;
        let (punts, events) = (readable(punts)?, readable(events)?);
        let (frames, addresses) = (Frames::default(), OwnAddresses::default());
        Ok(Self { netlink, changes, routes, fastpath, punts, events, frames, addresses, sender: None })
    }
}

/// Waits for a ring of the fast path's.
fn readable<R: AsRawFd>(ring: R) -> std::io::Result<AsyncFd<R>> {
    #[expect(
        deprecated,
        reason = "the other way is unsafe; a ring owns its descriptor for as long as it lives"
    )]
    AsyncFd::new(ring)
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

    fn set_blocked(&mut self, subscriber: &Name, blocked: &Blocked) {
        // As of addresses.
        if self.fastpath.index_of(subscriber).is_none() {
            return;
        }
        if let Err(error) = self.fastpath.set_blocked(subscriber, blocked) {
            tracing::error!(%subscriber, %error, "the fast path does not take what is blocked");
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

    fn nat_blocks(&self, subscriber: &Name) -> Vec<NatBlock> {
        self.fastpath.nat_blocks(subscriber)
    }

    fn extend_nat(&mut self, session: u32) -> Result<Option<(Name, Extension)>, String> {
        self.fastpath.extend_nat(session).map_err(|error| error.to_string())
    }

    fn reclaim_nat(&mut self) -> Result<Vec<Name>, String> {
        tokio::task::block_in_place(|| self.fastpath.reclaim_nat()).map_err(|error| error.to_string())
    }

    fn migration(&self) -> Option<Migration> {
        self.fastpath.migration().cloned()
    }

    fn losses(&self) -> Losses {
        let losses = self.fastpath.losses();
        losses.inspect_err(|error| tracing::warn!(%error, "losses cannot be read")).unwrap_or_default()
    }

    fn tally(&self) -> Option<Tally> {
        let tally = self.fastpath.tally();
        tally.inspect_err(|error| tracing::warn!(%error, "counters cannot be read")).ok()
    }

    fn export(
        &mut self,
        collector: SocketAddr,
        exporter: &mut Exporter,
        now: Duration,
    ) -> Result<Progress, String> {
        let (_, sender) = match &mut self.sender {
            Some(held) if held.0 == collector => held,
            other => other.insert((collector, Sender::new(collector).map_err(|error| in_words(&error))?)),
        };
        let sent = sender.send_due(exporter, now);
        if sent.is_err() {
            // The next one may have another way, and another address.
            self.sender = None;
        }
        sent.map_err(|error| in_words(&error))
    }

    async fn port_mac(&mut self, port: &IfName) -> Option<Mac> {
        self.frames.mac(&self.netlink, port).await
    }

    async fn own_address6(&mut self, ports: &[IfName]) -> Option<Ipv6Addr> {
        self.addresses.of(&self.netlink, ports).await
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
                        self.addresses.forget();
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
                    let told = self.routes.tell(&mut self.fastpath, news);
                    if told.has_moved {
                        self.addresses.forget();
                    }
                    match told {
                        Told { has_drifted: true, .. } => return Event::Routes,
                        Told { gateways: Gateways::New, .. } => return Event::Neighbours { ask: true },
                        Told { gateways: Gateways::Changed, .. } => return Event::Neighbours { ask: false },
                        Told { gateways: Gateways::AsBefore, .. } => {}
                    }
                }
                punts = next(&mut self.punts, PUNTS_MAX, Punts::next) => return Event::Punts(punts),
                events = next(&mut self.events, EVENTS_MAX, Events::next) => return Event::Nat(events),
            }
        }
    }
}

const HEARING_RETRY: Duration = Duration::from_secs(1);

/// What is in a ring, at most `max`; waits for the first.
async fn next<R: AsRawFd, T>(
    ring: &mut AsyncFd<R>,
    max: usize,
    take: impl Fn(&mut R) -> Option<T>,
) -> Vec<T> {
    loop {
        let mut guard = match ring.readable_mut().await {
            Ok(guard) => guard,
            Err(error) => {
                tracing::error!(%error, "what the fast path says cannot be waited for");
                std::future::pending().await
            }
        };
        let mut batch = Vec::new();
        while batch.len() < max {
            let Some(item) = take(guard.get_inner_mut()) else {
                guard.clear_ready();
                break;
            };
            batch.push(item);
        }
        if !batch.is_empty() {
            return batch;
        }
    }
}

/// With what lies under it.
fn in_words(error: &ipfix::SendError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}

fn binding(lease: fastpath::Lease) -> Binding {
    Binding { mac: lease.mac, expires_s: lease.expires_s }
}

fn done(results: Vec<(ResourceKey, Result<(), fastpath::ApplyError>)>, changes: u64) -> Done {
    let results = results.into_iter().map(|(key, result)| (key, result.map_err(|e| e.to_string())));
    Done { results: results.collect(), changes }
}
