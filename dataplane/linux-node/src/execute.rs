//! Carrying out a plan: all the I/O, and no decision but whether what is to be removed is still ours.

use std::{collections::BTreeMap, io, net::IpAddr};

use net_types::{IfName, InterfaceAddress4, Prefix4};
use node_plan::kernel::{
    NodePlan, OWN_GROUP, OWN_METRIC, OWN_PROTOCOL, ObservedRoute, ObservedTarget, Op, OwnLinkName, Step,
    UnicastOrBlackhole, Why,
};
use node_state::ResourceKey;
use rtnetlink::{
    packet_core::{DefaultNla, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE},
    packet_route::{
        AddressFamily, RouteNetlinkMessage,
        address::{AddressAttribute, AddressMessage},
        link::{AfSpecInet6, AfSpecUnspec, In6AddrGenMode, LinkAttribute, LinkFlags, LinkMessage},
        route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteScope, RouteType},
    },
};
use tracing::{info, warn};

use crate::{Error, Netlink, links};

/// What came of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// For every resource of the plan whether the kernel now has it, or in words why not.
    pub resources: BTreeMap<ResourceKey, Result<(), String>>,
    /// Leftovers of ours that could not be removed, in words.
    pub strays: Vec<String>,
}

impl Outcomes {
    pub fn is_ok(&self) -> bool {
        self.strays.is_empty() && self.resources.values().all(Result::is_ok)
    }

    fn failed(&mut self, why: &Why, text: String) {
        match why {
            Why::Stray => self.strays.push(text),
            Why::Wanted(key) => {
                let outcome = self.resources.entry(key.clone()).or_insert(Ok(()));
                match outcome {
                    Ok(()) => *outcome = Err(text),
                    Err(before) => *before = format!("{before}; {text}"),
                }
            }
        }
    }
}

impl Netlink {
    /// Carries out every step, whatever becomes of the others, and reports per resource.
    pub async fn execute(&self, plan: &NodePlan) -> Outcomes {
        let mut outcomes = Outcomes::default();
        outcomes.resources.extend(plan.resources.iter().map(|key| (key.clone(), Ok(()))));
        for problem in &plan.problems {
            warn!(%problem, "kernel plan");
            outcomes.failed(&problem.why, problem.text.clone());
        }
        for step in &plan.steps {
            match self.execute_step(step).await {
                Ok(()) => info!(%step, "kernel changed"),
                Err(error) => {
                    warn!(%step, %error, "kernel unchanged");
                    outcomes.failed(&step.why, error.to_string());
                }
            }
        }
        outcomes
    }

    async fn execute_step(&self, step: &Step) -> Result<(), Error> {
        let doing = step.op.to_string();
        match &step.op {
            Op::DeleteRoute(route) => self.delete_route(&doing, route).await,
            Op::DeleteRoute6(route) => self.delete_route6(&doing, route).await,
            Op::DeleteLink { name, index } => self.delete_link(&doing, name, *index).await,
            Op::CreateLink { name, kind, mtu, peer_mtu } => {
                self.create_link(&doing, (name, kind), (*mtu, *peer_mtu)).await
            }
            Op::NoLinkLocal { link } => self.set_link(&doing, link, no_link_local()).await,
            Op::JoinBridge { link, bridge, flags } => self.join_bridge(&doing, (link, bridge), *flags).await,
            Op::LeaveBridge { link } => self.set_link(&doing, link, LinkAttribute::Controller(0)).await,
            Op::SetPortFlags { link, flags } => self.set_port_flags(&doing, link, *flags).await,
            Op::AddVlan { link, vlan } => self.add_vlan(&doing, link, *vlan).await,
            Op::RemoveVlan { link, vlan } => self.remove_vlan(&doing, link, *vlan).await,
            Op::SetStation { link, mac, remote } => self.set_station(&doing, (link, *mac), *remote).await,
            Op::AddFlood { link, remote } => self.add_flood(&doing, link, *remote).await,
            Op::RemoveStation { link, mac, remote } => {
                self.remove_station(&doing, (link, *mac), *remote).await
            }
            Op::SetNeighbour { link, address, mac } => {
                self.set_neighbour(&doing, (link, *address), *mac).await
            }
            Op::RemoveNeighbour { link, address, .. } => self.remove_neighbour(&doing, link, *address).await,
            Op::SetMtu { link, from: _, to } => self.set_link(&doing, link, LinkAttribute::Mtu(*to)).await,
            Op::SetUp { link } => self.set_up(&doing, link).await,
            Op::PromoteSecondaries { link } => self.set_link(&doing, link, promote_secondaries()).await,
            Op::AddAddress { link, address } => {
                let message = self.address(&doing, link, *address).await?;
                let message = RouteNetlinkMessage::NewAddress(message);
                self.change(&doing, message, NLM_F_CREATE | NLM_F_EXCL).await
            }
            Op::DeleteAddress { link, address } => {
                let message = self.address(&doing, link, *address).await?;
                gone(self.change(&doing, RouteNetlinkMessage::DelAddress(message), 0).await)
            }
            Op::AddRoute { prefix, target } => {
                self.put_route(&doing, *prefix, target, NLM_F_CREATE | NLM_F_EXCL).await
            }
            Op::AddRoute6(route) => self.add_route6(&doing, route).await,
            Op::ReplaceRoute { prefix, target } => {
                self.put_route(&doing, *prefix, target, NLM_F_CREATE | NLM_F_REPLACE).await
            }
        }
    }

