//! The forwarding table of IPv6.

use map_abi::{DropReason, FIB6_LEVELS, FibTarget};

use crate::{Tables, live::field};

/// What an address (as its two halves lie in the packet) leads to.
#[inline(always)]
pub(crate) fn lookup<T: Tables>(tables: &T, address: [u64; 2]) -> Result<FibTarget, DropReason> {
    let [upper, lower] = address.map(u64::from_be);
    let line = tables.fib6_line((upper >> 52) as u32).ok_or(DropReason::Inconsistent)?;
    let mut target: FibTarget = field!(line, entries[(upper >> 48 & 15) as usize]).get();
    let mut bits = upper << 16;
    for level in 0..FIB6_LEVELS {
        if target.kind() != FibTarget::KIND_PAGE {
            return Ok(target);
        }
        if level == 6 {
            bits = lower;
        }
        let page = tables.fib6_page(target.index()).ok_or(DropReason::Inconsistent)?;
        target = field!(page, entries[(bits >> 56) as usize]).get();
        bits <<= 8;
    }
    Ok(target)
}
