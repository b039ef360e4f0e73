//! What both families have in common on the way to a subscriber: whom a frame is for, and how it gets its tags.

use core::ptr::NonNull;

use map_abi::{Course, DropReason, PortLink, flags, port_flags};

use crate::{
    Packet, Tables, Verdict,
    access::ETHERNET_LEN,
    frame::{MAC_BITS, opaque_size},
    home::Home,
    live::{field, mac_field},
    policer,
    verdict::Stop,
    vlan::{DOT1Q, PRIORITY, TAG_LEN},
};

/// Whom a packet is for.
pub(crate) struct Receiver {
    pub(crate) home: Home,
    /// First word of the home's second line: Ethernet address and flags.
    pub(crate) mac_and_flags: u64,
    /// Index of the port that the packet came in by.
    pub(crate) came_by: u32,
    /// Of the recent clock.
    pub(crate) now_ns: u64,
}

/// The subscriber's line.
pub(crate) struct Line {
    link: NonNull<PortLink>,
    /// Index of its port.
    port: u32,
    /// Largest packet that it takes.
    pub(crate) mtu: u16,
    /// Which bits of a packet's class are its priority.
    pub(crate) priority_mask: u8,
    s_tci: u16,
    c_tci: u16,
    /// Bytes of its tags.
    pub(crate) tags_len: usize,
}

/// Where a frame came in, and what it carries.
///
/// All have a value in any case: what has none on some way would be spilled all the same, which the verifier refuses.
pub(crate) struct CameBy {
    pub(crate) port: u32,
    /// Bits of `port_flags`: how the source is checked.
    pub(crate) flags: u16,
    pub(crate) course: Course,
    /// As it lies in the frame; 0: the frame is not the office's to forward.
    pub(crate) ethertype: u16,
}

#[inline(always)]
pub(crate) fn came_by<P: Packet, T: Tables>(packet: &P, tables: &T) -> Result<CameBy, DropReason> {
    let entry = tables.port(packet.ifindex()).ok_or(DropReason::UnknownPort)?;
    let port_word = mac_field!(entry, mac).get();
    let flags = (port_word >> 48) as u16;
    let index_plus_one = flags & port_flags::INDEX;
    if index_plus_one == 0 {
        return Err(DropReason::UnknownPort);
    }
    let mut ethertype = 0;
    if let Some(header) = packet.frame().window::<14>(0)
        && header.mac_word::<0>() == port_word & MAC_BITS
    {
        ethertype = header.raw16::<12>();
    }
    Ok(CameBy {
        port: u32::from(index_plus_one) - 1,
        flags: flags & (port_flags::LOOSE | port_flags::STRICT),
        course: course_of(flags),
        ethertype,
    })
}

/// On the way down, whether a frame came from a line is told by the port that it came in by.
#[inline(always)]
fn course_of(flags: u16) -> Course {
    Course::downwards(u32::from(flags) >> port_flags::ACCESS.trailing_zeros())
}

/// The course of a packet that is on its way down.
#[inline(always)]
pub(crate) fn course<P: Packet, T: Tables>(packet: &P, tables: &T) -> Course {
    came_by(packet, tables).map_or(Course::DOWN, |came_by| came_by.course)
}

impl Receiver {
    #[inline(always)]
    pub(crate) fn new(home: Home, came_by: u32, now_ns: u64) -> Self {
        Self { home, mac_and_flags: mac_field!(home.down(), mac).get(), came_by, now_ns }
    }

    /// Tells user space, unless the subscriber had its share, and counts.
    #[inline(always)]
    pub(crate) fn stop<P: Packet, T: Tables>(&self, packet: &P, tables: &T, stop: Stop) -> Verdict {
        let Some(session) = self.home.session(tables) else { return Verdict::Drop(stop.reason) };
        field!(session, drops_down).add(1);
        let is_told = match stop.punt() {
            Some(reason) => {
                policer::may_punt(tables, session)
                    && packet.punt(reason, self.came_by, self.home.session_index())
            }
            None => false,
        };
        stop.verdict(is_told)
    }

    #[inline(always)]
    pub(crate) fn has(&self, flag: u16) -> bool {
        self.mac_and_flags & u64::from(flag) << 48 != 0
    }

    /// Whether anything can go to the subscriber.
    #[inline(always)]
    pub(crate) fn check(&self) -> Result<(), DropReason> {
        if self.has(flags::MAC_KNOWN) { Ok(()) } else { Err(DropReason::SubscriberMacUnknown) }
    }

    #[inline(always)]
    pub(crate) fn line<T: Tables>(&self, tables: &T) -> Result<Line, DropReason> {
        let down = self.home.down();
        let port = field!(down, owner).get().port();
        let link = tables.port_link(port).ok_or(DropReason::Inconsistent)?;
        let (s_tci, c_tci) = (field!(down, s_tci).raw(), field!(down, c_tci).raw());
        let tags = usize::from(s_tci != 0) + usize::from(c_tci != 0);
        let mtu = field!(link, mtu).get();
        let priority_mask = field!(link, priority_mask).get();
        Ok(Line { link, port, mtu, priority_mask, s_tci, c_tci, tags_len: opaque_size(tags * TAG_LEN) & 15 })
    }
}

impl Line {
    /// What the tags say of a packet with this type of service, or traffic class.
    #[inline(always)]
    pub(crate) fn priority_of(&self, class: u8) -> u16 {
        u16::from_ne_bytes([class & self.priority_mask, 0])
    }

    /// Gives the packet its Ethernet header and tags, which say `tag_bits` beside what they are, and sends it.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "at most two tags")]
    pub(crate) fn send<P: Packet>(
        &self,
        packet: &mut P,
        receiver: &Receiver,
        tag_bits: u16,
        ethertype: u16,
    ) -> Result<Verdict, DropReason> {
        if !packet.move_head(-(self.tags_len as i32)) {
            return Err(DropReason::Inconsistent);
        }
        let frame = packet.frame();
        let header = frame.window::<14>(0).ok_or(DropReason::Truncated)?;
        header.set_mac_word::<0>(receiver.mac_and_flags);
        header.set_mac_word::<6>(mac_field!(self.link, mac).get());
        if self.s_tci != 0 {
            let tags = frame.window::<22>(0).ok_or(DropReason::Truncated)?;
            tags.set_raw16::<12>(field!(self.link, outer_tpid).raw());
            tags.set_raw16::<14>(self.s_tci | tag_bits);
            tags.set_raw16::<16>(DOT1Q);
            tags.set_raw16::<18>(self.c_tci | tag_bits & PRIORITY);
            tags.set_raw16::<20>(ethertype);
        } else if self.c_tci != 0 {
            let tag = frame.window::<18>(0).ok_or(DropReason::Truncated)?;
            tag.set_raw16::<12>(DOT1Q);
            tag.set_raw16::<14>(self.c_tci | tag_bits);
            tag.set_raw16::<16>(ethertype);
        } else {
            header.set_raw16::<12>(ethertype);
        }
        Ok(Verdict::Redirect(self.port))
    }
}

/// Where the packet begins behind the Ethernet header of a core port.
pub(crate) const PACKET_AT: usize = ETHERNET_LEN;
