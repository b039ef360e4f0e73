//! What user space is told of NAT mappings, if it wants to know. Of first packets only, so that others pay nothing.

use map_abi::{EventKind, EventRecord, NatFlow, events};

use crate::{
    Tables,
    access::Arrival,
    buckets::{Claimed, Kind, Replaced},
    devices,
    frame::opaque_number,
    home::Home,
    live::field,
    nat::{Mapping, Remote},
};

/// Tells of a mapping that was made for `key` in a port block, and before that of the one whose place it took.
#[inline(always)]
pub(crate) fn mapping<T: Tables>(
    tables: &T,
    arrival: &Arrival,
    block: Home,
    key: u64,
    remote: Remote,
    claimed: Claimed,
) {
    let Some(settings) = tables.settings() else { return };
    if field!(settings, events).get() & events::MAPPINGS == 0 {
        return;
    }
    let up = block.up();
    #[expect(clippy::cast_possible_truncation, reason = "a port block ends at port 65535 at the latest")]
    let external_port = field!(up, first_port).get().wrapping_add(claimed.offset as u16);
    let first = field!(arrival.home.up(), network).raw();
    let place = Place { first, external: field!(up, external).raw(), external_port };
    let session = arrival.home.session_index();
    let replaced: Replaced = claimed.replaced;
    let ended = Mapping::key(replaced.first);
    if ended != 0 {
        tables.tell(&EventRecord {
            time_ns: replaced.ended_ns::<Mapping>(arrival.now_ns),
            kind: EventKind::MappingEnded as u32,
            session,
            payload: place.payload(ended, Remote::of(replaced)),
        });
    }
    tables.tell(&EventRecord {
        time_ns: arrival.now_ns,
        kind: EventKind::MappingMade as u32,
        session,
        payload: place.payload(key, remote),
    });
}

/// Tells that there is no place for one more mapping, unless that is known.
#[inline(always)]
pub(crate) fn exhausted<T: Tables>(tables: &T, arrival: &Arrival) {
    let told = field!(arrival.home.six(), told_full);
    if told.get() != 0 {
        return;
    }
    let is_told = tables.tell(&EventRecord {
        time_ns: arrival.now_ns,
        kind: EventKind::PortsExhausted as u32,
        session: arrival.home.session_index(),
        payload: [zero(); 6],
    });
    if is_told {
        told.set(1);
    }
}

/// What the mappings that follow one another in a place have in common: addresses as they lie in a packet.
#[derive(Clone, Copy)]
struct Place {
    /// The inside address, of several the first.
    first: u32,
    external: u32,
    external_port: u16,
}

impl Place {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "parts of the key")]
    fn payload(self, key: u64, remote: Remote) -> [u64; 6] {
        NatFlow {
            inside: devices::address(self.first, map_abi::mapping_device(key as u32)).to_ne_bytes(),
            external: self.external.to_ne_bytes(),
            remote: remote.address.to_ne_bytes(),
            inside_port: (key as u16).to_be_bytes(),
            external_port: self.external_port.to_be_bytes(),
            remote_port: remote.port.to_ne_bytes(),
            protocol: (key >> 16) as u8,
            spare: [0; 5],
        }
        .payload(zero())
    }
}

/// Nothing, of which the compiler does not know that: it would call a function to clear what is in a row, and the frames of
/// both would be more than Linux 6.1 lets a program have of the stack.
#[inline(always)]
fn zero() -> u64 {
    u64::from(opaque_number(0))
}
