//! Whose frames are whose: lines that are apart.

use node_state::AccessTags;
use xos_model::{Access, Fault, SubscriberSpec};

use crate::{Claim, Ledger};

/// Nobody else is behind the subscriber's port with its tags, or all of those who are can be told apart by the device
/// that each of them names (N:1 VLANs: TR-101, section 3.1).
pub fn check_line(spec: &SubscriberSpec, ledger: &impl Ledger) -> Result<(), Fault> {
    let Access { node, port, s_vid, c_vid } = &spec.access;
    let tags = AccessTags { s_vid: *s_vid, c_vid: *c_vid };
    let line = |mac| Claim::Line { node: node.clone(), port: port.clone(), tags, mac };
    let of = |other| {
        let tags = match tags.vids().count() {
            0 => tags.to_string(),
            1 => format!("tag {tags}"),
            _ => format!("tags {tags}"),
        };
        format!("Subscriber {other} is behind port {port} of Node {node}, {tags}")
    };
    if let Some(other) = ledger.holder(&line(None)) {
        let pointer = if c_vid.is_some() { "/spec/access/cVid" } else { "/spec/access/port" };
        return Err(Fault::new(pointer, format!("{}, and names no mac to be told apart by", of(other))));
    }
    let clash = if let Some(mac) = spec.mac {
        ledger.holder(&line(Some(mac))).map(|other| format!("{}, with this mac", of(other)))
    } else {
        let beside = ledger.beside(&Claim::tags_of_line(node, port, tags));
        beside.map(|other| format!("{}: both need a mac to be told apart by", of(other)))
    };
    clash.map_or(Ok(()), |detail| Err(Fault::new("/spec/mac", detail)))
}
