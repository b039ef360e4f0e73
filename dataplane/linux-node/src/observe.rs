//! Reading what the kernel has.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr},
};

use net_types::{IfName, InterfaceAddress4, Prefix4};
use node_plan::{
    forwarding::{KernelRoute, KernelTarget, RoutePrefix},
    kernel::{Observed, ObservedAddress, ObservedRoute, ObservedRoute6, ObservedTarget},
};
use node_state::NodeState;
use rtnetlink::{
    packet_core::Parseable,
    packet_route::{
        AddressFamily, RouteNetlinkMessage,
        address::{AddressAttribute, AddressMessage},
        route::{RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteType},
    },
};

use crate::{
    Error, Netlink,
    dump::{Progress, main_routes},
    netlink::DUMP_ATTEMPTS,
    routes::message,
    routes6,
};

pub(crate) type Names = BTreeMap<u32, IfName>;

/// Which of others' routes are observed.
#[derive(Clone, Copy)]
enum Others<'a> {
    All,
    /// Those to prefixes that are wanted too, and of IPv4 of each link's one that uses it.
    Beside(&'a NodeState),
}

impl Netlink {
    /// The links, IPv4 addresses, main routing tables of however many routes, and on links of ours stations and neighbours.
    ///
    /// Interfaces whose names [`IfName`] does not allow are left out: they can be neither ours nor a port.
    pub async fn observe(&self) -> Result<Observed, Error> {
        self.observe_with(Others::All).await
    }

    /// The same, but of others' routes only as many as `node_plan::kernel::plan` needs for this state, so that a full
    /// table costs no memory: those to prefixes that the state has routes to, and of IPv4 one of each link's.
    pub async fn observe_for(&self, desired: &NodeState) -> Result<Observed, Error> {
        self.observe_with(Others::Beside(desired)).await
    }

    async fn observe_with(&self, others: Others<'_>) -> Result<Observed, Error> {
        let links = self.observe_links().await?;
        let names: Names = links.iter().map(|link| (link.index, link.name.clone())).collect();

        let mut request = AddressMessage::default();
        request.header.family = AddressFamily::Inet;
        let all = self.dump("read addresses", RouteNetlinkMessage::GetAddress(request)).await?;
        let addresses = all
            .iter()
            .filter_map(|message| match message {
                RouteNetlinkMessage::NewAddress(message) => address(message, &names),
                _ => None,
            })
            .collect();
        let mut kept = Kept {
            others,
            names: &names,
            routes: BTreeSet::new(),
            routes6: BTreeSet::new(),
            ways: BTreeSet::new(),
        };
        let of = |number| move |error| Error::new(format!("read routes of {number}"), error);
        self.observe_routes(libc::AF_INET, &mut kept).await.map_err(of("IPv4"))?;
        self.observe_routes(libc::AF_INET6, &mut kept).await.map_err(of("IPv6"))?;
        let Kept { routes, routes6, .. } = kept;
        let (stations, neighbours) = self.observe_stations(&links).await?;
        Ok(Observed { links, addresses, routes, routes6, stations, neighbours })
    }

    /// The main table of a family; nothing on a kernel without it.
    async fn observe_routes(&self, family: libc::c_int, kept: &mut Kept<'_>) -> io::Result<()> {
        let mut dumper = self.dumper.lock().await;
        for _ in 0..DUMP_ATTEMPTS {
            kept.forget(family);
            dumper.ask(libc::RTM_GETROUTE, &main_routes(family))?;
            loop {
                match dumper.read(|message| kept.keep(message.payload)).await? {
                    Progress::More => {}
                    Progress::Done => return Ok(()),
                    Progress::Interrupted => break,
                }
            }
        }
        Err(io::Error::other("the table changes too fast to be read"))
    }
}

/// Routes that are wanted of those that are read.
struct Kept<'a> {
    others: Others<'a>,
    names: &'a Names,
    routes: BTreeSet<ObservedRoute>,
    routes6: BTreeSet<ObservedRoute6>,
    /// Where others' routes of IPv4 that were kept go: one more that way says nothing new.
    ways: BTreeSet<Way>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Link(u32),
    Object(u32),
}

