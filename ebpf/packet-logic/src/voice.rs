//! Voice: what a home and the operator's voice platform say to each other, signalling and media. It has a rate of its own,
//! so that no other packets can starve it, a mark that all behind the office go by (RFC 4594, section 4.1), and a priority
//! on the line. What only looks like it, by its mark or beyond that rate, is as any other, and loses the mark.

use core::ptr::NonNull;

use map_abi::{Voice, VoiceMarks};

use crate::{
    Tables,
    frame::{forgotten, opaque_number},
    home::Home,
    live::{field, part},
    policer::conforms,
};

/// Which way a packet goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Up,
    Down,
}

/// What is special about a packet: a number, which nothing branches on, so that the verifier need not go through the rest of
/// the program once for each kind of packet.
#[derive(Clone, Copy)]
pub(crate) struct Class(u32);

/// The bits of a class: its new mark in the lowest byte, its priority in the next one.
const PRIORITY_SHIFT: u32 = 8;
const IS_VOICE_SHIFT: u32 = 16;
const IS_MARKED_SHIFT: u32 = 17;
/// The two bits beside a mark are those of explicit congestion notification (RFC 3168).
const DSCP_SHIFT: u32 = 2;
const ECN_MASK: u32 = 3;

impl Class {
    /// Nothing.
    pub(crate) const BULK: Self = Self(0);

    /// All ones for voice, which has been accounted for and is not to be by the rates of the bulk; else 0.
    #[inline(always)]
    pub(crate) fn voice_mask(self) -> u32 {
        self.mask(IS_VOICE_SHIFT)
    }

    /// The byte that a packet is to have in place of its type of service, or traffic class.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the lowest byte")]
    pub(crate) fn mark(self, now: u8) -> u8 {
        now ^ ((now ^ self.0 as u8) & self.mask(IS_MARKED_SHIFT) as u8)
    }

    /// What the tags say of it, where they would say `bulk` if it were not voice.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "three bits")]
    pub(crate) fn tag_bits(self, bulk: u16) -> u16 {
        let priority = ((self.0 >> PRIORITY_SHIFT & 7) as u16).wrapping_shl(13).to_be();
        bulk & !(self.voice_mask() as u16) | priority
    }

    /// Whatever it is, as one.
    #[inline(always)]
    pub(crate) fn whichever(self, now_ns: u64) -> Self {
        Self(forgotten(self.0, now_ns))
    }

    /// Hidden from the compiler, which would make branches of it.
    #[inline(always)]
    fn mask(self, shift: u32) -> u32 {
        opaque_number((self.0 >> shift & 1).wrapping_neg())
    }
}

/// The class of a packet of a home with voice, of `len` bytes, from or to `remote`, which is accounted for if it is voice;
/// `mark` is the byte that it has.
#[inline(always)]
pub(crate) fn class<T: Tables>(
    tables: &T,
    (home, way): (Home, Way),
    remote: [u64; 2],
    mark: u8,
    (len, now_ns): (u64, u64),
) -> Class {
    let (Some(session), Some(settings)) = (home.session(tables), tables.settings()) else {
        return Class::BULK;
    };
    let voice: NonNull<Voice> = part!(session, voice);
    let VoiceMarks { dscp, priority } = VoiceMarks::from_bits(field!(settings, voice).get());
    let dscp = u32::from(dscp);
    let ecn = u32::from(mark) & ECN_MASK;
    let arrival_q6 = match way {
        Way::Up => field!(voice, up_arrival_q6),
        Way::Down => field!(voice, down_arrival_q6),
    };
    let limit = (field!(voice, rate).get(), field!(voice, burst).get());
    if tables.is_voice(remote) && conforms(tables, arrival_q6, limit, len, now_ns) {
        let (packets, bytes) = match way {
            Way::Up => (field!(voice, up_packets), field!(voice, up_bytes)),
            Way::Down => (field!(voice, down_packets), field!(voice, down_bytes)),
        };
        packets.add(1);
        bytes.add(len);
        let priority = u32::from(priority) << PRIORITY_SHIFT;
        let class = dscp << DSCP_SHIFT | ecn | priority | 1 << IS_VOICE_SHIFT | 1 << IS_MARKED_SHIFT;
        return Class(opaque_number(class));
    }
    let is_like_voice = u32::from(mark) >> DSCP_SHIFT == dscp;
    Class(opaque_number(if is_like_voice { ecn | 1 << IS_MARKED_SHIFT } else { 0 }))
}
