//! A connection to the kernel over rtnetlink.

use std::{io, path::Path};

use futures::StreamExt;
use net_types::{IfName, Mac};
use rtnetlink::{
    Handle, new_connection,
    packet_core::{NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload},
    packet_route::{
        RouteNetlinkMessage,
        link::{LinkAttribute, LinkMessage},
    },
    sys::AsyncSocket,
};
use tokio::{sync::Mutex, task::JoinHandle};

use crate::{NetNs, dump::Dumper, links};

/// A connection to the kernel of the network namespace that it was made in.
#[derive(Debug)]
pub struct Netlink {
    handle: Handle,
    driver: JoinHandle<()>,
    /// For tables that are too large to be in memory.
    pub(crate) dumper: Mutex<Dumper>,
    /// For what is not made over netlink.
    pub(crate) namespace: NetNs,
}

#[derive(Debug, thiserror::Error)]
#[error("{doing}: {source}{}", detail.as_ref().map(|text| format!(": {text}")).unwrap_or_default())]
pub struct Error {
    /// What was asked of the kernel.
    pub doing: String,
    pub source: io::Error,
    /// What the kernel added to the error's number, such as "Nexthop has invalid gateway".
    pub detail: Option<String>,
}

/// An interface as it is at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    pub name: IfName,
    pub index: u32,
    pub mac: Option<Mac>,
    pub mtu: u32,
    pub up: bool,
}

/// How often a dump is read again that changed while it was read.
pub(crate) const DUMP_ATTEMPTS: usize = 8;

impl Error {
    pub(crate) fn new(doing: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self { doing: doing.into(), source: source.into(), detail: None }
    }

    pub(crate) fn is(&self, errno: i32) -> bool {
        self.source.raw_os_error() == Some(errno)
    }
}

impl Netlink {
    /// Connects, within a tokio runtime, to the kernel of the calling thread's network namespace.
    pub fn connect() -> Result<Self, Error> {
        let (mut connection, handle, _) =
            new_connection().map_err(|e| Error::new("open a netlink socket", e))?;
        let socket = connection.socket_mut().socket_mut();
        // With both, an error carries the kernel's own words right after the header of the request.
        socket
            .set_ext_ack(true)
            .and_then(|()| socket.set_cap_ack(true))
            .map_err(|e| Error::new("set up a netlink socket", e))?;
        let dumper = Dumper::open().map_err(|e| Error::new("open a netlink socket", e))?;
        let namespace = NetNs::open(Path::new("/proc/thread-self/ns/net"));
        let namespace = namespace.map_err(|e| Error::new("open the network namespace", e))?;
        let driver = tokio::spawn(connection);
        Ok(Self { handle, driver, dumper: Mutex::new(dumper), namespace })
    }

    /// The interface of that name, if there is one.
    pub async fn interface(&self, name: &IfName) -> Result<Option<Interface>, Error> {
        let link = self.link(name).await?;
        Ok(link.as_ref().and_then(links::link).map(|found| Interface {
            name: found.name,
            index: found.index,
            mac: found.mac,
            mtu: found.mtu,
            up: found.up,
        }))
    }

    pub(crate) async fn link(&self, name: &IfName) -> Result<Option<LinkMessage>, Error> {
        let mut message = LinkMessage::default();
        message.attributes.push(LinkAttribute::IfName(name.to_string()));
        match self.get(&format!("look up {name}"), RouteNetlinkMessage::GetLink(message)).await {
            Ok(Some(RouteNetlinkMessage::NewLink(link))) => Ok(Some(link)),
            Ok(_) => Ok(None),
            Err(e) if e.is(libc::ENODEV) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Asks for one object.
    pub(crate) async fn get(
        &self,
        doing: &str,
        message: RouteNetlinkMessage,
    ) -> Result<Option<RouteNetlinkMessage>, Error> {
        let (replies, _) = self.request(doing, message, NLM_F_REQUEST).await?;
        Ok(replies.into_iter().next())
    }

    /// Asks for a change and waits until it is made.
    pub(crate) async fn change(
        &self,
        doing: &str,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<(), Error> {
        self.request(doing, message, NLM_F_REQUEST | NLM_F_ACK | flags).await?;
        Ok(())
    }

    /// Reads a whole table, again if it changed meanwhile.
    pub(crate) async fn dump(
        &self,
        doing: &str,
        message: RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>, Error> {
        for _ in 0..DUMP_ATTEMPTS {
            let (replies, interrupted) =
                self.request(doing, message.clone(), NLM_F_REQUEST | NLM_F_DUMP).await?;
            if !interrupted {
                return Ok(replies);
            }
        }
        Err(Error::new(doing, io::Error::other("the table changes too fast to be read")))
    }

    async fn request(
        &self,
        doing: &str,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<(Vec<RouteNetlinkMessage>, bool), Error> {
        let mut request = NetlinkMessage::from(message);
        request.header.flags = flags;
        let closed = || Error::new(doing, io::Error::from(io::ErrorKind::NotConnected));
        let mut stream = self.handle.clone().request(request).map_err(|_| closed())?;
        let (mut replies, mut interrupted) = (Vec::new(), false);
        while let Some(reply) = stream.next().await {
            interrupted |= reply.header.flags & NLM_F_DUMP_INTR != 0;
            match reply.payload {
                NetlinkPayload::InnerMessage(inner) => replies.push(inner),
                NetlinkPayload::Error(error) if error.code.is_some() => {
                    return Err(Error {
                        doing: doing.into(),
                        source: error.to_io(),
                        detail: kernel_words(&error.header),
                    });
                }
                _ => {}
            }
        }
        if self.driver.is_finished() {
            return Err(closed());
        }
        Ok((replies, interrupted))
    }
}

impl Drop for Netlink {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The text in an error's extended acknowledgement: attributes after the 16 bytes of the request's header
/// (`NLMSGERR_ATTR_MSG`, include/uapi/linux/netlink.h).
fn kernel_words(payload: &[u8]) -> Option<String> {
    const HEADER_LEN: usize = 16;
    const ATTRIBUTE_MESSAGE: u16 = 1;
    let mut rest = payload.get(HEADER_LEN..)?;
    while let Some((head, tail)) = rest.split_at_checked(4) {
        let len = usize::from(u16::from_ne_bytes([head[0], head[1]])).checked_sub(4)?;
        let kind = u16::from_ne_bytes([head[2], head[3]]);
        let value = tail.get(..len)?;
        if kind == ATTRIBUTE_MESSAGE {
            let text = value.split(|&b| b == 0).next()?;
            return String::from_utf8(text.to_vec()).ok();
        }
        rest = tail.get(len.next_multiple_of(4)..)?;
    }
    None
}