impl Kept<'_> {
    fn forget(&mut self, family: libc::c_int) {
        if family == libc::AF_INET6 {
            self.routes6.clear();
        } else {
            self.routes.clear();
            self.ways.clear();
        }
    }

    fn keep(&mut self, payload: &[u8]) {
        if let Others::Beside(desired) = self.others {
            let Some(read) = message::route(payload).filter(|read| self.is_wanted(desired, read)) else {
                return;
            };
            if is_others(&read) && matches!(read.prefix, RoutePrefix::V4(_)) {
                self.ways.extend(ways(&read));
            }
        }
        // Only now it is worth while to look at every attribute.
        match RouteMessage::parse(payload) {
            Ok(message) if message.header.address_family == AddressFamily::Inet6 => {
                self.routes6.extend(routes6::observed(&message, self.names));
            }
            Ok(message) => self.routes.extend(route(&message, self.names)),
            Err(error) => tracing::warn!(%error, "a route of the kernel's is not understood"),
        }
    }

    fn is_wanted(&self, desired: &NodeState, read: &KernelRoute) -> bool {
        let prefix = match read.prefix {
            RoutePrefix::V4(prefix) => prefix,
            RoutePrefix::V6(prefix) => return read.is_own() || desired.routes6.contains_key(&prefix),
        };
        read.is_own()
            || desired.routes.contains_key(&prefix)
            || (is_others(read) && ways(read).any(|way| !self.ways.contains(&way)))
    }
}

/// Whether somebody made it who would miss it.
fn is_others(route: &KernelRoute) -> bool {
    !route.is_own() && route.protocol != ObservedRoute::PROTOCOL_KERNEL
}

fn ways(route: &KernelRoute) -> impl Iterator<Item = Way> {
    let (hops, object) = match &route.target {
        KernelTarget::Hops(hops) => (hops.as_slice(), None),
        KernelTarget::Object(id) => (&[][..], Some(Way::Object(*id))),
        _ => (&[][..], None),
    };
    hops.iter().map(|hop| Way::Link(hop.ifindex)).chain(object)
}

fn address(message: &AddressMessage, names: &Names) -> Option<ObservedAddress> {
    let (mut local, mut remote, mut protocol) = (None, None, 0);
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(IpAddr::V4(address)) => local = Some(*address),
            AddressAttribute::Address(IpAddr::V4(address)) => remote = Some(*address),
            AddressAttribute::Protocol(number) => protocol = u8::from(*number),
            _ => {}
        }
    }
    let local = local.or(remote)?;
    Some(ObservedAddress {
        link: names.get(&message.header.index)?.clone(),
        address: InterfaceAddress4::new(local, message.header.prefix_len).ok()?,
        peer: remote.filter(|&peer| peer != local),
        protocol,
    })
}

fn route(message: &RouteMessage, names: &Names) -> Option<ObservedRoute> {
    let mut table = u32::from(message.header.table);
    let mut destination = Ipv4Addr::UNSPECIFIED;
    let (mut gateway, mut metric, mut plain) = (None, 0, true);
    let mut links = BTreeSet::new();
    let mut use_link = |index: u32| links.extend(names.get(&index).cloned());
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Table(number) => table = *number,
            RouteAttribute::Destination(RouteAddress::Inet(address)) => destination = *address,
            RouteAttribute::Gateway(RouteAddress::Inet(address)) => gateway = Some(*address),
            RouteAttribute::Priority(number) => metric = *number,
            RouteAttribute::Oif(index) => use_link(*index),
            RouteAttribute::MultiPath(hops) => {
                plain = false;
                for hop in hops {
                    use_link(hop.interface_index);
                }
            }
            RouteAttribute::CacheInfo(_) => {}
            _ => plain = false,
        }
    }
    if table != u32::from(RouteHeader::RT_TABLE_MAIN) {
        return None;
    }
    let target = match (message.header.kind, gateway, links.first()) {
        (RouteType::Unicast, Some(gateway), Some(link)) if plain => {
            ObservedTarget::Via { gateway, link: link.clone() }
        }
        (RouteType::BlackHole, None, None) if plain => ObservedTarget::Blackhole,
        (kind, ..) => ObservedTarget::Other { links, kind: kind.into() },
    };
    Some(ObservedRoute {
        prefix: Prefix4::new(destination, message.header.destination_prefix_length).ok()?,
        tos: message.header.tos,
        metric,
        protocol: message.header.protocol.into(),
        target,
    })
}
