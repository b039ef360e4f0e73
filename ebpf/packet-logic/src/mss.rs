//! The largest segment that the ends of a TCP connection tell each other (RFC 9293, section 3.7.1), kept to what the next
//! link takes: so that nobody depends on ICMP errors, which many drop, to find out.

use crate::{Frame, checksum::Delta};

const SYN: u8 = 1 << 1;
/// A header of 24 bytes, in the upper half of the byte that tells its length.
const WITH_OPTION: u8 = 6 << 4;
/// Kind and length of the option (section 3.2).
const OPTION: u16 = 0x0204_u16.to_be();

/// What of a packet is not segment: headers without options (RFC 6691).
pub(crate) const HEADERS4: u16 = 40;
pub(crate) const HEADERS6: u16 = 60;

/// `tcp_at`: where the header begins, of a packet that is whole. The option is looked for in the first place only, which is
/// where TCP of Linux, the BSDs and Windows has it: to walk through options is too much for each first packet.
#[inline(always)]
pub(crate) fn clamp(frame: Frame<'_>, tcp_at: usize, most: u16) {
    let Some(tcp) = frame.window::<24>(tcp_at) else { return };
    if tcp.u8::<13>() & SYN == 0 || tcp.u8::<12>() < WITH_OPTION || tcp.raw16::<20>() != OPTION {
        return;
    }
    if tcp.be16::<22>() > most {
        let (old, new) = (tcp.raw16::<22>(), most.to_be());
        tcp.set_raw16::<22>(new);
        tcp.set_raw16::<16>(Delta::word(old, new).apply(tcp.raw16::<16>()));
    }
}
