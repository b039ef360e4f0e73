//! The stages of a subscriber's chain, and what went through each.
//!
//! The programs do not count in between: what went into a stage and out of it follows from how the frames ended, for each
//! end and each drop is of one stage, and whoever came so far came through those before.
//!
//! ```text
//! from a line    ─► vOLT ─► vCPE ─► vBNG ─► to the core
//!                                     │ turned: from one subscriber to another
//! from the core  ─────────────────► vBNG ─► vCPE ─► vOLT ─► to a line
//! ```
//!
//! | end | stage |
//! |---|---|
//! | forwarded | the last one: upwards the vBNG, downwards the vOLT |
//! | the kernel's | vBNG: routing led there |
//! | answered: ARP | vOLT, as what belongs to the line alone |
//! | answered: DHCP, DNS | vCPE |
//! | user space: neighbour discovery, and the web of who is in the walled garden | vOLT, as ARP and the state of a line |
//! | user space: DHCPv4, DHCPv6 | vCPE |
//! | user space: pings of the gateway, errors of routing | vBNG |
//! | dropped | see `DropReason::stage`: header and port are judged by the stage that a frame comes to first |
//!
//! The stages are the functions' and not the order of the instructions: a frame that routing drops for its destination
//! counts as gone through the vCPE, though NAT had nothing to do with it.

use crate::{Answer, Course, DropReason, End, PuntReason};

/// A stage of a subscriber's chain (Peterson et al., "XOS: An Extensible Cloud Operating System", `BigSystem` 2015).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The line: port, tags, addresses on it, and whether its session is active.
    Volt,
    /// The subscriber's bundle: NAT, firewall, rates, DHCP, names.
    Vcpe,
    /// Routing, and what comes in from the core.
    Vbng,
}

impl Stage {
    /// From a line towards the core.
    pub const ALL: [Self; 3] = [Self::Volt, Self::Vcpe, Self::Vbng];

    /// The name under which metrics and diagnostics show it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Volt => "volt",
            Self::Vcpe => "vcpe",
            Self::Vbng => "vbng",
        }
    }
}

impl DropReason {
    /// The stage that drops for this reason, for each way that a frame may be going.
    pub const fn stage(self, course: Course) -> Stage {
        match self {
            // Of the stage that sees a frame first.
            Self::UnknownPort | Self::Truncated | Self::BadIpv4 | Self::BadIpv6 => match course {
                Course::UP => Stage::Volt,
                _ => Stage::Vbng,
            },
            Self::Untagged
            | Self::UnknownTags
            | Self::Suspended
            | Self::Garden
            | Self::DestinationMac
            | Self::SourceMac
            | Self::SourceAddress
            | Self::EtherType
            | Self::Arp
            | Self::Storm
            | Self::SubscriberMacUnknown => Stage::Volt,
            // Of packets for user space, the most are DHCP clients'.
            Self::PuntLost
            | Self::RateUp
            | Self::RateDown
            | Self::NatProtocol
            | Self::NatPortsExhausted
            | Self::NatNoMapping
            | Self::FragmentUnknown
            | Self::Firewall
            | Self::FlowsExhausted
            | Self::Rule
            | Self::IcmpErrorUnknown
            | Self::DnsUnreadable
            | Self::DnsBlocked
            | Self::DnsEncrypted => Stage::Vcpe,
            Self::Martian
            | Self::ReversePath
            | Self::TtlExpired
            | Self::TooBig
            | Self::NoRoute
            | Self::Blackhole
            | Self::NeighbourUnresolved
            | Self::ToOffice
            | Self::Inconsistent => Stage::Vbng,
        }
    }
}

impl End {
    /// The stage that a frame ends in.
    pub const fn stage(self, course: Course) -> Stage {
        match self {
            Self::Forwarded => match course {
                Course::UP => Stage::Vbng,
                _ => Stage::Volt,
            },
            Self::Answered(Answer::Arp)
            | Self::UserSpace(PuntReason::NeighbourDiscovery | PuntReason::Web | PuntReason::SecureWeb) => {
                Stage::Volt
            }
            Self::Answered(Answer::Dhcp | Answer::Dns)
            | Self::UserSpace(PuntReason::Dhcp | PuntReason::Dhcp6) => Stage::Vcpe,
            Self::Kernel
            | Self::UserSpace(
                PuntReason::GatewayEcho | PuntReason::TtlExpired | PuntReason::TooBig | PuntReason::NoRoute,
            ) => Stage::Vbng,
        }
    }
}

/// How all frames ended: what `ENDS` and `DROPS` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// By `End::index`.
    pub ends: [u64; End::COUNT as usize],
    /// By `DropReason::index`.
    pub drops: [u64; DropReason::PLACES as usize],
}

