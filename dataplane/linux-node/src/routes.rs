//! The kernel's routes, nexthop objects and neighbours: all that there are, and then what becomes of them.

mod message;

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::IpAddr,
    os::fd::{AsRawFd, OwnedFd},
};

use net_types::Mac;
use nix::sys::socket::{MsgFlags, recv};
use node_plan::forwarding::RouteEvent;
use rtnetlink::{
    MulticastGroup,
    packet_core::{NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST},
    packet_route::route::RouteHeader,
    sys::{Socket, protocols::NETLINK_ROUTE},
};
use tokio::io::unix::AsyncFd;

use self::message::{Message, RTM_GETNEXTHOP, family, messages, news, u32_at};
use crate::{
    Error, Netlink,
    changes::{DATAGRAM_MAX, subscribe},
    netlink::DUMP_ATTEMPTS,
};

/// One thing that [`RouteFeed`] tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteNews {
    /// Of routes of the main table, of either family; for `node_plan::forwarding::RouteTable`.
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
    dumps: AsyncFd<Socket>,
    buffer: Vec<u8>,
    dump: Option<Dump>,
    /// Something may have gone unseen since the last dump began.
    is_stale: bool,
    /// What changed and is told after the next piece of the dump, which may be older.
    held: Vec<RouteNews>,
    /// Whether each link was up when it was last told of.
    links: BTreeMap<u32, bool>,
    sequence: u32,
}

/// A dump that is being read.
#[derive(Debug)]
struct Dump {
    /// What is still to be asked for; the first has been.
    parts: VecDeque<Part>,
    /// How often the first was asked for.
    attempts: usize,
    is_interrupted: bool,
}

/// What is asked for at once: links first, so that it is known which are down, and objects before routes by them.
#[derive(Clone, Copy, Debug)]
enum Part {
    Links,
    NextHops,
    Routes4,
    Routes6,
    Neighbours,
}

const PARTS: [Part; 5] = [Part::Links, Part::NextHops, Part::Routes4, Part::Routes6, Part::Neighbours];

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
        let dumps = Socket::new(NETLINK_ROUTE)?;
        dumps.set_non_blocking(true)?;
        // Without it the kernel dumps every table, and cached routes too.
        dumps.set_netlink_get_strict_chk(true)?;
        Ok(Self {
            changes,
            // SAFETY: a Socket owns its descriptor, and names the same one for as long as it lives.
            dumps: unsafe { AsyncFd::register(dumps) }?,
            buffer: vec![0; DATAGRAM_MAX],
            dump: None,
            is_stale: true,
            held: Vec::new(),
            links: BTreeMap::new(),
            sequence: 0,
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
                    self.dump = Some(Dump { parts, attempts: 0, is_interrupted: false });
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
        let mut guard = self.dumps.readable().await?;
        let buffer = &mut self.buffer;
        let read = guard.try_io(|fd| Ok(recv(fd.as_raw_fd(), buffer, MsgFlags::empty())?));
        let Ok(len) = read else { return Ok(Vec::new()) };
        let mut told = Vec::new();
        let mut is_part_done = false;
        for message in messages(&self.buffer[..len?]) {
            let message = message.ok_or_else(|| io::Error::other("the kernel's answer is cut short"))?;
            // What is left of a dump that was given up.
            let Some(dump) = self.dump.as_mut().filter(|_| message.sequence == self.sequence) else {
                continue;
            };
            dump.is_interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
            if ends(&message)? {
                is_part_done = true;
                break;
            }
            told.extend(news(&message, true));
        }
        for news in &told {
            if let RouteNews::Route(RouteEvent::Link { ifindex, is_up }) = *news {
                self.links.insert(ifindex, is_up);
            }
        }
        told.append(&mut self.held);
        if is_part_done && self.end_part()? {
            told.push(RouteNews::Route(RouteEvent::DumpEnds));
        }
        Ok(told)
    }

    /// Asks for the next part, or for the same again if it changed while it was read; true: there is none.
    fn end_part(&mut self) -> io::Result<bool> {
        let Some(dump) = self.dump.as_mut() else { return Ok(false) };
        if !std::mem::take(&mut dump.is_interrupted) {
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
        self.sequence = self.sequence.wrapping_add(1);
        let request = part.request(self.sequence);
        self.dumps.get_ref().send(&request, 0)?;
        Ok(())
    }
}

impl Part {
    fn request(self, sequence: u32) -> Vec<u8> {
        // `struct rtmsg`
        let main = RouteHeader::RT_TABLE_MAIN;
        let routes = |number: libc::c_int| vec![family(number), 0, 0, 0, main, 0, 0, 0, 0, 0, 0, 0];
        let (kind, payload) = match self {
            Self::Links => (libc::RTM_GETLINK, vec![0; 16]),
            Self::NextHops => (RTM_GETNEXTHOP, vec![0; 8]),
            Self::Routes4 => (libc::RTM_GETROUTE, routes(libc::AF_INET)),
            Self::Routes6 => (libc::RTM_GETROUTE, routes(libc::AF_INET6)),
            Self::Neighbours => (libc::RTM_GETNEIGH, vec![0; 12]),
        };
        let len = u32::try_from(16 + payload.len()).expect("a few bytes");
        let mut request = len.to_ne_bytes().to_vec();
        request.extend(kind.to_ne_bytes());
        request.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
        request.extend(sequence.to_ne_bytes());
        request.extend(0_u32.to_ne_bytes());
        request.extend(payload);
        request
    }
}

/// Whether this message ends a part of a dump, which it may do with an error.
fn ends(message: &Message<'_>) -> io::Result<bool> {
    let kind = i32::from(message.kind);
    if kind != libc::NLMSG_DONE && kind != libc::NLMSG_ERROR {
        return Ok(false);
    }
    let error = u32_at(message.payload, 0).map_or(0, u32::cast_signed);
    match -error {
        // No table before its first route, and none of a protocol that the kernel was built without.
        0 | libc::ENOENT | libc::EOPNOTSUPP | libc::EAFNOSUPPORT => Ok(true),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
