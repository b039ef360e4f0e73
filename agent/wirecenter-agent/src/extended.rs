//! Leases that the kernel has extended since they were kept.
//!
//! The kernel renews the lease of the device that it knows, and notes until when. What counts is the later of that and
//! what is kept on the disk; it is kept there too, but not each time: after the node itself restarts, a lease may seem to
//! end by a quarter of its time too early.

use std::collections::HashMap;

use access_protocols::dhcp4::{Binding, BindingChange};
use net_types::Name;
use node_state::{NodeState, Session};

/// The binding of a session, by what was kept and what the kernel has given.
pub(crate) fn current(session: &Session, kept: Option<Binding>, given: Option<Binding>) -> Option<Binding> {
    let Some(given) = given else { return kept };
    match kept {
        Some(kept) if kept.mac == given.mac && given.expires_s > kept.expires_s => Some(given),
        // The kernel serves a configured device from the start.
        None if session.mac == Some(given.mac) => Some(given),
        kept => kept,
    }
}

/// What is to be kept of the leases that the kernel has given: of each, every quarter of its time.
pub(crate) fn overdue(
    desired: &NodeState,
    kept: &HashMap<Name, Binding>,
    given: Vec<(Name, Binding)>,
) -> Vec<(Name, BindingChange)> {
    let is_overdue = |(name, given): &(Name, Binding)| {
        let Some(session) = desired.sessions.get(name) else { return false };
        let kept = kept.get(name).copied();
        let quarter = u64::from(session.lease_seconds / 4).max(1);
        current(session, kept, Some(*given)) == Some(*given)
            && kept.is_none_or(|kept| given.expires_s >= kept.expires_s.saturating_add(quarter))
    };
    let change = |(name, given)| (name, BindingChange::Set(given));
    given.into_iter().filter(is_overdue).map(change).collect()
}
