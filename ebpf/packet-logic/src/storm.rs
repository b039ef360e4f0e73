//! The storm limit: how many broadcast and multicast frames a subscriber may send, whatever they are.

use map_abi::{BROADCAST_LEN, DropReason};

use crate::{Tables, access::Arrival, live::field, policer::conforms};

/// Lets one more such frame of the subscriber in, if the limit of its access port does.
#[inline(always)]
pub(crate) fn admit<T: Tables>(tables: &T, arrival: &Arrival) -> Result<(), DropReason> {
    let session = arrival.home.session(tables).ok_or(DropReason::Inconsistent)?;
    let link = tables.port_link(arrival.port).ok_or(DropReason::Inconsistent)?;
    let limit = (field!(link, broadcast).get(), field!(link, broadcast_burst).get());
    let arrival_q6 = field!(session, broadcast_arrival_q6);
    if conforms(tables, arrival_q6, limit, BROADCAST_LEN, arrival.now_ns) {
        Ok(())
    } else {
        Err(DropReason::Storm)
    }
}
