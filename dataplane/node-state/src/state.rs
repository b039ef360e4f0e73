//! The whole desired state of a node.

use std::collections::BTreeMap;

use net_types::{IfName, Mac, Name, Prefix4, Prefix6};

use crate::{
    BlockList, Garden, Link, NatExempt, NatLog, Port, Resource, ResourceKey, Route, Route6, Session, Station,
    Voice,
};

/// The whole desired state of a node, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeState {
    pub ports: BTreeMap<IfName, Port>,
    pub links: BTreeMap<IfName, Link>,
    pub stations: BTreeMap<(IfName, Mac), Station>,
    pub routes: BTreeMap<Prefix4, Route>,
    pub routes6: BTreeMap<Prefix6, Route6>,
    pub nat_log: Option<NatLog>,
    pub sessions: BTreeMap<Name, Session>,
    pub garden: Option<Garden>,
    pub voice: Option<Voice>,
    pub nat_exempt: Option<NatExempt>,
    pub block_lists: BTreeMap<(Name, u16), BlockList>,
}

impl NodeState {
    /// Puts a resource in, in place of the one with the same key.
    pub fn insert(&mut self, resource: Resource) {
        match resource {
            Resource::Port(port) => drop(self.ports.insert(port.name.clone(), port)),
            Resource::Link(link) => drop(self.links.insert(link.name.clone(), link)),
            Resource::Station(station) => {
                drop(self.stations.insert((station.link.clone(), station.mac), station));
            }
            Resource::Route(route) => drop(self.routes.insert(route.prefix, route)),
            Resource::Route6(route) => drop(self.routes6.insert(route.prefix, route)),
            Resource::NatLog(log) => self.nat_log = Some(log),
            Resource::Session(session) => drop(self.sessions.insert(session.subscriber.clone(), session)),
            Resource::Garden(garden) => self.garden = Some(garden),
            Resource::Voice(voice) => self.voice = Some(voice),
            Resource::NatExempt(exempt) => self.nat_exempt = Some(exempt),
            Resource::BlockList(list) => drop(self.block_lists.insert((list.name.clone(), list.part), list)),
        }
    }

    /// Takes a resource out; returns whether it was there.
    pub fn remove(&mut self, key: &ResourceKey) -> bool {
        if key.as_str() == Resource::GARDEN_KEY {
            return self.garden.take().is_some();
        }
        if key.as_str() == Resource::VOICE_KEY {
            return self.voice.take().is_some();
        }
        if key.as_str() == Resource::NAT_EXEMPT_KEY {
            return self.nat_exempt.take().is_some();
        }
        let Some((kind, name)) = key.as_str().split_once('/') else { return false };
        match kind {
            "port" => name.parse().is_ok_and(|name: IfName| self.ports.remove(&name).is_some()),
            "link" => name.parse().is_ok_and(|name: IfName| self.links.remove(&name).is_some()),
            "station" => ResourceKey::parse_station(name)
                .is_some_and(|station| self.stations.remove(&station).is_some()),
            "route" => name.parse().is_ok_and(|prefix: Prefix4| self.routes.remove(&prefix).is_some()),
            "route6" => name.parse().is_ok_and(|prefix: Prefix6| self.routes6.remove(&prefix).is_some()),
            "natLog" => name == "ipfix" && self.nat_log.take().is_some(),
            "blockList" => ResourceKey::parse_block_list(name)
                .is_some_and(|part| self.block_lists.remove(&part).is_some()),
            "session" => self.sessions.remove(name).is_some(),
            _ => false,
        }
    }

    pub fn resources(&self) -> impl Iterator<Item = Resource> {
        let sessions = self.sessions.values().cloned().map(Resource::Session);
        self.resources_but_sessions().chain(sessions)
    }

    pub fn resources_but_sessions(&self) -> impl Iterator<Item = Resource> {
        let nat_log = self.nat_log.map(Resource::NatLog);
        let lists = self.block_lists.values().cloned().map(Resource::BlockList);
        let garden = self.garden.iter().cloned().map(Resource::Garden);
        let voice = self.voice.iter().cloned().map(Resource::Voice);
        let exempt = self.nat_exempt.iter().cloned().map(Resource::NatExempt);
        let of_node = garden.chain(voice).chain(exempt).chain(nat_log).chain(lists);
        self.kernel_resources().chain(of_node)
    }

    /// Those that are the kernel's own objects: ports, links, stations and routes.
    pub fn kernel_resources(&self) -> impl Iterator<Item = Resource> {
        let ports = self.ports.values().cloned().map(Resource::Port);
        let links = self.links.values().cloned().map(Resource::Link);
        let stations = self.stations.values().cloned().map(Resource::Station);
        let routes = self.routes.values().cloned().map(Resource::Route);
        let routes6 = self.routes6.values().cloned().map(Resource::Route6);
        ports.chain(links).chain(stations).chain(routes).chain(routes6)
    }
}

impl FromIterator<Resource> for NodeState {
    fn from_iter<I: IntoIterator<Item = Resource>>(resources: I) -> Self {
        let mut state = Self::default();
        resources.into_iter().for_each(|resource| state.insert(resource));
        state
    }
}
