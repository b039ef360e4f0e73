//! What becomes of a packet.

use map_abi::{Answer, Course, DropReason, End, PuntReason};

use crate::{Packet, Tables, core_side, parse::Ipv4};

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is the kernel's to deal with.
    Pass,
    /// Out by the port with this index.
    Redirect(u32),
    /// It is its own answer to ARP, and goes out by the port with this index, which it came in by.
    AnsweredArp(u32),
    /// The same for DHCPv4.
    AnsweredDhcp(u32),
    /// The same for a query that parental control refuses.
    AnsweredDns(u32),
    /// On to the program of the core ports: one subscriber talks to another.
    Core,
    /// On to the program that makes the NAT mapping for a flow's first packet.
    Open,
    /// The same for IPv6 and a firewall's flows.
    Open6,
    /// On to the program that asks the rules of a subscriber's firewall about a flow from it.
    Rules,
    /// The same for a flow to it.
    RulesIn,
    /// Back to the program of access ports.
    Access,
    /// On to the program of access ports for IPv6.
    Access6,
    /// On to the program of access ports for sessions that are not active.
    Garden,
    /// The same for IPv6.
    Garden6,
    /// On to the program of core ports for sessions that are not active.
    GardenCore,
    /// The same for IPv6.
    GardenCore6,
    /// On to the program of core ports for IPv6, with what came from the core or from another subscriber.
    Core6,
    /// On to the program of access ports for NAT mappings that are in a further port block.
    Overflow,
    /// The same of core ports.
    OverflowIn,
    /// On to the program that answers DHCPv4 clients.
    Dhcp,
    /// On to the program that looks into what goes to resolvers, of either family.
    Dns,
    /// On to the program that deals with the query that this one has put into the scratch memory.
    DnsName,
    /// On to the program of access ports for what is said on the link.
    Link,
    /// User space has a copy; nothing is left to do.
    Punted(PuntReason),
    Drop(DropReason),
}

impl Verdict {
    /// Counts the packet if this is its end, and has it leave if it is to leave.
    #[inline(always)]
    pub(crate) fn counted<P: Packet, T: Tables>(self, packet: &P, tables: &T, course: Course) -> Self {
        let end = match self {
            Self::Redirect(port) if packet.redirect(port) => End::Forwarded,
            Self::AnsweredArp(port) if packet.redirect(port) => End::Answered(Answer::Arp),
            Self::AnsweredDhcp(port) if packet.redirect(port) => End::Answered(Answer::Dhcp),
            Self::AnsweredDns(port) if packet.redirect(port) => End::Answered(Answer::Dns),
            Self::Redirect(_) | Self::AnsweredArp(_) | Self::AnsweredDhcp(_) | Self::AnsweredDns(_) => {
                tables.count_drop(DropReason::Inconsistent, course);
                return Self::Drop(DropReason::Inconsistent);
            }
            Self::Drop(reason) => {
                tables.count_drop(reason, course);
                return self;
            }
            Self::Pass => End::Kernel,
            Self::Punted(reason) => End::UserSpace(reason),
            _ => return self,
        };
        tables.count_end(end, course);
        self
    }
}

/// Counts a packet that no program took over, though one led on to another: that is missing, or there were too many.
/// `is_up`: it was in a program of access ports.
#[inline(always)]
pub fn led_nowhere<P: Packet, T: Tables>(packet: &P, tables: &T, is_up: bool) {
    let course = if is_up { Course::UP } else { core_side::course(packet, tables) };
    tables.count_drop(DropReason::Inconsistent, course);
}

/// Why a packet goes no further, and whether user space is told. There is one place that tells, for a copy of it at each
/// place that has a reason would be many for the verifier to go through.
#[derive(Clone, Copy)]
pub(crate) struct Stop {
    pub(crate) reason: DropReason,
    /// A `PuntReason`; 0: none.
    pub(crate) punt: u32,
}

impl Stop {
    /// User space is to answer.
    #[inline(always)]
    pub(crate) fn tell(reason: DropReason, punt: PuntReason) -> Self {
        Self { reason, punt: punt as u32 }
    }

    /// The packet is for user space.
    #[inline(always)]
    pub(crate) fn hand_over(punt: PuntReason) -> Self {
        Self::tell(DropReason::PuntLost, punt)
    }

    /// The same of a packet from a subscriber, who is told too that no route leads where it should go: to be asked where all
    /// reasons have come together, for at each of them it would be more for the verifier to go through.
    #[inline(always)]
    pub(crate) fn punt_up(self) -> Option<PuntReason> {
        if self.reason as u32 == DropReason::NoRoute as u32 { Some(PuntReason::NoRoute) } else { self.punt() }
    }

    /// What user space is to be told.
    #[inline(always)]
    pub(crate) fn punt(self) -> Option<PuntReason> {
        PuntReason::from_bits(self.punt)
    }

    /// What becomes of the packet, where user space was told, or was not.
    ///
    /// Telling is no closure that is given to this: the compiler makes a function of such a one, and around a call of a
    /// function Linux 6.1's verifier forgets what it went by, and takes branches for dead that are not.
    #[inline(always)]
    pub(crate) fn verdict(self, is_told: bool) -> Verdict {
        if is_told
            && self.reason as u32 == DropReason::PuntLost as u32
            && let Some(reason) = self.punt()
        {
            return Verdict::Punted(reason);
        }
        Verdict::Drop(self.reason)
    }
}

impl From<DropReason> for Stop {
    #[inline(always)]
    fn from(reason: DropReason) -> Self {
        Self { reason, punt: 0 }
    }
}

/// A packet is larger than the next link takes.
#[inline(always)]
pub(crate) fn too_big(ip: &Ipv4<'_>) -> Stop {
    if ip.must_not_fragment() {
        Stop::tell(DropReason::TooBig, PuntReason::TooBig)
    } else {
        DropReason::TooBig.into()
    }
}
