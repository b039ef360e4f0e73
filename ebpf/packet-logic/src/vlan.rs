//! The tags of an access port: an outer (service) and an inner (customer) one, as IEEE 802.1ad stacks them, one alone, or
//! none.

use map_abi::DropReason;

use crate::{Frame, frame::opaque_size};

const DOT1AD: u16 = 0x88a8_u16.to_be();
pub(crate) const DOT1Q: u16 = 0x8100_u16.to_be();
/// The bit of a tag that says that its frame is to be dropped first (IEEE 802.1Q, clause 6.9.3).
pub(crate) const DROP_ELIGIBLE: u16 = 0x1000_u16.to_be();
/// The bits of a tag that are its frame's priority (the same clause).
pub(crate) const PRIORITY: u16 = 0xe000_u16.to_be();
const VID_MASK: u16 = 0x0fff;
/// Bytes of one tag.
pub(crate) const TAG_LEN: usize = 4;
/// No frame has more.
const LEN_MASK: usize = 15;

/// The identifiers in the tags, each below 4096; 0 where there is no tag, or one that says priority only.
pub(crate) struct Tags {
    pub(crate) s_vid: u16,
    pub(crate) c_vid: u16,
    /// Bytes that they take behind the Ethernet addresses.
    pub(crate) len: usize,
}

/// Reads the tags; an outer one may have either EtherType, whatever the port sends.
#[inline(always)]
pub(crate) fn tags(frame: Frame<'_>) -> Result<Tags, DropReason> {
    let header = frame.window::<14>(0).ok_or(DropReason::Truncated)?;
    let (mut s_vid, mut c_vid, mut len) = (0, 0, 0);
    let outer = header.raw16::<12>();
    if outer == DOT1AD || outer == DOT1Q {
        let tag = frame.window::<18>(0).ok_or(DropReason::Truncated)?;
        c_vid = tag.be16::<14>() & VID_MASK;
        len = TAG_LEN;
        if tag.raw16::<16>() == DOT1Q {
            let inner = frame.window::<22>(0).ok_or(DropReason::Truncated)?;
            s_vid = c_vid;
            c_vid = inner.be16::<18>() & VID_MASK;
            len = 2 * TAG_LEN;
        }
    }
    // A number of which the verifier knows no more after one way here than after another.
    Ok(Tags { s_vid, c_vid, len: opaque_size(len) & LEN_MASK })
}
