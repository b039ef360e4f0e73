//! What both families have in common on the way to a subscriber: whom a frame is for, and how it gets its tags.

use core::ptr::NonNull;

use map_abi::{DropReason, PortLink, flags};

use crate::{
    Packet, Tables, Verdict,
    access::ETHERNET_LEN,
    frame::{MAC_BITS, opaque_size},
    home::Home,
    live::{field, mac_field},
    policer::{self, Colour},
    verdict::Stop,
    vlan::{DOT1Q, DROP_ELIGIBLE, TAG_LEN},
};

/// Whom a packet is for.
pub(crate) struct Receiver {
    pub(crate) home: Home,
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
    s_tci: u16,
    c_tci: u16,
    /// Bytes of its tags.
    pub(crate) tags_len: usize,
}

/// Where a frame came in, and what it carries.
///
/// Both have a value in any case: what has none on some way would be spilled all the same, which the verifier refuses.
pub(crate) struct CameBy {
    pub(crate) port: u32,
    /// As it lies in the frame; 0: the frame is not the office's to forward.
    pub(crate) ethertype: u16,
}

#[inline(always)]
pub(crate) fn came_by<P: Packet, T: Tables>(packet: &P, tables: &T) -> Result<CameBy, DropReason> {
    let entry = tables.port(packet.ifindex()).ok_or(DropReason::UnknownPort)?;
    let port_word = mac_field!(entry, mac).get();
    let index_plus_one = (port_word >> 48) as u16;
    if index_plus_one == 0 {
        return Err(DropReason::UnknownPort);
    }
    let mut ethertype = 0;
    if let Some(header) = packet.frame().window::<14>(0)
        && header.mac_word::<0>() == port_word & MAC_BITS
    {
        ethertype = header.raw16::<12>();
    }
    Ok(CameBy { port: u32::from(index_plus_one) - 1, ethertype })
}

impl Receiver {
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
        mac_field!(self.home.down(), mac).get() & u64::from(flag) << 48 != 0
    }

    /// Whether anything may go to the subscriber, and can.
    #[inline(always)]
    pub(crate) fn check(&self) -> Result<(), DropReason> {
        if !self.has(flags::ACTIVE) {
            return Err(DropReason::Suspended);
        }
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
        Ok(Line { link, port, mtu, s_tci, c_tci, tags_len: opaque_size(tags * TAG_LEN) & 15 })
    }
}

impl Line {
    /// Gives the packet its Ethernet header and tags, and sends it.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "at most two tags")]
    pub(crate) fn send<P: Packet>(
        &self,
        packet: &mut P,
        receiver: &Receiver,
        colour: Colour,
        ethertype: u16,
    ) -> Result<Verdict, DropReason> {
        if !packet.move_head(-(self.tags_len as i32)) {
            return Err(DropReason::Inconsistent);
        }
        let frame = packet.frame();
        let header = frame.window::<14>(0).ok_or(DropReason::Truncated)?;
        header.set_mac_word::<0>(mac_field!(receiver.home.down(), mac).get());
        header.set_mac_word::<6>(mac_field!(self.link, mac).get());
        let may_be_dropped = if colour == Colour::Yellow { DROP_ELIGIBLE } else { 0 };
        if self.s_tci != 0 {
            let tags = frame.window::<22>(0).ok_or(DropReason::Truncated)?;
            tags.set_raw16::<12>(field!(self.link, outer_tpid).raw());
            tags.set_raw16::<14>(self.s_tci | may_be_dropped);
            tags.set_raw16::<16>(DOT1Q);
            tags.set_raw16::<18>(self.c_tci);
            tags.set_raw16::<20>(ethertype);
        } else if self.c_tci != 0 {
            let tag = frame.window::<18>(0).ok_or(DropReason::Truncated)?;
            tag.set_raw16::<12>(DOT1Q);
            tag.set_raw16::<14>(self.c_tci | may_be_dropped);
            tag.set_raw16::<16>(ethertype);
        } else {
            header.set_raw16::<12>(ethertype);
        }
        Ok(Verdict::Redirect(self.port))
    }
}

/// Where the packet begins behind the Ethernet header of a core port.
pub(crate) const PACKET_AT: usize = ETHERNET_LEN;
