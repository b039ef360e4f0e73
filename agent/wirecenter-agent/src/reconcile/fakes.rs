//! A node in memory, and states to give it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{Ipv6Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use access_protocols::dhcp4::Binding;
use agent_link::{Chunk, LinkState, Received};
use clap::Parser as _;
use fastpath::{Extension, Losses, Migration, NatBlock, Tally};
use ipfix::{Exporter, Progress};
use net_types::{Generation, IfName, Mac, Name};
use node_state::{Blocked, Nat, NodeState, Resource, ResourceKey};
use tokio::sync::{mpsc, watch};

use crate::{
    effects::{Done, Effects, Event},
    options::Options,
    status::StatusFile,
    store::Store,
};

pub(crate) fn session(subscriber: &str, number: u8) -> Resource {
    let text = format!(
        r#"{{"kind":"session","subscriber":"{subscriber}","port":"access0","tags":{{"sVid":100,"cVid":{number}}},"state":"active","mac":null,"lease":"100.64.0.{number}/16","gateway":"100.64.0.254","network":"100.64.0.{number}/32","dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":null,"rateUp":null,"rateDown":null}}"#
    );
    Resource::decode(text.as_bytes()).expect("decodes")
}

pub(crate) fn port(name: &str, mtu: u16) -> Resource {
    let role = if name.starts_with("core") { r#""core""# } else { r#"{"access":{"outerTpid":"0x88a8"}}"# };
    let text = format!(
        r#"{{"kind":"port","name":"{name}","role":{role},"mtu":{mtu},"addresses":["192.0.2.2/30"]}}"#
    );
    Resource::decode(text.as_bytes()).expect("decodes")
}

pub(crate) fn chunk(generation: u64, upserts: &[Resource], removes: &[ResourceKey]) -> Chunk {
    let received = |resource: &Resource| Received {
        key: resource.key(),
        version: resource.version(),
        body: resource.encode().into(),
        resource: resource.clone(),
    };
    Chunk {
        generation: Generation(generation),
        upserts: upserts.iter().map(received).collect(),
        removes: removes.to_vec(),
    }
}

pub(crate) fn status(dir: &Path) -> StatusFile {
    let run_dir = dir.join("run");
    let options = ["wirecenter-agent", "--controller", "office:1", "--node", "node1", "--run-dir"];
    let options = options.iter().map(Into::into).chain([run_dir.into_os_string()]);
    let (_, link_states) = watch::channel(LinkState::Connecting);
    StatusFile::new(&Options::parse_from(options), link_states).expect("written")
}

/// The part of a state that an effect is about.
fn part(state: &NodeState, sessions: bool) -> BTreeMap<ResourceKey, Resource> {
    let resources = state.resources().map(|resource| (resource.key(), resource));
    resources.filter(|(key, _)| sessions || key.subscriber().is_none()).collect()
}

/// The node's kernel; it outlives the agent.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) kernel: BTreeMap<ResourceKey, Resource>,
    pub(crate) maps: BTreeMap<ResourceKey, Resource>,
    pub(crate) macs: HashMap<Name, Mac>,
    pub(crate) blocked: HashMap<Name, Blocked>,
    /// Leases that the fast path has given.
    pub(crate) given: HashMap<Name, Binding>,
    /// What was done, in order.
    pub(crate) log: Vec<String>,
    pub(crate) sent: Vec<(IfName, Vec<u8>)>,
    /// Keys that cannot be put into effect.
    pub(crate) refused: BTreeSet<ResourceKey>,
    /// Datagrams to the NAT log's collector.
    pub(crate) exported: Vec<Vec<u8>>,
    /// How sending to it ends, unless well, after so many datagrams.
    pub(crate) export_ends: Option<(usize, Result<Progress, String>)>,
    pub(crate) losses: Losses,
    pub(crate) tally: Option<Tally>,
    /// An address of the node's own that all the Internet may know.
    pub(crate) own6: Option<Ipv6Addr>,
    pub(crate) migration: Option<Migration>,
    /// First ports of the further blocks that were given.
    pub(crate) further: BTreeMap<Name, Vec<u16>>,
    /// What whoever asks for a further block is told instead.
    pub(crate) denied: Option<Extension>,
    /// Where the disk's content is copied to before each effect, as a crash would leave it.
    pub(crate) crashes: Option<PathBuf>,
    pub(crate) disks: usize,
}

#[derive(Clone)]
pub(crate) struct Fake {
    world: Arc<Mutex<World>>,
    state_dir: PathBuf,
    events: Arc<tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>>,
}

impl Fake {
    pub(crate) fn new(state_dir: &Path) -> (Self, mpsc::UnboundedSender<Event>) {
        let (sender, events) = mpsc::unbounded_channel();
        let events = Arc::new(tokio::sync::Mutex::new(events));
        (Self { world: Arc::default(), state_dir: state_dir.into(), events }, sender)
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("lock")
    }

    fn does(&self, what: impl Into<String>) -> MutexGuard<'_, World> {
        let mut world = self.world();
        world.log.push(what.into());
        if let Some(crashes) = &world.crashes {
            let copy = crashes.join(world.disks.to_string());
            std::fs::create_dir(&copy).expect("directory");
            std::fs::copy(self.state_dir.join(Store::FILE), copy.join(Store::FILE)).expect("copied");
            world.disks += 1;
        }
        world
    }
}

fn make(
    have: &mut BTreeMap<ResourceKey, Resource>,
    want: BTreeMap<ResourceKey, Resource>,
    refused: &BTreeSet<ResourceKey>,
) -> Done {
    let mut done = Done::default();
    let count = have.len();
    have.retain(|key, _| want.contains_key(key));
    done.changes += (count - have.len()) as u64;
    for (key, resource) in want {
        if refused.contains(&key) {
            done.results.push((key, Err("no such thing".into())));
            continue;
        }
        if have.insert(key.clone(), resource.clone()) != Some(resource) {
            done.changes += 1;
        }
        done.results.push((key, Ok(())));
    }
    done
}

