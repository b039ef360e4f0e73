//! Further port blocks of a subscriber whose own is full: records like homes, in a list that begins in the home.
//!
//! A flow stays in the block that it began in. What is in the own block never comes here; of the others, `open` finds that
//! they are in a further block, and leads each of their packets on to a program of its own.

use map_abi::{DropReason, HomeRef, OVERFLOW_BLOCKS_MAX, flags};

use crate::{
    Frame, Tables,
    access::Arrival,
    buckets::Buckets,
    devices,
    frame::opaque_number,
    home::Home,
    icmp::Quote,
    live::field,
    nat::{self, Mapping},
    parse::{Ipv4, Transport},
};

/// Whether a home has further blocks.
#[inline(always)]
pub(crate) fn is_any(home: Home) -> bool {
    let first: HomeRef = field!(home.six(), overflow).get();
    !first.is_none()
}

/// Whether a record is a further block.
#[inline(always)]
pub(crate) fn is_block(record: Home) -> bool {
    field!(record.down(), flags).get() & flags::OVERFLOW != 0
}

/// The first unit of the home that a further block is of.
#[inline(always)]
pub(crate) fn home_of(block: Home) -> u32 {
    let home: HomeRef = field!(block.six(), home).get();
    home.unit()
}

/// One of the further blocks.
#[derive(Clone, Copy)]
struct Block {
    record: Home,
    order: u32,
}

impl Block {
    #[inline(always)]
    fn find<T: Tables>(tables: &T, at: HomeRef) -> Option<Self> {
        if at.is_none() {
            return None;
        }
        Some(Self { record: Home::find(tables, at.unit())?, order: at.order() })
    }

    #[inline(always)]
    fn mappings(self, now_ns: u64) -> Buckets<Mapping> {
        nat::mappings(self.record, self.order, now_ns)
    }

    #[inline(always)]
    fn next(self) -> HomeRef {
        field!(self.record.six(), overflow).get()
    }
}

/// The further block that has a mapping for the key; none: `HomeRef::NONE`. Which one it is the verifier does not know: else
/// it would follow each to the end of the program.
#[inline(always)]
fn holding<T: Tables>(tables: &T, home: Home, key: u64, now_ns: u64) -> HomeRef {
    let mut at: HomeRef = field!(home.six(), overflow).get();
    let mut found = 0;
    for _ in 0..OVERFLOW_BLOCKS_MAX {
        let Some(block) = Block::find(tables, at) else { break };
        if block.mappings(now_ns).existing(key, nat::hash(key)).is_some() {
            found = at.to_bits();
            break;
        }
        at = block.next();
    }
    HomeRef::from_bits(opaque_number(found))
}

/// Whether a flow is in a further block.
#[inline(always)]
pub(crate) fn holds<T: Tables>(tables: &T, arrival: &Arrival, key: u64) -> bool {
    !holding(tables, arrival.home, key, arrival.now_ns).is_none()
}

/// The first of a subscriber's blocks that has a place for one more mapping, its own first. Which one it is the verifier
/// does not know, as in `holding`; and it is the same code that makes the mapping, whichever it is.
#[inline(always)]
pub(crate) fn with_room<T: Tables>(tables: &T, arrival: &Arrival, key: u64) -> Option<Room> {
    const NOWHERE: u32 = u32::MAX;
    let (hash, now_ns) = (nat::hash(key), arrival.now_ns);
    let own = nat::mappings(arrival.home, arrival.order, now_ns);
    let mut found = if own.has_room(key, hash) { 0 } else { NOWHERE };
    if found == NOWHERE && arrival.has(flags::ACTIVE) {
        let mut at: HomeRef = field!(arrival.home.six(), overflow).get();
        for _ in 0..OVERFLOW_BLOCKS_MAX {
            let Some(block) = Block::find(tables, at) else { break };
            if block.mappings(now_ns).has_room(key, hash) {
                found = at.to_bits();
                break;
            }
            at = block.next();
        }
    }
    let found = opaque_number(found);
    if found == NOWHERE {
        return None;
    }
    let further = Block::find(tables, HomeRef::from_bits(found));
    let own = Block { record: arrival.home, order: arrival.order };
    let block = further.unwrap_or(own);
    Some(Room { block: block.record, order: block.order, is_own: found == 0 })
}

/// A block that has a place.
#[derive(Clone, Copy)]
pub(crate) struct Room {
    pub(crate) block: Home,
    pub(crate) order: u32,
    pub(crate) is_own: bool,
}

/// The arrival, with the further block that the packet's mapping is in; if that is gone, as it was.
#[inline(always)]
pub(crate) fn settle<T: Tables>(frame: Frame<'_>, tables: &T, arrival: Arrival) -> Arrival {
    let Ok(key) = key_of(frame, &arrival) else { return arrival };
    match Block::find(tables, holding(tables, arrival.home, key, arrival.now_ns)) {
        Some(Block { record, order }) => Arrival { block: record, order, ..arrival },
        None => arrival,
    }
}

/// The key of the mapping that a packet is of.
#[inline(always)]
fn key_of(frame: Frame<'_>, arrival: &Arrival) -> Result<u64, DropReason> {
    let ip = Ipv4::known(frame, arrival.packet_at()).ok_or(DropReason::Truncated)?;
    let key = match ip.transport(frame)? {
        Transport::Tcp(tcp) => nat::key(ip.protocol, tcp.be16::<0>()),
        Transport::Udp(udp) => nat::key(ip.protocol, udp.be16::<0>()),
        Transport::Echo(icmp) => nat::key(ip.protocol, icmp.be16::<4>()),
        Transport::IcmpError => quoted_key(frame, &ip)?,
        _ => return Err(DropReason::NatProtocol),
    };
    Ok(nat::of_device(key, devices::number(arrival.home, ip.source)))
}

/// The key of the mapping of the packet that an error from the subscriber is about, but for the device.
#[inline(always)]
pub(crate) fn quoted_key(frame: Frame<'_>, ip: &Ipv4<'_>) -> Result<u64, DropReason> {
    let quote = Quote::parse(frame, ip.payload_at, ip.payload_len)?;
    if quote.destination != ip.source {
        return Err(DropReason::IcmpErrorUnknown);
    }
    Ok(nat::key(quote.protocol, quote.destination_port))
}
