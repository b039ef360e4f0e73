//! What the kernel tells of by itself.

use std::{
    net::SocketAddrV4,
    os::fd::{AsFd, AsRawFd, RawFd},
    time::Duration,
};

use aya::maps::{MapData, RingBuf};
use map_abi::{EventKind, EventRecord, NatFlow};
use zerocopy::FromBytes;

use crate::sys;

/// A non-blocking source of events, used as [`Punts`](crate::Punts) is. What comes while nobody reads waits in the ring
/// until that is full; from then on it is counted ([`Losses`](crate::Losses)).
pub struct Events {
    ring: RingBuf<MapData>,
}

/// Something that the kernel tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelEvent {
    Mapping(MappingEvent),
    /// A session's flow found no port in any block of it. Told once, until the agent has dealt with it
    /// ([`Fastpath::extend_nat`](crate::Fastpath::extend_nat)); the session may be another's by now.
    PortsExhausted {
        session: u32,
    },
}

/// A NAT mapping that was made, or that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MappingEvent {
    pub is_made: bool,
    /// How long ago that was.
    pub age: Duration,
    /// The session's index; by now it may be another's.
    pub session: u32,
    /// IP protocol number. For ICMP, ports are identifiers, and `remote` has none.
    pub protocol: u8,
    pub inside: SocketAddrV4,
    pub external: SocketAddrV4,
    /// What the mapping was made for; it serves all others too (endpoint-independent: RFC 4787, REQ-1).
    pub remote: SocketAddrV4,
}

impl Events {
    pub(crate) fn new(ring: RingBuf<MapData>) -> Self {
        Self { ring }
    }

    #[expect(clippy::should_implement_trait, reason = "not an iterator: `None` means none yet")]
    pub fn next(&mut self) -> Option<KernelEvent> {
        loop {
            let item = self.ring.next()?;
            // Records are the programs' own; one that is not as they write it is passed over.
            let Ok((record, _)) = EventRecord::read_from_prefix(&item) else { continue };
            let Some(kind) = EventKind::from_bits(record.kind) else { continue };
            if kind == EventKind::PortsExhausted {
                return Some(KernelEvent::PortsExhausted { session: record.session });
            }
            let flow = NatFlow::of_payload(record.payload);
            let end = |address: [u8; 4], port| SocketAddrV4::new(address.into(), u16::from_be_bytes(port));
            return Some(KernelEvent::Mapping(MappingEvent {
                is_made: kind == EventKind::MappingMade,
                age: Duration::from_nanos(sys::monotonic_ns().saturating_sub(record.time_ns)),
                session: record.session,
                protocol: flow.protocol,
                inside: end(flow.inside, flow.inside_port),
                external: end(flow.external, flow.external_port),
                remote: end(flow.remote, flow.remote_port),
            }));
        }
    }
}

impl AsRawFd for Events {
    fn as_raw_fd(&self) -> RawFd {
        self.ring.as_fd().as_raw_fd()
    }
}