impl Default for Tally {
    fn default() -> Self {
        Self { ends: [0; End::COUNT as usize], drops: [0; DropReason::PLACES as usize] }
    }
}

/// Which way a stage was gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// From a line towards the core, or the turn.
    Up,
    /// From the core or the turn towards a line.
    Down,
}

impl Direction {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    const fn courses(self) -> &'static [Course] {
        match self {
            Self::Up => &[Course::UP],
            Self::Down => &[Course::DOWN, Course::TURNED],
        }
    }
}

/// What went through a stage in one direction, in frames: `came_in` is `went_out` with all that ended in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageFlow {
    pub stage: Stage,
    pub direction: Direction,
    pub came_in: u64,
    /// To the next stage, or out of the office.
    pub went_out: u64,
    /// Of what went out of the vBNG upwards, and came into it downwards: from one subscriber to another.
    pub turned: u64,
    pub answered: u64,
    pub to_user_space: u64,
    pub to_kernel: u64,
    pub dropped: u64,
}

impl Tally {
    pub fn end(&self, end: End, course: Course) -> u64 {
        self.ends.get(end.index(course) as usize).copied().unwrap_or(0)
    }

    pub fn drop(&self, reason: DropReason, course: Course) -> u64 {
        self.drops.get(reason.index(course) as usize).copied().unwrap_or(0)
    }

    /// Dropped for a reason, whichever way.
    pub fn drops_for(&self, reason: DropReason) -> u64 {
        Course::ALL.iter().map(|course| self.drop(reason, *course)).sum()
    }

    /// What each stage dropped for each reason that it has. Some reasons are one stage's upwards and another's downwards.
    pub fn drops_by_stage(&self) -> impl Iterator<Item = (DropReason, Stage, u64)> {
        let places = DropReason::ALL.iter().flat_map(|reason| Stage::ALL.map(|stage| (*reason, stage)));
        places.filter_map(|(reason, stage)| {
            let of_stage = Course::ALL.into_iter().filter(|course| reason.stage(*course) == stage);
            let is_its = of_stage.clone().next().is_some();
            is_its.then(|| (reason, stage, of_stage.map(|course| self.drop(reason, course)).sum()))
        })
    }

    /// All frames.
    pub fn frames(&self) -> u64 {
        Course::ALL.iter().map(|course| self.frames_on(*course)).sum()
    }

    /// All frames that ended on a course.
    pub fn frames_on(&self, course: Course) -> u64 {
        let ends: u64 = End::ALL.iter().map(|end| self.end(*end, course)).sum();
        let drops: u64 = DropReason::ALL.iter().map(|reason| self.drop(*reason, course)).sum();
        ends + drops
    }

    /// What went through each stage, in the order in which a frame of one subscriber to another comes through them.
    pub fn stages(&self) -> [StageFlow; 6] {
        let turned = self.frames_on(Course::TURNED);
        let to_core = self.end(End::Forwarded, Course::UP);
        let to_lines = self.end(End::Forwarded, Course::DOWN) + self.end(End::Forwarded, Course::TURNED);
        let [volt, vcpe, vbng] = Stage::ALL;
        let bng_up = self.flow(vbng, Direction::Up, to_core + turned, turned);
        let cpe_up = self.flow(vcpe, Direction::Up, bng_up.came_in, 0);
        let olt_up = self.flow(volt, Direction::Up, cpe_up.came_in, 0);
        let olt_down = self.flow(volt, Direction::Down, to_lines, 0);
        let cpe_down = self.flow(vcpe, Direction::Down, olt_down.came_in, 0);
        let bng_down = self.flow(vbng, Direction::Down, cpe_down.came_in, turned);
        [olt_up, cpe_up, bng_up, bng_down, cpe_down, olt_down]
    }

    fn flow(&self, stage: Stage, direction: Direction, went_out: u64, turned: u64) -> StageFlow {
        let mut flow = StageFlow {
            stage,
            direction,
            came_in: 0,
            went_out,
            turned,
            answered: 0,
            to_user_space: 0,
            to_kernel: 0,
            dropped: 0,
        };
        for course in direction.courses().iter().copied() {
            for end in End::ALL.iter().filter(|end| end.stage(course) == stage) {
                let frames = self.end(*end, course);
                match end {
                    End::Forwarded => {}
                    End::Kernel => flow.to_kernel += frames,
                    End::Answered(_) => flow.answered += frames,
                    End::UserSpace(_) => flow.to_user_space += frames,
                }
            }
            let dropped = DropReason::ALL.iter().filter(|reason| reason.stage(course) == stage);
            flow.dropped += dropped.map(|reason| self.drop(*reason, course)).sum::<u64>();
        }
        flow.came_in = went_out + flow.answered + flow.to_user_space + flow.to_kernel + flow.dropped;
        flow
    }
}
