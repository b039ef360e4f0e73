//! The kernel's routes, nexthop objects and neighbours: all that there are, and then what becomes of them.

pub(crate) mod message;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::IpAddr,
    os::fd::{AsRawFd, OwnedFd},
};

use net_types::Mac;
use nix::sys::socket::{MsgFlags, recv};
use node_plan::forwarding::RouteEvent;
use rtnetlink::MulticastGroup;
use tokio::io::unix::AsyncFd;

use self::message::{RTM_GETNEXTHOP, news};
use crate::{
    Error, Netlink,
    changes::{DATAGRAM_MAX, subscribe},
    dump::{Dumper, Progress, local_routes, main_routes, messages},
    netlink::DUMP_ATTEMPTS,
};

/// One thing that [`RouteFeed`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteNews {
    /// Of routes of the main table, of either family, and of IPv6's of the node's own addresses; for `node_plan::forwarding::RouteTable`.
    Route(RouteEvent),
    /// `mac` is `None` when the neighbour is not, or no longer, resolved.
    Neighbour { ifindex: u32, address: IpAddr, mac: Option<Mac> },
}

/// What the kernel's routes are, and what changes in them.
///
/// It begins with a dump, [`RouteEvent::DumpBegins`] to [`RouteEvent::DumpEnds`], and dumps again whenever something may
/// have gone unseen: when the socket could not hold all that changed (`ENOBUFS`), and when a link went or came, since
/// the kernel does not tell which routes it takes away then. Changes that come during a dump are told between what it
/// tells of, so that a route that was told last is as it was last.
#[derive(Debug)]
pub struct RouteFeed {
    changes: AsyncFd<OwnedFd>,
    dumper: Dumper,
    buffer: Vec<u8>,
    dump: Option<Dump>,
    /// Something may have gone unseen since the last dump began.
    is_stale: bool,
    /// What changed and is told after the next piece of the dump, which may be older.
    held: Vec<RouteNews>,
    /// Whether each link was up when it was last told of.
    links: BTreeMap<u32, bool>,
}

/// A dump that is being read.
#[derive(Debug)]
struct Dump {
    /// What is still to be asked for; the first has been.
    parts: VecDeque<Part>,
    /// How often the first was asked for.
    attempts: usize,
}

/// What is asked for at once: links first, so that it is known which are down, and objects before routes by them.
#[derive(Clone, Copy, Debug)]
enum Part {
    Links,
    NextHops,
    Routes4,
    Routes6,
    Local6,
    Neighbours,
}

const PARTS: [Part; 6] =
    [Part::Links, Part::NextHops, Part::Routes4, Part::Routes6, Part::Local6, Part::Neighbours];

/// Room for the notifications of a table that comes in while another is dumped.
const RECEIVE_BUFFER: usize = 32 << 20;

/// Notifications that are read between two pieces of a dump: some thousand.
const DATAGRAMS_HELD_MAX: usize = 256;

impl Netlink {
    /// Subscribes to the routes of the calling thread's network namespace, within a tokio runtime.
    pub fn routes() -> Result<RouteFeed, Error> {
        RouteFeed::new().map_err(|e| Error::new("subscribe to kernel routes", e))
    }
}

impl RouteFeed {
    fn new() -> io::Result<Self> {
        let groups = [
            MulticastGroup::Link,
            MulticastGroup::Neigh,
            MulticastGroup::Ipv4Route,
            MulticastGroup::Ipv6Route,
            MulticastGroup::Nexthop,
        ];
        let changes = subscribe(&groups, RECEIVE_BUFFER)?;
        Ok(Self {
            changes,
            dumper: Dumper::open()?,
            buffer: vec![0; DATAGRAM_MAX],
            dump: None,
            is_stale: true,
            held: Vec::new(),
            links: BTreeMap::new(),
        })
    }

    /// Has everything told again, after what is being told.
    pub fn dump_again(&mut self) {
        self.is_stale = true;
    }

    /// Whether all is told that is known to have changed.
    pub fn is_settled(&self) -> bool {
        self.dump.is_none() && !self.is_stale
    }

    /// What comes next: some hundred pieces at most, one at least. Cancel safe.
    ///
    /// After an error, another dump begins.
    pub async fn next(&mut self) -> Result<Vec<RouteNews>, Error> {
        let told = self.wait().await;
        if told.is_err() {
            self.dump = None;
            self.is_stale = true;
        }
        told.map_err(|e| Error::new("read kernel routes", e))
    }