impl Effects for Fake {
    async fn kernel(&mut self, desired: &NodeState) -> Done {
        let world = &mut *self.does("kernel");
        make(&mut world.kernel, part(desired, false), &world.refused)
    }

    fn fastpath(&mut self, desired: &NodeState) -> Done {
        let world = &mut *self.does("fastpath");
        make(&mut world.maps, part(desired, true), &world.refused)
    }

    fn fastpath_changes(&mut self, changes: &[fastpath::Change]) -> Done {
        let world = &mut *self.does(format!("{} changes", changes.len()));
        let mut done = Done { results: Vec::new(), changes: changes.len() as u64 };
        for change in changes {
            let key = match change {
                fastpath::Change::Upsert(resource) => resource.key(),
                fastpath::Change::Remove(key) => key.clone(),
            };
            if world.refused.contains(&key) {
                done.results.push((key, Err("no such thing".into())));
                continue;
            }
            match change {
                fastpath::Change::Upsert(resource) => drop(world.maps.insert(key.clone(), resource.clone())),
                fastpath::Change::Remove(key) => drop(world.maps.remove(key)),
            }
            done.results.push((key, Ok(())));
        }
        done
    }

    async fn neighbours(&mut self, _: bool) {}

    fn learn_mac(&mut self, subscriber: &Name, mac: Mac) {
        self.does(format!("learn {subscriber}")).macs.insert(subscriber.clone(), mac);
    }

    fn set_blocked(&mut self, subscriber: &Name, blocked: &Blocked) {
        self.does(format!("block {subscriber}")).blocked.insert(subscriber.clone(), blocked.clone());
    }

    fn forget_mac(&mut self, subscriber: &Name) {
        self.does(format!("forget {subscriber}")).macs.remove(subscriber);
    }

    fn lease(&self, subscriber: &Name) -> Option<Binding> {
        self.world().given.get(subscriber).copied()
    }

    fn leases(&self) -> Vec<(Name, Binding)> {
        self.world().given.iter().map(|(name, binding)| (name.clone(), *binding)).collect()
    }

    fn forget_lease(&mut self, subscriber: &Name) {
        self.does(format!("forget the lease of {subscriber}")).given.remove(subscriber);
    }

    /// Slots follow the order of names, from 1.
    fn subscriber(&self, index: u32) -> Option<Name> {
        let world = self.world();
        let mut subscribers = world.maps.keys().filter_map(ResourceKey::subscriber);
        subscribers.nth((index as usize).checked_sub(1)?)
    }

    fn nat_blocks(&self, subscriber: &Name) -> Vec<NatBlock> {
        let world = self.world();
        let Some(Resource::Session(session)) = world.maps.get(&ResourceKey::session(subscriber)) else {
            return Vec::new();
        };
        if let Some(external) = session.nat_address {
            return vec![NatBlock::whole(session.lease.address(), external)];
        }
        let Some(Nat { address, first_port, ports }) = session.nat else { return Vec::new() };
        let block =
            |first_port| NatBlock { inside: session.lease.address(), external: address, first_port, ports };
        let further = world.further.get(subscriber).into_iter().flatten();
        std::iter::once(first_port).chain(further.copied()).map(block).collect()
    }

    fn extend_nat(&mut self, index: u32) -> Result<Option<(Name, Extension)>, String> {
        let Some(subscriber) = self.subscriber(index) else { return Ok(None) };
        let mut world = self.does(format!("extend the ports of {subscriber}"));
        if let Some(extension) = world.denied {
            return Ok(Some((subscriber, extension)));
        }
        let first_port =
            65_024 + 64 * u16::try_from(world.further.values().flatten().count()).expect("a few");
        world.further.entry(subscriber.clone()).or_default().push(first_port);
        drop(world);
        let given = self.nat_blocks(&subscriber).pop().expect("just given");
        Ok(Some((subscriber, Extension::Given(given))))
    }

    fn reclaim_nat(&mut self) -> Result<Vec<Name>, String> {
        Ok(std::mem::take(&mut self.does("reclaim ports").further).into_keys().collect())
    }

    fn migration(&self) -> Option<Migration> {
        self.world().migration.clone()
    }

    fn losses(&self) -> Losses {
        self.world().losses
    }

    fn tally(&self) -> Option<Tally> {
        self.world().tally.clone()
    }

    fn export(&mut self, _: SocketAddr, exporter: &mut Exporter, now: Duration) -> Result<Progress, String> {
        let world = &mut *self.does("export");
        loop {
            if matches!(world.export_ends, Some((0, Ok(_)))) {
                return Ok(Progress::Blocked);
            }
            let Some(datagram) = exporter.poll(now) else { return Ok(Progress::Done) };
            match &mut world.export_ends {
                Some((0, Err(error))) => {
                    exporter.not_sent(&datagram);
                    return Err(error.clone());
                }
                Some((left, _)) => *left -= 1,
                None => {}
            }
            world.exported.push(datagram.bytes);
        }
    }

    async fn port_mac(&mut self, _: &IfName) -> Option<Mac> {
        Some(Mac::new([2, 0xaa, 0, 0, 0, 1]).expect("unicast"))
    }

    async fn own_address6(&mut self, _: &[IfName]) -> Option<Ipv6Addr> {
        self.world().own6
    }

    async fn send(&mut self, port: &IfName, frame: &[u8]) {
        self.does("send").sent.push((port.clone(), frame.to_vec()));
    }

    async fn event(&mut self) -> Event {
        match self.events.lock().await.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }
}
