//! The two tags of an access port: an outer (service) and an inner (customer) one, as IEEE 802.1ad stacks them.

use map_abi::DropReason;

use crate::Frame;

/// Bytes of two tags.
pub(crate) const TAGS_LEN: i32 = 8;

const DOT1AD: u16 = 0x88a8_u16.to_be();
pub(crate) const DOT1Q: u16 = 0x8100_u16.to_be();
/// The bit of a tag that says that its frame is to be dropped first (IEEE 802.1Q, clause 6.9.3).
pub(crate) const DROP_ELIGIBLE: u16 = 0x1000_u16.to_be();
const VID_MASK: u16 = 0x0fff;

/// The identifiers in both tags, each below 4096.
pub(crate) struct Tags {
    pub(crate) s_vid: u16,
    pub(crate) c_vid: u16,
}

/// Reads both tags; the packet follows 22 bytes after the frame's start. The outer one may have either EtherType, whatever the port sends.
#[inline(always)]
pub(crate) fn tags(frame: Frame<'_>) -> Result<Tags, DropReason> {
    let header = frame.window::<22>(0).ok_or(DropReason::Truncated)?;
    let outer = header.raw16::<12>();
    if (outer != DOT1AD && outer != DOT1Q) || header.raw16::<16>() != DOT1Q {
        return Err(DropReason::Untagged);
    }
    Ok(Tags { s_vid: header.be16::<14>() & VID_MASK, c_vid: header.be16::<18>() & VID_MASK })
}
