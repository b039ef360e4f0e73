//! The fast path as the agent has it: loaded, attached, and kept as desired.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    path::PathBuf,
};

use aya::{
    Ebpf,
    maps::{MapData, RingBuf},
};
use map_abi::{Tally, map};
use net_types::{IfName, Mac, Name, Prefix4, Prefix6};
use node_plan::forwarding::{Fib, Fib6, RouteTable, Runs};
use node_state::{Resource, ResourceKey, Route, Route6};

use crate::{
    clerk::Clerk,
    dhcp::Profiles,
    dns::DnsMaps,
    error::{ApplyError, OpenError},
    events::Events,
    garden::GardenMaps,
    load,
    losses::{Counters, Losses, counters, losses, tally},
    mapped::{Access, Writer, get_words},
    migrate::Migration,
    object::OFFICE,
    options::Options,
    places::Places,
    ports,
    punts::Punts,
    sessions::{Counted, Sessions},
    tables::Tables,
};

/// One change of the desired state.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly every change is of the large kind")]
pub enum Change {
    Upsert(Resource),
    Remove(ResourceKey),
}

/// The fast path of this node: the programs and their maps. When it is dropped, everything stays in the kernel as it
/// is and goes on forwarding.
pub struct Fastpath {
    pub(crate) ebpf: Ebpf,
    pub(crate) tables: Tables,
    pub(crate) writer: Writer,
    pub(crate) clerk: Clerk,
    pub(crate) pin_dir: PathBuf,
    pub(crate) sessions: Sessions,
    pub(crate) dhcp_profiles: Profiles,
    /// What sessions that are being moved to another home have counted.
    pub(crate) moving: BTreeMap<u32, Counted>,
    /// The kernel's routes and the office's own, and what they lead to.
    pub(crate) route_table: RouteTable,
    /// Whether the forwarding table is what the routes say.
    pub(crate) is_built: bool,
    pub(crate) fib: Fib,
    pub(crate) fib6: Fib6,
    /// By index of the session, the networks that lead there.
    pub(crate) networks: BTreeMap<u32, Vec<Prefix4>>,
    /// The same of IPv6, but for the link's and the delegated prefix, which the session itself says.
    pub(crate) networks6: BTreeMap<u32, Vec<Prefix6>>,
    pub(crate) nat_addresses: Runs,
    pub(crate) routes: BTreeMap<Prefix4, Route>,
    pub(crate) routes6: BTreeMap<Prefix6, Route6>,
    /// Addresses of the node itself, by the port or link that has them.
    pub(crate) locals: BTreeMap<ResourceKey, BTreeSet<Ipv4Addr>>,
    pub(crate) garden: GardenMaps,
    pub(crate) voice: Places,
    pub(crate) nat_exempt: Places,
    pub(crate) dns: DnsMaps,
    punts: Option<RingBuf<MapData>>,
    events: Option<RingBuf<MapData>>,
    losses: Counters,
    ends: Counters,
    drops: Counters,
    migration: Option<Migration>,
}

