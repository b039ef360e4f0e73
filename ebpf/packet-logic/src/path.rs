//! Which way a flow goes, where there are several.

use map_abi::GROUP_SLOTS;

use crate::{
    Frame,
    parse::{Ipv4, TCP, UDP},
    parse6::Ipv6,
};

/// The slot of a group of next hops that a packet belongs to, by its addresses as they are before translation, its
/// protocol, and its ports. Fragments have no ports but the first, so that none of a packet that comes in pieces count.
#[inline(always)]
pub(crate) fn slot(frame: Frame<'_>, ip: &Ipv4<'_>) -> usize {
    let mut ports = 0;
    if (ip.protocol == TCP || ip.protocol == UDP)
        && ip.is_whole()
        && let Some(transport) = frame.window::<4>(ip.payload_at)
    {
        ports = transport.raw32::<0>();
    }
    let addresses = u64::from(ip.source) << 32 | u64::from(ip.destination);
    (mix(mix(addresses) ^ (u64::from(ports) << 8 | u64::from(ip.protocol))) >> SHIFT) as usize % GROUP_SLOTS
}

/// The same for IPv6.
#[inline(always)]
pub(crate) fn slot6(frame: Frame<'_>, ip: &Ipv6<'_>) -> usize {
    let mut ports = 0;
    if ip.is_whole()
        && let Ok((source, destination)) = ip.ports(frame)
    {
        ports = u64::from(source) << 16 | u64::from(destination);
    }
    let [source, destination] = [ip.source(), ip.destination()];
    let mut mixed = u64::from(ip.protocol) | ports << 8;
    for word in [source[0], source[1], destination[0], destination[1]] {
        mixed = mix(mixed ^ word);
    }
    (mixed >> SHIFT) as usize % GROUP_SLOTS
}

/// The upper bits are as many as there are slots.
const SHIFT: u32 = u64::BITS - GROUP_SLOTS.ilog2();

/// A step of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014): each bit of what
/// goes in changes half of those that come out, the upper ones too.
#[inline(always)]
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb)
}
