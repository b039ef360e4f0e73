//! What is routed to the subscriber, and may come from it: of the service that provides `internet-route`.

use net_types::Prefix4;
use xos_model::{InternetRoute, Link};

use super::NoSession;

pub(super) struct Route {
    pub(super) network: Prefix4,
}

pub(super) fn of(link: &Link<'_>) -> Result<Route, NoSession> {
    let host = || link.subscriber.status.address.map(Prefix4::host);
    let network = InternetRoute::of(link).subnet.or_else(host).ok_or(NoSession::Unallocated)?;
    Ok(Route { network })
}
