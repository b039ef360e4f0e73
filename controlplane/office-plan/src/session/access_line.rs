//! Where the line ends, and whether anything passes: of the service that provides `access-line`.

use net_types::{IfName, Mac};
use node_state::{AccessTags, SessionState};
use xos_model::{AccessLine, Link, SubscriberState};

pub(super) struct Line {
    pub(super) port: IfName,
    pub(super) tags: AccessTags,
    pub(super) mac: Option<Mac>,
    pub(super) state: SessionState,
}

pub(super) fn of(link: &Link<'_>) -> Line {
    let AccessLine { node: _, port, s_vid, c_vid, mac } = AccessLine::of(link);
    let state = match link.subscriber.spec.state {
        SubscriberState::Active => SessionState::Active,
        SubscriberState::Suspended => SessionState::Suspended,
        SubscriberState::Unauthenticated => SessionState::Unauthenticated,
        SubscriberState::Quarantined => SessionState::Quarantined,
    };
    Line { port: port.clone(), tags: AccessTags { s_vid, c_vid }, mac, state }
}