    async fn wait(&mut self) -> io::Result<Vec<RouteNews>> {
        loop {
            let told = match self.dump {
                Some(_) => self.read_dump().await?,
                None if self.is_stale => {
                    self.is_stale = false;
                    let parts = PARTS.into();
                    self.dump = Some(Dump { parts, attempts: 0 });
                    self.ask()?;
                    vec![RouteNews::Route(RouteEvent::DumpBegins)]
                }
                None => self.read_changes().await?,
            };
            if !told.is_empty() {
                return Ok(told);
            }
        }
    }

    async fn read_changes(&mut self) -> io::Result<Vec<RouteNews>> {
        let mut guard = self.changes.readable().await?;
        let buffer = &mut self.buffer;
        let read = guard.try_io(|fd| Ok(recv(fd.as_raw_fd(), buffer, MsgFlags::empty())?));
        read.map_or_else(|_would_block| Ok(Vec::new()), |read| self.changed(read))
    }

    /// What a read of the notifications' socket tells.
    fn changed(&mut self, read: io::Result<usize>) -> io::Result<Vec<RouteNews>> {
        let len = match read {
            Ok(len) => len,
            Err(e) if e.raw_os_error() == Some(libc::ENOBUFS) => {
                self.is_stale = true;
                return Ok(Vec::new());
            }
            Err(e) => return Err(e),
        };
        let mut told = Vec::new();
        for message in messages(&self.buffer[..len]) {
            match message {
                Some(message) => told.extend(news(&message, false)),
                None => self.is_stale = true,
            }
        }
        for news in &told {
            if let RouteNews::Route(RouteEvent::Link { ifindex, is_up }) = *news {
                let was_up = self.links.insert(ifindex, is_up);
                // Routes go when the carrier does and again when the link is taken down.
                self.is_stale |= !is_up || was_up == Some(false);
            }
        }
        Ok(told)
    }

    /// The next piece of the dump, and what was seen to change before the kernel made the one after it.
    ///
    /// When a piece is read, the kernel makes the next: that one is older than changes that are seen after. So changes
    /// are read before a piece and told behind it.
    async fn read_dump(&mut self) -> io::Result<Vec<RouteNews>> {
        for _ in 0..DATAGRAMS_HELD_MAX {
            let read = recv(self.changes.as_raw_fd(), &mut self.buffer, MsgFlags::MSG_DONTWAIT);
            if read == Err(nix::Error::EAGAIN) {
                break;
            }
            let told = self.changed(read.map_err(io::Error::from))?;
            self.held.extend(told);
        }
        let mut told = Vec::new();
        let progress = self.dumper.read(|message| told.extend(news(message, true))).await?;
        for news in &told {
            if let RouteNews::Route(RouteEvent::Link { ifindex, is_up }) = *news {
                self.links.insert(ifindex, is_up);
            }
        }
        told.append(&mut self.held);
        if progress != Progress::More && self.end_part(progress == Progress::Done)? {
            told.push(RouteNews::Route(RouteEvent::DumpEnds));
        }
        Ok(told)
    }

    /// Asks for the next part, or for the same again if it changed while it was read; true: there is none.
    fn end_part(&mut self, is_whole: bool) -> io::Result<bool> {
        let Some(dump) = self.dump.as_mut() else { return Ok(false) };
        if is_whole {
            dump.parts.pop_front();
            dump.attempts = 0;
        } else if dump.attempts == DUMP_ATTEMPTS {
            return Err(io::Error::other("the table changes too fast to be read"));
        }
        if dump.parts.is_empty() {
            self.dump = None;
            return Ok(true);
        }
        self.ask()?;
        Ok(false)
    }

    fn ask(&mut self) -> io::Result<()> {
        let Some(dump) = self.dump.as_mut() else { return Ok(()) };
        let Some(part) = dump.parts.front() else { return Ok(()) };
        dump.attempts += 1;
        match part {
            Part::Links => self.dumper.ask(libc::RTM_GETLINK, &[0; 16]),
            Part::NextHops => self.dumper.ask(RTM_GETNEXTHOP, &[0; 8]),
            Part::Routes4 => self.dumper.ask(libc::RTM_GETROUTE, &main_routes(libc::AF_INET)),
            Part::Routes6 => self.dumper.ask(libc::RTM_GETROUTE, &main_routes(libc::AF_INET6)),
            Part::Local6 => self.dumper.ask(libc::RTM_GETROUTE, &local_routes(libc::AF_INET6)),
            Part::Neighbours => self.dumper.ask(libc::RTM_GETNEIGH, &[0; 12]),
        }
    }
}
