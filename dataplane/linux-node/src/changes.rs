//! Notifications of the kernel's changes.

use std::{
    collections::{BTreeSet, VecDeque},
    io,
    net::Ipv4Addr,
    os::fd::{AsRawFd, OwnedFd},
};

use net_types::{Mac, Prefix4};
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, setsockopt, socket,
    sockopt,
};
use node_plan::forwarding::{KernelRoute, RoutePrefix};
use rtnetlink::{
    MulticastGroup,
    packet_core::{NetlinkMessage, NetlinkPayload},
    packet_route::{
        RouteNetlinkMessage,
        neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage},
    },
};
use tokio::io::unix::AsyncFd;

use crate::{Error, Netlink, dump::messages, neighbour::resolved, routes::message::route};

/// Something changed in the kernel, by whomever. Not every change makes one of its own: look at what is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Link {
        ifindex: u32,
    },
    Address {
        ifindex: u32,
    },
    /// Of a unicast route of the main table.
    Route,
    /// `mac` is `None` when the neighbour is not, or no longer, resolved.
    Neighbour {
        ifindex: u32,
        address: Ipv4Addr,
        mac: Option<Mac>,
    },
    /// More changed than the socket could hold: any of it may be different now.
    Lost,
}

/// The kernel's notifications from the moment it was made.
#[derive(Debug)]
pub struct Changes {
    socket: AsyncFd<OwnedFd>,
    buffer: Vec<u8>,
    pending: VecDeque<Change>,
    /// What routes of others are told of; `None`: all.
    prefixes: Option<BTreeSet<Prefix4>>,
}

/// Room for some thousand notifications between two reads.
const RECEIVE_BUFFER: usize = 4 << 20;
/// The kernel fills at most 32 KiB at once (`netlink_recvmsg()`).
pub(crate) const DATAGRAM_MAX: usize = 32 << 10;

impl Netlink {
    /// Subscribes to changes of links, IPv4 addresses, routes and neighbours in the calling thread's network
    /// namespace. Subscribe first and observe after, and no change goes unseen.
    pub fn changes() -> Result<Changes, Error> {
        Changes::subscribe().map_err(|e| Error::new("subscribe to kernel changes", e))
    }
}

impl Changes {
    fn subscribe() -> io::Result<Self> {
        let groups = [
            MulticastGroup::Link,
            MulticastGroup::Neigh,
            MulticastGroup::Ipv4Ifaddr,
            MulticastGroup::Ipv4Route,
            MulticastGroup::Ipv6Route,
        ];
        let socket = subscribe(&groups, RECEIVE_BUFFER)?;
        Ok(Self { socket, buffer: vec![0; DATAGRAM_MAX], pending: VecDeque::new(), prefixes: None })
    }

    /// Has nothing told any more of others' routes, but for those to these prefixes: of a full table, some thousand
    /// change in a minute.
    pub fn tell_routes_to(&mut self, prefixes: BTreeSet<Prefix4>) {
        self.prefixes = Some(prefixes);
    }

    /// The next change. Cancel safe.
    pub async fn next(&mut self) -> Result<Change, Error> {
        loop {
            if let Some(change) = self.pending.pop_front() {
                return Ok(change);
            }
            let buffer = &mut self.buffer;
            let mut guard =
                self.socket.readable().await.map_err(|e| Error::new("wait for kernel changes", e))?;
            let read = guard.try_io(|fd| Ok(recv(fd.as_raw_fd(), buffer, MsgFlags::empty())?));
            match read {
                Err(_would_block) => {}
                Ok(Ok(len)) => parse(&self.buffer[..len], self.prefixes.as_ref(), &mut self.pending),
                Ok(Err(e)) if e.raw_os_error() == Some(libc::ENOBUFS) => return Ok(Change::Lost),
                Ok(Err(e)) => return Err(Error::new("read kernel changes", e)),
            }
        }
    }
}

/// A socket that notifications come to, with room for so many bytes of them.
pub(crate) fn subscribe(groups: &[MulticastGroup], room: usize) -> io::Result<AsyncFd<OwnedFd>> {
    let mask = groups.iter().fold(0, |mask, &group| mask | 1 << (group as u32 - 1));
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    setsockopt(&fd, sockopt::RcvBufForce, &room)?;
    bind(fd.as_raw_fd(), &NetlinkAddr::new(0, mask))?;
    // SAFETY: an OwnedFd names the same open descriptor for as long as it lives.
    Ok(unsafe { AsyncFd::register(fd) }?)
}

/// Messages of a kind that this netlink library does not know are no reason to stop: they count as [`Change::Lost`].
fn parse(datagram: &[u8], prefixes: Option<&BTreeSet<Prefix4>>, changes: &mut VecDeque<Change>) {
    let is_of_interest = |route: &KernelRoute| match (prefixes, route.prefix) {
        (Some(prefixes), RoutePrefix::V4(prefix)) => route.is_own() || prefixes.contains(&prefix),
        _ => true,
    };
    for message in messages(datagram) {
        let Some(message) = message else { return changes.push_back(Change::Lost) };
        if let libc::RTM_NEWROUTE | libc::RTM_DELROUTE = message.kind {
            let route = route(message.payload).filter(is_of_interest);
            changes.extend(route.map(|_| Change::Route));
            continue;
        }
        match NetlinkMessage::<RouteNetlinkMessage>::deserialize(message.bytes) {
            Ok(message) => changes.extend(change(message.payload)),
            Err(_) => changes.push_back(Change::Lost),
        }
    }
}

fn change(payload: NetlinkPayload<RouteNetlinkMessage>) -> Option<Change> {
    use RouteNetlinkMessage as M;
    let NetlinkPayload::InnerMessage(message) = payload else {
        return None;
    };
    match message {
        M::NewLink(link) | M::DelLink(link) => Some(Change::Link { ifindex: link.header.index }),
        M::NewAddress(address) | M::DelAddress(address) => {
            Some(Change::Address { ifindex: address.header.index })
        }
        M::NewNeighbour(neighbour) => neighbour_change(&neighbour, resolved(&neighbour)),
        M::DelNeighbour(neighbour) => neighbour_change(&neighbour, None),
        _ => None,
    }
}

fn neighbour_change(message: &NeighbourMessage, mac: Option<Mac>) -> Option<Change> {
    let address = message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(address)) => Some(*address),
        _ => None,
    })?;
    Some(Change::Neighbour { ifindex: message.header.ifindex, address, mac })
}
