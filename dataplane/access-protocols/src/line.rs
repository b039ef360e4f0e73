//! The line that a frame of IPv6 comes by.

use std::net::Ipv6Addr;

use net_types::{Mac, Vid};
use node_state::{Ipv6Line, Session};

use crate::Frame;

/// A host or router on a subscriber's link, and where frames for it go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// Link-local.
    pub address: Ipv6Addr,
    pub mac: Mac,
}

/// Why a line has no answer for a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("its tags are not the session's")]
    OtherTags,
    #[error("the session has no IPv6")]
    NoIpv6,
    #[error("its sender's hardware address is not one host's")]
    Station,
    #[error("the session is for another hardware address")]
    OtherMac,
}

/// What the session's line has of IPv6, and who sent the frame, if it is the session's to answer.
pub(crate) fn admit<'s>(session: &'s Session, frame: &Frame) -> Result<(&'s Ipv6Line, Mac), LineError> {
    let vids = frame.tags.as_slice().iter().map(|tag| tag.vid());
    if !vids.eq(session.tags.vids().map(Vid::get)) {
        return Err(LineError::OtherTags);
    }
    let line = session.ipv6.as_ref().ok_or(LineError::NoIpv6)?;
    let mac = Mac::new(frame.source).map_err(|_| LineError::Station)?;
    if session.mac.is_some_and(|configured| configured != mac) {
        return Err(LineError::OtherMac);
    }
    Ok((line, mac))
}
