//! What both families have in common on the way from a subscriber: whose frame it is, and how it leaves.

use core::ptr::NonNull;

use map_abi::{DropReason, FibTarget, HomeRef, NextHop, SVIDS_PER_PORT, SharedKey, flags, port_flags};

use crate::{
    Packet, Tables, Verdict,
    frame::MAC_BITS,
    home::Home,
    live::{self, field, mac_field},
    policer,
    verdict::Stop,
    vlan,
};

/// Bytes of an Ethernet header without tags.
pub(crate) const ETHERNET_LEN: usize = 14;

/// The home that a frame comes from.
pub(crate) struct Arrival {
    pub(crate) home: Home,
    /// Where its NAT mappings are: the home itself, or a further port block of it.
    pub(crate) block: Home,
    /// The first unit of `home`.
    pub(crate) unit: u32,
    /// The binary logarithm of the units of `block`.
    pub(crate) order: u32,
    pub(crate) port: u32,
    /// The port's own Ethernet address.
    pub(crate) port_mac: u64,
    /// Bits of `port_flags`.
    pub(crate) port_flags: u16,
    /// First word of the home: Ethernet address and flags.
    pub(crate) mac_and_flags: u64,
    /// Bytes of the frame's tags.
    pub(crate) tags_len: usize,
    /// Of the recent clock.
    pub(crate) now_ns: u64,
}

#[inline(always)]
pub(crate) fn arrive<P: Packet, T: Tables>(packet: &P, tables: &T) -> Result<Arrival, DropReason> {
    let port = tables.port(packet.ifindex()).ok_or(DropReason::UnknownPort)?;
    let port_word = mac_field!(port, mac).get();
    let port_flags = (port_word >> 48) as u16;
    let Some(port) = u32::from(port_flags & port_flags::INDEX).checked_sub(1) else {
        return Err(DropReason::UnknownPort);
    };
    let tagged = vlan::tags(packet.frame())?;
    let unknown = if tagged.len == 0 { DropReason::Untagged } else { DropReason::UnknownTags };
    let page =
        tables.svid_page(port * SVIDS_PER_PORT + u32::from(tagged.s_vid)).ok_or(DropReason::Inconsistent)?;
    #[expect(clippy::cast_possible_truncation, reason = "an index, which is 32 bits wide")]
    let page = live::value(page).get() as u32;
    if page == 0 {
        return Err(unknown);
    }
    let page = tables.line_page(page).ok_or(DropReason::Inconsistent)?;
    let mut reference: HomeRef = field!(page, homes[usize::from(tagged.c_vid & 0xfff)]).get();
    if reference.is_none() {
        return Err(unknown);
    }
    if reference.is_shared() {
        reference = by_station(packet, tables, port, &tagged)?;
    }
    let home = Home::find(tables, reference.unit()).ok_or(DropReason::Inconsistent)?;
    let mac_and_flags = mac_field!(home.up(), mac).get();
    Ok(Arrival {
        home,
        block: home,
        unit: reference.unit(),
        order: reference.order(),
        port,
        port_mac: port_word & MAC_BITS,
        port_flags,
        mac_and_flags,
        tags_len: tagged.len,
        now_ns: tables.recent_ns(),
    })
}

/// The home of whoever sends, where several lines have the same tags.
#[inline(always)]
fn by_station<P: Packet, T: Tables>(
    packet: &P,
    tables: &T,
    port: u32,
    tags: &vlan::Tags,
) -> Result<HomeRef, DropReason> {
    let header = packet.frame().window::<14>(0).ok_or(DropReason::Truncated)?;
    let key = SharedKey {
        mac_and_port: header.mac_word::<6>() | u64::from(port) << 48,
        c_vid: tags.c_vid.into(),
        s_vid: tags.s_vid.into(),
    };
    // Nobody on the line has this address.
    tables.shared(&key).map(HomeRef::from_bits).ok_or(DropReason::SourceMac)
}

impl Arrival {
    #[inline(always)]
    pub(crate) fn has(&self, flag: u16) -> bool {
        self.mac_and_flags & u64::from(flag) << 48 != 0
    }

    #[inline(always)]
    pub(crate) fn flags(&self) -> u16 {
        (self.mac_and_flags >> 48) as u16
    }

