//! Whether a packet comes from where the way back leads (RFC 3704).

use map_abi::{DropReason, FibTarget, port_flags};

use crate::{Tables, live::field};

/// `target`: what the packet's source leads to. `flags`: of the port that it came in by.
#[inline(always)]
pub(crate) fn check<T: Tables>(
    tables: &T,
    target: FibTarget,
    flags: u16,
    came_by: u32,
) -> Result<(), DropReason> {
    let is_strict = flags & port_flags::STRICT != 0;
    match target.kind() {
        FibTarget::KIND_NEXT_HOP if is_strict => {
            let next_hop = tables.next_hop(target.index()).ok_or(DropReason::Inconsistent)?;
            if u32::from(field!(next_hop, port).get()) == came_by {
                Ok(())
            } else {
                Err(DropReason::ReversePath)
            }
        }
        // Of several ways, one or another may be by this port.
        FibTarget::KIND_NEXT_HOP | FibTarget::KIND_GROUP => Ok(()),
        FibTarget::KIND_KERNEL if !is_strict => Ok(()),
        _ => Err(DropReason::ReversePath),
    }
}
