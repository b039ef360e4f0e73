//! Networks of a subscriber besides the link's and the delegated prefix. Which they are the forwarding table says: each
//! leads to the home.

use core::ptr::NonNull;

use map_abi::{DropReason, FibTarget, Six, line6};

use crate::{Tables, access::Arrival, fib6, frame::opaque_number, live::field};

/// Whether there are any.
#[inline(always)]
pub(super) fn are_any(six: NonNull<Six>) -> bool {
    field!(six, is_on).get() & line6::NETWORKS != 0
}

/// Whether an address is of one of them. Which it was the verifier does not know.
#[inline(always)]
pub(super) fn hold<T: Tables>(tables: &T, arrival: &Arrival, address: [u64; 2]) -> Result<bool, DropReason> {
    if !are_any(arrival.home.six()) {
        return Ok(false);
    }
    let target = fib6::lookup(tables, address)?;
    let is_own = target.kind() == FibTarget::KIND_SESSION && target.index() == arrival.unit;
    Ok(opaque_number(u32::from(is_own)) != 0)
}