impl Fastpath {
    /// Loads the programs onto new maps, or onto those that are pinned: then packets go on as before, also where the pinned
    /// ones are laid out otherwise (see [`Migration`]).
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        let (mut ebpf, load::Rings { punts, events }, migration) = load::load(options, OFFICE)?;
        let tables = Tables::open(&options.pin_dir, Access::Write)?;
        let mut writer = Writer::default();
        let mut clerk = Clerk::new(&mut ebpf)?;
        let sessions = Sessions::survey(&tables, &options.pin_dir, &mut writer, &mut clerk)?;
        let mut garden = GardenMaps::open(&options.pin_dir)?;
        let held = sessions.by_name.values().copied().collect();
        garden.keep_only(&held).map_err(|error| OpenError::Survey(Box::new(error)))?;
        let mut dns = DnsMaps::open(&options.pin_dir, get_words!(tables.settings.at(0), hash_key))?;
        dns.keep_only(&held).map_err(|error| OpenError::Survey(Box::new(error)))?;
        let dhcp_profiles = Profiles::survey(&tables, &options.pin_dir, held.into_iter())?;
        let route_table = survey_routes(&tables);
        tracing::info!(pin_dir = %options.pin_dir.display(), sessions = sessions.by_name.len(), "fast path is loaded");
        Ok(Self {
            ebpf,
            fib: Fib::new(tables.fib_pages.len()),
            fib6: Fib6::new(tables.fib6_pages.len(), BTreeMap::new()),
            networks: BTreeMap::new(),
            networks6: BTreeMap::new(),
            nat_addresses: Runs::new(sessions.nat_addresses()),
            tables,
            writer,
            clerk,
            pin_dir: options.pin_dir.clone(),
            sessions,
            dhcp_profiles,
            moving: BTreeMap::new(),
            route_table,
            is_built: false,
            routes: BTreeMap::new(),
            routes6: BTreeMap::new(),
            locals: BTreeMap::new(),
            garden,
            voice: Places::open(&options.pin_dir, map::VOICE)?,
            nat_exempt: Places::open(&options.pin_dir, map::NAT_EXEMPT)?,
            dns,
            punts: Some(punts),
            events: Some(events),
            losses: counters(&options.pin_dir, map::LOSSES)?,
            ends: counters(&options.pin_dir, map::ENDS)?,
            drops: counters(&options.pin_dir, map::DROPS)?,
            migration,
        })
    }

    /// What opening carried over from maps of another layout; `None`: they were of this one, or there were none.
    pub fn migration(&self) -> Option<&Migration> {
        self.migration.as_ref()
    }

    /// How many writes to maps and links the last `reconcile` or `apply` made.
    pub fn writes(&self) -> u64 {
        let places = self.garden.writes() + self.voice.writes + self.nat_exempt.writes;
        self.writer.writes + self.clerk.writes + places + self.dns.writes()
    }

    pub(crate) fn port_mac_and_mtu(&self, port: u16) -> ([u8; 6], u16) {
        let [word]: [u64; 1] = get_words!(self.tables.port_links.at(u32::from(port)), mac);
        let [a, b, c, d, e, f, low, high] = word.to_ne_bytes();
        ([a, b, c, d, e, f], u16::from_ne_bytes([low, high]))
    }

    /// The MAC address that DHCP saw. Kept until another is learned, one is configured, or the session's access changes.
    pub fn learn_mac(&mut self, index: u32, mac: Mac) -> Result<(), ApplyError> {
        self.set_mac(index, Some(mac))
    }

    /// Forgets the MAC address that DHCP saw: until another is learned, nothing is sent to the subscriber.
    pub fn forget_mac(&mut self, index: u32) -> Result<(), ApplyError> {
        self.set_mac(index, None)
    }

    fn set_mac(&mut self, index: u32, mac: Option<Mac>) -> Result<(), ApplyError> {
        if self.session_by_index(index).is_none() {
            return Err(ApplyError::NoSession(index));
        }
        self.tables.set_mac(&mut self.writer, &mut self.clerk, index, mac);
        self.clerk.flush()
    }

    pub fn session_by_index(&self, index: u32) -> Option<Name> {
        if index == 0 || index >= self.tables.sessions.len() {
            return None;
        }
        let name = self.tables.name_of(index).parse().ok()?;
        (self.index_of(&name) == Some(index)).then_some(name)
    }

    pub fn index_of(&self, subscriber: &Name) -> Option<u32> {
        self.sessions.by_name.get(subscriber).copied()
    }

    /// The stream of packets for user space; can be taken once.
    pub fn punts(&mut self) -> Option<Punts> {
        Punts::new(self.punts.take()?, &self.pin_dir)
            .inspect_err(|error| tracing::error!(%error, "punted packets cannot be read"))
            .ok()
    }

    /// The stream of events; can be taken once.
    pub fn events(&mut self) -> Option<Events> {
        self.events.take().map(Events::new)
    }

    /// What was lost on the way to user space.
    pub fn losses(&self) -> Result<Losses, OpenError> {
        losses(&self.losses)
    }

    /// How all packets ended that came in since the maps were made, over all CPUs.
    pub fn tally(&self) -> Result<Tally, OpenError> {
        tally(&self.ends, &self.drops)
    }

    /// Takes the program off a port and forgets the port (`reconcile` does so with ports that are not desired).
    pub fn detach(&mut self, port: &IfName) -> Result<(), ApplyError> {
        let held = self.tables.held_port(port).ok_or_else(|| ApplyError::UnknownPort(port.clone()))?;
        if let Some(user) = self.session_on(held.index) {
            return Err(ApplyError::InUse(user));
        }
        ports::remove(&self.tables, &mut self.writer, &self.pin_dir, &held);
        self.set_core_ports();
        Ok(())
    }

    fn session_on(&self, port: u16) -> Option<String> {
        let on_port = |(_, index): &(&Name, &u32)| self.tables.reach(**index).port == port;
        self.sessions.by_name.iter().find(on_port).map(|(name, _)| name.to_string())
    }
}

/// A table in which next hops and groups have the places that they have in the maps.
fn survey_routes(tables: &Tables) -> RouteTable {
    let held = tables.held_next_hops();
    let mut table = RouteTable::new(&held);
    for (neighbour, index) in &held.next_hops {
        table.set_resolved(neighbour, tables.resolved_next_hop(*index).is_some());
    }
    table
}