    async fn delete_link(&self, doing: &str, name: &OwnLinkName, index: u32) -> Result<(), Error> {
        let Some(found) = self.link(name.get()).await?.as_ref().and_then(links::link) else {
            return Ok(());
        };
        // Between planning and now, another may have put one of its own in the place of ours.
        if found.group != OWN_GROUP || found.index != index {
            return Err(Error::new(doing, io::Error::other("it is not ours any more")));
        }
        let mut message = LinkMessage::default();
        message.header.index = index;
        gone(self.change(doing, RouteNetlinkMessage::DelLink(message), 0).await)
    }

    async fn set_up(&self, doing: &str, link: &IfName) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        message.header.index = self.index(doing, link).await?;
        message.header.flags = LinkFlags::Up;
        message.header.change_mask = LinkFlags::Up;
        self.change(doing, RouteNetlinkMessage::SetLink(message), 0).await
    }

    pub(crate) async fn set_link(
        &self,
        doing: &str,
        link: &IfName,
        attribute: LinkAttribute,
    ) -> Result<(), Error> {
        let mut message = LinkMessage::default();
        message.header.index = self.index(doing, link).await?;
        message.attributes.push(attribute);
        self.change(doing, RouteNetlinkMessage::SetLink(message), 0).await
    }

    async fn address(
        &self,
        doing: &str,
        link: &IfName,
        address: InterfaceAddress4,
    ) -> Result<AddressMessage, Error> {
        let mut message = AddressMessage::default();
        message.header.family = AddressFamily::Inet;
        message.header.prefix_len = address.prefix_len();
        message.header.index = self.index(doing, link).await?;
        let local = IpAddr::V4(address.address());
        message.attributes = vec![
            AddressAttribute::Local(local),
            AddressAttribute::Address(local),
            AddressAttribute::Protocol(OWN_PROTOCOL.into()),
        ];
        Ok(message)
    }

    async fn put_route(
        &self,
        doing: &str,
        prefix: Prefix4,
        target: &UnicastOrBlackhole,
        flags: u16,
    ) -> Result<(), Error> {
        let mut message = route(prefix);
        match target {
            UnicastOrBlackhole::Blackhole => message.header.kind = RouteType::BlackHole,
            UnicastOrBlackhole::Via { gateway, link } => {
                let index = self.index(doing, link).await?;
                message.header.kind = RouteType::Unicast;
                message.attributes.push(RouteAttribute::Gateway(RouteAddress::Inet(*gateway)));
                message.attributes.push(RouteAttribute::Oif(index));
            }
        }
        if OWN_METRIC != 0 {
            message.attributes.push(RouteAttribute::Priority(OWN_METRIC));
        }
        self.change(doing, RouteNetlinkMessage::NewRoute(message), flags).await
    }

    /// Removes a route of ours; the protocol in the request keeps any other from matching (`fib_table_delete()`).
    async fn delete_route(&self, doing: &str, old: &ObservedRoute) -> Result<(), Error> {
        let mut message = route(old.prefix);
        message.header.tos = old.tos;
        message.header.scope = RouteScope::NoWhere;
        message.header.kind = match &old.target {
            ObservedTarget::Via { .. } => RouteType::Unicast,
            ObservedTarget::Blackhole => RouteType::BlackHole,
            ObservedTarget::Other { kind, .. } => (*kind).into(),
        };
        if let ObservedTarget::Via { gateway, link } = &old.target {
            let index = self.index(doing, link).await?;
            message.attributes.push(RouteAttribute::Gateway(RouteAddress::Inet(*gateway)));
            message.attributes.push(RouteAttribute::Oif(index));
        }
        if old.metric != 0 {
            message.attributes.push(RouteAttribute::Priority(old.metric));
        }
        gone(self.change(doing, RouteNetlinkMessage::DelRoute(message), 0).await)
    }

    pub(crate) async fn index(&self, doing: &str, name: &IfName) -> Result<u32, Error> {
        let found = self.link(name).await?;
        let missing = || Error::new(doing, io::Error::from_raw_os_error(libc::ENODEV));
        found.map(|link| link.header.index).ok_or_else(missing)
    }
}

/// What was to be removed and is not there has been removed: by the kernel along with something else.
pub(crate) fn gone(result: Result<(), Error>) -> Result<(), Error> {
    match result {
        Err(e)
            if e.is(libc::ENODEV) || e.is(libc::EADDRNOTAVAIL) || e.is(libc::ESRCH) || e.is(libc::ENOENT) =>
        {
            Ok(())
        }
        other => other,
    }
}

fn route(prefix: Prefix4) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = prefix.len();
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = OWN_PROTOCOL.into();
    message.attributes.push(RouteAttribute::Destination(RouteAddress::Inet(prefix.network())));
    message
}

fn no_link_local() -> LinkAttribute {
    let mode = AfSpecInet6::AddrGenMode(In6AddrGenMode::None);
    LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Inet6(vec![mode])])
}

/// `IFLA_AF_SPEC` { `AF_INET` { `IFLA_INET_CONF` { `IPV4_DEVCONF_PROMOTE_SECONDARIES`: 1 } } }: the sysctl, but in the
/// namespace of the socket and not of whichever thread writes to /proc (numbers: `include/uapi/linux/ip.h` and `if_link.h`).
fn promote_secondaries() -> LinkAttribute {
    const IFLA_INET_CONF: u16 = 1;
    const PROMOTE_SECONDARIES: u16 = 20;
    let attribute = |kind: u16, value: &[u8]| {
        let len = u16::try_from(4 + value.len()).expect("a few bytes");
        [&len.to_ne_bytes(), &kind.to_ne_bytes(), value].concat()
    };
    let conf = attribute(IFLA_INET_CONF, &attribute(PROMOTE_SECONDARIES, &1u32.to_ne_bytes()));
    let family = u16::from(u8::from(AddressFamily::Inet));
    LinkAttribute::AfSpecUnspec(vec![AfSpecUnspec::Other(DefaultNla::new(family, conf))])
}
