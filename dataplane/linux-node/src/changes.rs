//! Notifications of the kernel's changes.

use std::{
    collections::VecDeque,
    io,
    net::Ipv4Addr,
    os::fd::{AsRawFd, OwnedFd},
};

use net_types::Mac;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, setsockopt, socket,
    sockopt,
};
use rtnetlink::{
    MulticastGroup,
    packet_core::{NetlinkMessage, NetlinkPayload},
    packet_route::{
        RouteNetlinkMessage,
        neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage},
    },
};
use tokio::io::unix::AsyncFd;

use crate::{Error, Netlink, neighbour::resolved};

/// Something changed in the kernel, by whomever. Not every change makes one of its own: look at what is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Link {
        ifindex: u32,
    },
    Address {
        ifindex: u32,
    },
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
}

/// Room for some thousand notifications between two reads.
const RECEIVE_BUFFER: usize = 4 << 20;
/// The kernel fills at most 32 KiB at once (`netlink_recvmsg()`).
const DATAGRAM_MAX: usize = 32 << 10;

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
        let mask = groups.iter().fold(0, |mask, &group| mask | 1 << (group as u32 - 1));
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket(AddressFamily::Netlink, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
        setsockopt(&fd, sockopt::RcvBufForce, &RECEIVE_BUFFER)?;
        bind(fd.as_raw_fd(), &NetlinkAddr::new(0, mask))?;
        // SAFETY: an OwnedFd names the same open descriptor for as long as it lives.
        let socket = unsafe { AsyncFd::register(fd) }?;
        Ok(Self { socket, buffer: vec![0; DATAGRAM_MAX], pending: VecDeque::new() })
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
                Ok(Ok(len)) => parse(&self.buffer[..len], &mut self.pending),
                Ok(Err(e)) if e.raw_os_error() == Some(libc::ENOBUFS) => return Ok(Change::Lost),
                Ok(Err(e)) => return Err(Error::new("read kernel changes", e)),
            }
        }
    }
}

/// Messages of a kind that this netlink library does not know are no reason to stop: they count as [`Change::Lost`].
fn parse(mut datagram: &[u8], changes: &mut VecDeque<Change>) {
    while let Some(len) = datagram.first_chunk::<4>().map(|len| u32::from_ne_bytes(*len) as usize) {
        let Some(message) = datagram.get(..len).filter(|message| !message.is_empty()) else {
            return changes.push_back(Change::Lost);
        };
        match NetlinkMessage::<RouteNetlinkMessage>::deserialize(message) {
            Ok(message) => changes.extend(change(message.payload)),
            Err(_) => changes.push_back(Change::Lost),
        }
        datagram = datagram.get(len.next_multiple_of(4)..).unwrap_or_default();
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
        M::NewRoute(_) | M::DelRoute(_) => Some(Change::Route),
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
