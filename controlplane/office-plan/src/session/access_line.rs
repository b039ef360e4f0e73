//! Where the line ends, and whether anything passes: of the service that provides `access-line`.

use net_types::{IfName, Mac};
use node_state::AccessTags;
use xos_model::{AccessLine, Link};

pub(super) struct Line {
    pub(super) port: IfName,
    pub(super) tags: AccessTags,
    pub(super) mac: Option<Mac>,
    pub(super) active: bool,
}

pub(super) fn of(link: &Link<'_>) -> Line {
    let AccessLine { node: _, port, s_vid, c_vid, mac } = AccessLine::of(link);
    let active = !link.subscriber.spec.suspended;
    Line { port: port.clone(), tags: AccessTags { s_vid, c_vid }, mac, active }
}
