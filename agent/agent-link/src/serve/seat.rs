//! One stream per node: a new one sends the old one away, and begins when that has made its last report.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use net_types::Name;
use tokio_util::sync::CancellationToken;

/// The seats of all nodes that ever had a certificate here.
pub(super) type Seats = Arc<Mutex<HashMap<Name, Seat>>>;

#[derive(Clone, Default)]
pub(super) struct Seat {
    /// Ends the stream that came last.
    latest: CancellationToken,
    /// Held while a stream makes reports.
    taken: Arc<tokio::sync::Mutex<()>>,
}

/// Sends the stream away that has the seat, or waits for it. Returns what will end the new one (also on `closing`), and
/// the lock to wait for.
pub(super) fn claim(
    seats: &Seats,
    node: &Name,
    closing: &CancellationToken,
) -> (CancellationToken, Arc<tokio::sync::Mutex<()>>) {
    let mut seats = seats.lock().unwrap_or_else(PoisonError::into_inner);
    let seat = seats.entry(node.clone()).or_default();
    seat.latest.cancel();
    seat.latest = closing.child_token();
    (seat.latest.clone(), seat.taken.clone())
}
