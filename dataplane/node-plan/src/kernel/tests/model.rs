//! A kernel in a few lines, as unforgiving as the real one where it matters.

use std::collections::BTreeSet;

use node_state::{Route6, Route6Target};

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
            Op::CreateLink { name, kind: LinkKind::Bridge, mtu } => {
                let name = name.get().clone();
                if self.state.link(&name).is_some() {
                    return Err("EEXIST".into());
                }
                let index = self.state.links.iter().map(|link| link.index).max().unwrap_or(0) + 1;
                let (kind, group, mtu) = ("bridge".into(), OWN_GROUP, *mtu);
                self.state.links.insert(ObservedLink { name, index, mac: None, kind, group, mtu, up: false });
            }
            Op::DeleteLink { name, index } => {
                let found =
                    self.state.link(name.get()).filter(|link| link.index == *index).ok_or("ENODEV")?.clone();
                self.state.links.remove(&found);
                self.state.addresses.retain(|address| address.link != found.name);
                self.state.routes.retain(|route| !route.uses(&found.name));
                self.state.routes6.retain(|route| !route.goes_with(std::slice::from_ref(&found.name)));
            }
            Op::SetMtu { link, from, to } => {
                let mut found = self.take(link)?;
                assert_eq!(found.mtu, *from);
                found.mtu = *to;
                self.state.links.insert(found);
            }
            Op::SetUp { link } => {
                let mut found = self.take(link)?;
                found.up = true;
                self.state.links.insert(found);
            }
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
        }
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
