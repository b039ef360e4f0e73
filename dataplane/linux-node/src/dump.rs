//! Tables of the kernel, read piece by piece, so that none is in memory as a whole.

use std::{io, os::fd::AsRawFd};

use nix::sys::socket::{MsgFlags, recv};
use rtnetlink::{
    packet_core::{NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST},
    packet_route::route::RouteHeader,
    sys::{Socket, protocols::NETLINK_ROUTE},
};
use tokio::io::unix::AsyncFd;

use crate::changes::DATAGRAM_MAX;

/// `struct nlmsghdr`.
const HEADER_LEN: usize = 16;

/// One message of the kernel's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    pub(crate) kind: u16,
    pub(crate) flags: u16,
    sequence: u32,
    /// Header and all.
    pub(crate) bytes: &'a [u8],
    pub(crate) payload: &'a [u8],
}

/// The messages of a datagram; `None` in place of one that is cut short.
pub(crate) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Option<Message<'_>>> {
    std::iter::from_fn(move || {
        if datagram.is_empty() {
            return None;
        }
        let len = u32_at(datagram, 0).map_or(0, |len| len as usize);
        let message = datagram.get(..len).filter(|_| len >= HEADER_LEN).and_then(|bytes| {
            Some(Message {
                kind: u16_at(bytes, 4)?,
                flags: u16_at(bytes, 6)?,
                sequence: u32_at(bytes, 8)?,
                bytes,
                payload: &bytes[HEADER_LEN..],
            })
        });
        datagram = match message {
            Some(_) => datagram.get(len.next_multiple_of(4)..).unwrap_or_default(),
            None => &[],
        };
        Some(message)
    })
}

pub(crate) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|value| u16::from_ne_bytes(*value))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|value| u32::from_ne_bytes(*value))
}

/// Families are bytes in messages.
pub(crate) fn family(number: libc::c_int) -> u8 {
    u8::try_from(number).expect("families of addresses are small numbers")
}

/// A socket that one table after the other is read from.
#[derive(Debug)]
pub(crate) struct Dumper {
    socket: AsyncFd<Socket>,
    buffer: Vec<u8>,
    sequence: u32,
    is_interrupted: bool,
}

/// How far a table is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    More,
    Done,
    /// It changed while it was read, and may be told of with gaps.
    Interrupted,
}

impl Dumper {
    pub(crate) fn open() -> io::Result<Self> {
        let socket = Socket::new(NETLINK_ROUTE)?;
        socket.set_non_blocking(true)?;
        // Without it the kernel dumps every table, and cached routes too.
        socket.set_netlink_get_strict_chk(true)?;
        // SAFETY: a Socket owns its descriptor, and names the same one for as long as it lives.
        let socket = unsafe { AsyncFd::register(socket) }?;
        Ok(Self { socket, buffer: vec![0; DATAGRAM_MAX], sequence: 0, is_interrupted: false })
    }

    /// Asks for a table: a kind of message and what follows its header.
    pub(crate) fn ask(&mut self, kind: u16, payload: &[u8]) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        self.is_interrupted = false;
        let len = u32::try_from(HEADER_LEN + payload.len()).expect("a few bytes");
        let mut request = len.to_ne_bytes().to_vec();
        request.extend(kind.to_ne_bytes());
        request.extend((NLM_F_REQUEST | NLM_F_DUMP).to_ne_bytes());
        request.extend(self.sequence.to_ne_bytes());
        request.extend(0_u32.to_ne_bytes());
        request.extend(payload);
        self.socket.get_ref().send(&request, 0)?;
        Ok(())
    }

    /// Reads a piece. Cancel safe.
    pub(crate) async fn read(&mut self, mut each: impl FnMut(&Message<'_>)) -> io::Result<Progress> {
        let len = loop {
            let mut guard = self.socket.readable().await?;
            let buffer = &mut self.buffer;
            if let Ok(read) = guard.try_io(|fd| Ok(recv(fd.as_raw_fd(), buffer, MsgFlags::empty())?)) {
                break read?;
            }
        };
        for message in messages(&self.buffer[..len]) {
            let message = message.ok_or_else(|| io::Error::other("the kernel's answer is cut short"))?;
            if message.sequence != self.sequence {
                // What is left of a dump that was given up.
                continue;
            }
            self.is_interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
            if ends(&message)? {
                let is_whole = !self.is_interrupted;
                return Ok(if is_whole { Progress::Done } else { Progress::Interrupted });
            }
            each(&message);
        }
        Ok(Progress::More)
    }
}

/// `struct rtmsg` of a request for the main table's routes.
pub(crate) fn main_routes(number: libc::c_int) -> [u8; 12] {
    routes_of(number, RouteHeader::RT_TABLE_MAIN)
}

/// The same for the node's own addresses.
pub(crate) fn local_routes(number: libc::c_int) -> [u8; 12] {
    routes_of(number, libc::RT_TABLE_LOCAL)
}

fn routes_of(number: libc::c_int, table: u8) -> [u8; 12] {
    [family(number), 0, 0, 0, table, 0, 0, 0, 0, 0, 0, 0]
}

/// Whether this message ends a dump, which it may do with an error.
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