    /// Whether an Ethernet address is the subscriber's, which none is while it is not known.
    #[inline(always)]
    pub(crate) fn is_from(&self, mac_word: u64) -> bool {
        const KNOWN: u64 = (flags::MAC_KNOWN as u64) << 48;
        self.mac_and_flags & (MAC_BITS | KNOWN) == mac_word | KNOWN
    }

    /// Where the packet begins in the frame.
    #[inline(always)]
    pub(crate) fn packet_at(&self) -> usize {
        ETHERNET_LEN + self.tags_len
    }

    /// Tells user space, unless the subscriber had its share, and counts.
    #[inline(always)]
    pub(crate) fn stop<P: Packet, T: Tables, const IN_GARDEN: bool>(
        &self,
        packet: &P,
        tables: &T,
        stop: Stop,
    ) -> Verdict {
        let Some(session) = self.home.session(tables) else { return Verdict::Drop(stop.reason) };
        let is_told = match stop.punt_up() {
            Some(reason) => {
                let may_punt = if IN_GARDEN {
                    policer::may_punt_in_garden(tables, session, reason)
                } else {
                    policer::may_punt(tables, session)
                };
                may_punt && packet.punt(reason, self.port, self.home.session_index())
            }
            None => false,
        };
        let verdict = stop.verdict(is_told);
        if let Verdict::Drop(_) = verdict {
            field!(session, drops_up).add(1);
        }
        verdict
    }

    /// Takes the tags off and sends the packet on its way.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "at most two tags")]
    pub(crate) fn leave<P: Packet>(
        &self,
        packet: &mut P,
        towards: Towards,
        ethertype: u16,
    ) -> Result<Verdict, DropReason> {
        if !packet.move_head(self.tags_len as i32) {
            return Err(DropReason::Inconsistent);
        }
        let header = packet.frame().window::<14>(0).ok_or(DropReason::Truncated)?;
        header.set_raw16::<12>(ethertype);
        match towards {
            Towards::NextHop(next_hop) => {
                header.set_mac_word::<0>(mac_field!(next_hop, destination).get());
                header.set_mac_word::<6>(mac_field!(next_hop, source).get());
                Ok(Verdict::Redirect(u32::from(field!(next_hop, port).get())))
            }
            Towards::Subscriber => {
                header.set_mac_word::<0>(self.port_mac);
                header.set_mac_word::<6>(self.port_mac);
                Ok(Verdict::Core)
            }
            Towards::Kernel => {
                header.set_mac_word::<0>(self.port_mac);
                header.set_mac_word::<6>(self.port_mac);
                Ok(Verdict::Pass)
            }
        }
    }
}

/// Where a packet goes on to.
#[derive(Clone, Copy)]
pub(crate) enum Towards {
    NextHop(NonNull<NextHop>),
    /// Another subscriber (or the same one by its public address).
    Subscriber,
    /// A network behind an interface that is no port of the office.
    Kernel,
}

/// Where a target is; `slot` is which of a group's slots the packet's flow belongs in.
#[inline(always)]
pub(crate) fn towards<T: Tables>(
    tables: &T,
    target: FibTarget,
    slot: impl FnOnce() -> usize,
) -> Result<Towards, DropReason> {
    let index = match target.kind() {
        FibTarget::KIND_NEXT_HOP => target.index(),
        FibTarget::KIND_GROUP => {
            let group = tables.next_hop_group(target.index()).ok_or(DropReason::Inconsistent)?;
            u32::from(field!(group, slots[slot()]).get())
        }
        FibTarget::KIND_NAT | FibTarget::KIND_SESSION => return Ok(Towards::Subscriber),
        FibTarget::KIND_KERNEL => 0,
        FibTarget::KIND_LOCAL => return Err(DropReason::ToOffice),
        FibTarget::KIND_BLACKHOLE => return Err(DropReason::Blackhole),
        FibTarget::KIND_DEFAULT => return Err(DropReason::NoRoute),
        _ => return Err(DropReason::Inconsistent),
    };
    if index == 0 {
        return Ok(Towards::Kernel);
    }
    let next_hop = tables.next_hop(index).ok_or(DropReason::Inconsistent)?;
    if mac_field!(next_hop, destination).get() & MAC_BITS == 0 {
        return Err(DropReason::NeighbourUnresolved);
    }
    Ok(Towards::NextHop(next_hop))
}
