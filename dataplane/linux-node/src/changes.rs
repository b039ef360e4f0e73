//! Notifications of the kernel's changes, but for routes and neighbours, which [`crate::RouteFeed`] tells of.

use std::{
    collections::VecDeque,
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, setsockopt, socket,
    sockopt,
};
use rtnetlink::{
    MulticastGroup,
    packet_core::{NetlinkMessage, NetlinkPayload},
    packet_route::RouteNetlinkMessage,
};
use tokio::io::unix::AsyncFd;

use crate::{Error, Netlink, dump::messages};

/// Something changed in the kernel, by whomever. Not every change makes one of its own: look at what is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Link {
        ifindex: u32,
    },
    Address {
        ifindex: u32,
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
pub(crate) const DATAGRAM_MAX: usize = 32 << 10;

impl Netlink {
    /// Subscribes to changes of links and IPv4 addresses in the calling thread's network namespace. Subscribe first and
    /// observe after, and no change goes unseen.
    pub fn changes() -> Result<Changes, Error> {
        Changes::subscribe().map_err(|e| Error::new("subscribe to kernel changes", e))
    }
}

impl Changes {
    fn subscribe() -> io::Result<Self> {
        let socket = subscribe(&[MulticastGroup::Link, MulticastGroup::Ipv4Ifaddr], RECEIVE_BUFFER)?;
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
fn parse(datagram: &[u8], changes: &mut VecDeque<Change>) {
    for message in messages(datagram) {
        let Some(message) = message else { return changes.push_back(Change::Lost) };
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
        _ => None,
    }
}
