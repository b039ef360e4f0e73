//! A kernel in a few lines, as unforgiving as the real one where it matters.

use std::collections::BTreeSet;

use node_state::{PortVlan, Route6, Route6Target};

use super::*;
use crate::kernel::addresses::subnet;

pub(super) struct Kernel {
    pub(super) state: Observed,
    promotes: BTreeSet<IfName>,
}

impl Kernel {
    pub(super) fn new(state: Observed) -> Self {
        Self { state, promotes: BTreeSet::new() }
    }

    /// Does what the kernel does, or says why it does not. Harm to what is not ours is for the caller to see.
    pub(super) fn apply(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::PromoteSecondaries { link } => {
                self.promotes.insert(link.clone());
            }
            Op::AddAddress { link, address } => {
                self.state.link(link).ok_or("ENODEV")?;
                if self.state.addresses.iter().any(|a| &a.link == link && a.address == *address) {
                    return Err("EEXIST".into());
                }
                let (link, address) = (link.clone(), *address);
                self.state.addresses.insert(ObservedAddress {
                    link,
                    address,
                    peer: None,
                    protocol: OWN_PROTOCOL,
                });
            }
            Op::DeleteAddress { link, address } => self.delete_address(link, *address)?,
            Op::AddRoute { prefix, target } => {
                if self
                    .state
                    .routes
                    .iter()
                    .any(|r| r.prefix == *prefix && r.tos == 0 && r.metric == OWN_METRIC)
                {
                    return Err("EEXIST".into());
                }
                self.put_route(*prefix, target)?;
            }
            Op::ReplaceRoute { prefix, target } => {
                let mut here =
                    self.state.routes.iter().filter(|r| r.prefix == *prefix && r.metric == OWN_METRIC);
                let first = here.next().cloned();
                assert!(here.next().is_none(), "which of several is replaced is up to the kernel");
                if let Some(old) = first {
                    self.state.routes.remove(&old);
                }
                self.put_route(*prefix, target)?;
            }
            Op::AddRoute6(Route6 { prefix, target }) => {
                let (metric, protocol) = (OWN_METRIC6, OWN_PROTOCOL);
                if self.state.routes6.iter().any(|r| r.prefix == *prefix && r.metric == metric) {
                    return Err("EEXIST".into());
                }
                let target = match target {
                    Route6Target::Pool => ObservedTarget6::Blackhole,
                    Route6Target::Via { gateway, port } => {
                        ObservedTarget6::Via { gateway: *gateway, link: port.clone() }
                    }
                };
                self.state.routes6.insert(ObservedRoute6 { prefix: *prefix, metric, protocol, target });
            }
            Op::DeleteRoute6(route) => {
                assert!(route.is_own());
                self.state.routes6.remove(route).then_some(()).ok_or("ESRCH")?;
            }
            Op::DeleteRoute(route) => {
                assert!(route.is_own());
                self.state.routes.remove(route).then_some(()).ok_or("ESRCH")?;
            }
            _ => self.apply_to_link(op)?,
        }
        Ok(())
    }

    fn apply_to_link(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::CreateLink { name, kind, mtu, peer_mtu } => {
                self.create(name.get(), kind, (*mtu, *peer_mtu))?;
            }
            Op::DeleteLink { name, index } => {
                let found =
                    self.state.link(name.get()).filter(|link| link.index == *index).ok_or("ENODEV")?;
                self.delete(found.index);
            }
            Op::NoLinkLocal { link } => self.change(link, |link| link.makes_link_local = false)?,
            Op::JoinBridge { link, bridge, flags } => {
                let bridge = self.state.link(bridge).ok_or("ENODEV")?;
                assert!(matches!(bridge.kind, ObservedKind::Bridge { .. }), "{bridge:?}");
                let (index, flags) = (bridge.index, *flags);
                self.change(link, |link| {
                    assert!(!matches!(link.kind, ObservedKind::Bridge { .. }), "ELOOP");
                    (link.bridge, link.port_flags) = (Some(index), Some(flags));
                    link.vlans.clear();
                })?;
            }
            Op::LeaveBridge { link } => self.change(link, |link| {
                (link.bridge, link.port_flags) = (None, None);
                link.vlans.clear();
            })?,
            Op::SetPortFlags { link, flags } => self.change(link, |link| {
                assert!(link.bridge.is_some());
                link.port_flags = Some(*flags);
            })?,
            Op::AddVlan { link, vlan } => self.change(link, |link| {
                assert!(link.bridge.is_some());
                link.vlans.retain(|held| held.id != vlan.id);
                if vlan.untagged {
                    // A port has one such VLAN.
                    link.vlans =
                        link.vlans.iter().map(|held| PortVlan { untagged: false, ..*held }).collect();
                }
                link.vlans.insert(*vlan);
            })?,
            Op::RemoveVlan { link, vlan } => self.change(link, |link| {
                assert!(link.vlans.remove(vlan));
            })?,
            Op::SetMtu { link, from, to } => {
                let limit = self.parent_mtu(link)?;
                if *to > limit {
                    return Err("ERANGE".into());
                }
                if limit == u32::MAX {
                    assert_eq!(self.state.link(link).map(|link| link.mtu), Some(*from));
                }
                self.set_mtu(link, *to)?;
            }
            Op::SetUp { link } => self.change(link, |link| link.up = true)?,
            _ => self.apply_to_station(op)?,
        }
        Ok(())
    }

    fn apply_to_station(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::SetStation { link, mac, remote } => {
                self.vxlan(link)?;
                self.state.stations.retain(|held| held.link != *link || held.mac != Some(*mac));
                let (link, mac, remote) = (link.clone(), Some(*mac), *remote);
                self.state.stations.insert(ObservedStation { link, mac, remote });
            }
            Op::AddFlood { link, remote } => {
                self.vxlan(link)?;
                let held = ObservedStation { link: link.clone(), mac: None, remote: *remote };
                self.state.stations.insert(held).then_some(()).ok_or("EEXIST")?;
            }
            Op::RemoveStation { link, mac, remote } => {
                let held = ObservedStation { link: link.clone(), mac: *mac, remote: *remote };
                self.state.stations.remove(&held).then_some(()).ok_or("ENOENT")?;
            }
            Op::SetNeighbour { link, address, mac } => {
                self.state.link(link).ok_or("ENODEV")?;
                self.state.neighbours.retain(|held| held.link != *link || held.address != *address);
                let (link, address, mac) = (link.clone(), *address, *mac);
                self.state.neighbours.insert(ObservedNeighbour { link, address, mac });
            }
            Op::RemoveNeighbour { link, address, mac } => {
                let held = ObservedNeighbour { link: link.clone(), address: *address, mac: *mac };
                self.state.neighbours.remove(&held).then_some(()).ok_or("ENOENT")?;
            }
            _ => panic!("{op} is not done here"),
        }
        Ok(())
    }

    fn create(
        &mut self,
        name: &IfName,
        kind: &LinkKind,
        (mtu, peer_mtu): (u32, Option<u32>),
    ) -> Result<(), String> {
        let (kind, stands_on) = match kind {
            LinkKind::Bridge => (ObservedKind::Bridge { vlan_aware: false }, None),
            LinkKind::VlanAwareBridge => (ObservedKind::Bridge { vlan_aware: true }, None),
            LinkKind::Tap => (ObservedKind::Tap, None),
            LinkKind::Vlan { parent, id, tpid } => {
                let parent = self.state.link(parent).ok_or("ENODEV")?;
                if mtu > parent.mtu {
                    return Err("ERANGE".into());
                }
                (ObservedKind::Vlan { id: id.get(), tpid: tpid.ethertype() }, Some(parent.index))
            }
            LinkKind::Vxlan { vni, local, port } => {
                let (vni, local, port) = (vni.get(), Some(*local), *port);
                (ObservedKind::Vxlan(ObservedVxlan { vni, local, port, is_learning: false }), None)
            }
            LinkKind::Veth { peer } => {
                let index = self.state.links.iter().map(|link| link.index).max().unwrap_or(0) + 1;
                let mtu = peer_mtu.expect("a pair has two");
                self.insert(peer, ObservedKind::Veth { peer: Some(index + 1) }, None, mtu)?;
                (ObservedKind::Veth { peer: Some(index) }, None)
            }
        };
        self.insert(name, kind, stands_on, mtu)
    }

    fn insert(
        &mut self,
        name: &IfName,
        kind: ObservedKind,
        stands_on: Option<u32>,
        mtu: u32,
    ) -> Result<(), String> {
        if self.state.link(name).is_some() {
            return Err("EEXIST".into());
        }
        let index = self.state.links.iter().map(|link| link.index).max().unwrap_or(0) + 1;
        let made = link(name.as_str(), index, OWN_GROUP);
        let made = ObservedLink { kind, stands_on, mtu, up: false, makes_link_local: true, ..made };
        self.state.links.insert(made);
        Ok(())
    }

    pub(super) fn delete(&mut self, index: u32) {
        let Some(found) = self.state.links.iter().find(|link| link.index == index).cloned() else { return };
        self.state.links.remove(&found);
        self.state.addresses.retain(|address| address.link != found.name);
        self.state.routes.retain(|route| !route.uses(&found.name));
        self.state.routes6.retain(|route| !route.goes_with(std::slice::from_ref(&found.name)));
        self.state.stations.retain(|station| station.link != found.name);
        self.state.neighbours.retain(|neighbour| neighbour.link != found.name);
        let follow = |link: &&ObservedLink| match link.kind {
            ObservedKind::Veth { peer } => peer == Some(index),
            _ => link.stands_on == Some(index),
        };
        let falling: Vec<u32> = self.state.links.iter().filter(follow).map(|link| link.index).collect();
        for index in falling {
            self.delete(index);
        }
        let ports: Vec<IfName> = self
            .state
            .links
            .iter()
            .filter(|link| link.bridge == Some(index))
            .map(|link| link.name.clone())
            .collect();
        for port in ports {
            let done = self.change(&port, |link| {
                (link.bridge, link.port_flags) = (None, None);
                link.vlans.clear();
            });
            done.expect("it is there");
        }
    }

    /// What stands on a link has no larger one.
    fn set_mtu(&mut self, link: &IfName, mtu: u32) -> Result<(), String> {
        let mut index = 0;
        self.change(link, |link| (link.mtu, index) = (mtu, link.index))?;
        let too_large = |link: &&ObservedLink| link.stands_on == Some(index) && link.mtu > mtu;
        let names: Vec<IfName> =
            self.state.links.iter().filter(too_large).map(|link| link.name.clone()).collect();
        names.iter().try_for_each(|name| self.set_mtu(name, mtu))
    }

    fn vxlan(&self, link: &IfName) -> Result<(), String> {
        let found = self.state.link(link).ok_or("ENODEV")?;
        matches!(found.kind, ObservedKind::Vxlan(_)).then_some(()).ok_or_else(|| "EOPNOTSUPP".into())
    }

    fn parent_mtu(&self, link: &IfName) -> Result<u32, String> {
        let found = self.state.link(link).ok_or("ENODEV")?;
        let parent = found.stands_on.and_then(|index| self.state.links.iter().find(|l| l.index == index));
        Ok(parent.map_or(u32::MAX, |parent| parent.mtu))
    }

    pub(super) fn change(
        &mut self,
        link: &IfName,
        change: impl FnOnce(&mut ObservedLink),
    ) -> Result<(), String> {
        let mut found = self.take(link)?;
        change(&mut found);
        self.state.links.insert(found);
        Ok(())
    }

    fn take(&mut self, name: &IfName) -> Result<ObservedLink, String> {
        let found = self.state.link(name).ok_or("ENODEV")?.clone();
        self.state.links.remove(&found);
        Ok(found)
    }

    fn delete_address(&mut self, link: &IfName, address: net_types::InterfaceAddress4) -> Result<(), String> {
        let found =
            self.state.addresses.iter().find(|a| &a.link == link && a.address == address && a.peer.is_none());
        let found = found.ok_or("EADDRNOTAVAIL")?.clone();
        assert!(found.is_own());
        self.state.addresses.remove(&found);
        if !self.promotes.contains(link) {
            // At worst it was the first of its subnet.
            self.state.addresses.retain(|a| &a.link != link || subnet(a.address) != subnet(address));
        }
        if !self.state.addresses.iter().any(|a| &a.link == link) {
            self.state.routes.retain(|route| !route.uses(link));
        }
        Ok(())
    }

    fn put_route(&mut self, prefix: net_types::Prefix4, target: &UnicastOrBlackhole) -> Result<(), String> {
        let target = match target {
            UnicastOrBlackhole::Blackhole => ObservedTarget::Blackhole,
            UnicastOrBlackhole::Via { gateway, link } => {
                let reached = self.state.addresses.iter().any(|a| {
                    &a.link == link && a.address.is_on_link(*gateway) && a.address.address() != *gateway
                });
                if !reached || !self.state.link(link).is_some_and(|link| link.up) {
                    return Err("ENETUNREACH".into());
                }
                ObservedTarget::Via { gateway: *gateway, link: link.clone() }
            }
        };
        let (metric, protocol) = (OWN_METRIC, OWN_PROTOCOL);
        self.state.routes.insert(ObservedRoute { prefix, tos: 0, metric, protocol, target });
        Ok(())
    }
}
