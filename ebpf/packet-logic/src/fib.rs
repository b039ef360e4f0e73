//! The forwarding table.

use map_abi::{DropReason, FibTarget};

use crate::{Tables, live::field};

/// What an address (as it lies in the packet) leads to.
#[inline(always)]
pub(crate) fn lookup<T: Tables>(tables: &T, address: u32) -> Result<FibTarget, DropReason> {
    let address = u32::from_be(address);
    let line = tables.fib_line(address >> 12).ok_or(DropReason::Inconsistent)?;
    let target = field!(line, entries[(address >> 8 & 15) as usize]).get();
    if target.kind() != FibTarget::KIND_PAGE {
        return Ok(target);
    }
    let page = tables.fib_page(target.index()).ok_or(DropReason::Inconsistent)?;
    Ok(field!(page, entries[(address & 255) as usize]).get())
}
