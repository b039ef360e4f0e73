//! Packets for user space.

use std::{
    os::fd::{AsFd, AsRawFd, RawFd},
    path::Path,
    str::FromStr,
};

use aya::maps::{MapData, RingBuf};
use map_abi::{PortLink, PuntReason, PuntRecord, map};
use net_types::IfName;
use zerocopy::FromBytes;

use crate::{
    error::OpenError,
    mapped::{Access, Mapped, get_words},
    tables::{pinned, text},
};

/// A non-blocking source of punted packets: wait for its descriptor to become readable, then call `next` until `None`.
pub struct Punts {
    ring: RingBuf<MapData>,
    port_links: Mapped<PortLink>,
}

/// A packet for user space.
#[derive(Clone, Debug)]
pub struct Punt {
    pub reason: PuntReason,
    /// The port it came in by; `None`: a port unknown by now.
    pub port: Option<IfName>,
    /// The session's index; 0: none.
    pub session: u32,
    /// The frame as it was on the wire, tags included, cut off after 1536 bytes.
    pub frame: Vec<u8>,
}

impl Punts {
    pub(crate) fn new(ring: RingBuf<MapData>, pin_dir: &Path) -> Result<Self, OpenError> {
        Ok(Self { ring, port_links: pinned(pin_dir, map::PORT_LINKS, Access::Read)? })
    }

    #[expect(clippy::should_implement_trait, reason = "not an iterator: `None` means none yet")]
    pub fn next(&mut self) -> Option<Punt> {
        loop {
            let item = self.ring.next()?;
            // Records are the programs' own; one that is not as they write it is passed over.
            let Ok((record, _)) = PuntRecord::read_from_prefix(&item) else { continue };
            let Some(reason) = PuntReason::from_bits(record.reason) else { continue };
            let frame = record.frame.get(..record.len as usize).unwrap_or_default().to_vec();
            let port = (record.port < self.port_links.len()).then(|| {
                let name: [u64; 2] = get_words!(self.port_links.at(record.port), name);
                IfName::from_str(&text(&name)).ok()
            });
            return Some(Punt { reason, port: port.flatten(), session: record.session, frame });
        }
    }
}

impl AsRawFd for Punts {
    fn as_raw_fd(&self) -> RawFd {
        self.ring.as_fd().as_raw_fd()
    }
}
