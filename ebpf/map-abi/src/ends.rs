//! How the frames ended that were not dropped, and which way a frame was going when it ended.

use crate::PuntReason;

/// Which way a frame was going when it ended.
///
/// A number and no enum: on the way down, the programs work it out of a word that they have read, without a branch, lest
/// the verifier follow both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Course(u32);

impl Course {
    /// From a line, towards the core.
    pub const UP: Self = Self(0);
    /// From the core, towards a line.
    pub const DOWN: Self = Self(1);
    /// From a line, and past the turn towards another one: of one subscriber to another.
    pub const TURNED: Self = Self(2);
    pub const ALL: [Self; 3] = [Self::UP, Self::DOWN, Self::TURNED];
    #[expect(clippy::cast_possible_truncation, reason = "there are three")]
    pub const COUNT: u32 = Self::ALL.len() as u32;

    /// On the way down: with bit 0, from a line.
    #[inline(always)]
    pub const fn downwards(is_from_line: u32) -> Self {
        Self(Self::DOWN.0 + (is_from_line & 1))
    }

    #[inline(always)]
    pub const fn index(self) -> u32 {
        self.0
    }
}

/// Who got an answer, on the line that the question came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Answer {
    /// Whoever asked for an address's station (RFC 826).
    Arp,
    /// A DHCPv4 client.
    Dhcp,
    /// Whoever asked for a blocked name, or a resolver that is refused.
    Dns,
}

/// How a frame ended that was not dropped. Each frame that a port's program takes in has one end or one `DropReason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was given to the port towards the core, or to that of a line. Whether the port had room for it, the port's own
    /// counters say.
    Forwarded,
    /// It is the kernel's: not for a subscriber, or for a network behind an interface that is no port of the office.
    Kernel,
    /// It became its own answer.
    Answered(Answer),
    /// User space has it, and answers it.
    UserSpace(PuntReason),
}

/// By `End::place`, once for each course; the names are those of the counters.
macro_rules! ends {
    ($($end:expr => $name:literal,)+) => {
        impl End {
            pub const ALL: &[Self] = &[$($end,)+];

            /// What is counted in `ENDS`, in order.
            pub const NAMES: [&str; Self::ALL.len() * Course::ALL.len()] = [
                $(concat!("up.", $name),)+
                $(concat!("down.", $name),)+
                $(concat!("turned.", $name),)+
            ];
        }
    };
}

ends! {
    Self::Forwarded => "forwarded",
    Self::Kernel => "kernel",
    Self::Answered(Answer::Arp) => "answered.arp",
    Self::Answered(Answer::Dhcp) => "answered.dhcp",
    Self::Answered(Answer::Dns) => "answered.dns",
    Self::UserSpace(PuntReason::Dhcp) => "user_space.dhcp",
    Self::UserSpace(PuntReason::TtlExpired) => "user_space.ttl_expired",
    Self::UserSpace(PuntReason::TooBig) => "user_space.too_big",
    Self::UserSpace(PuntReason::GatewayEcho) => "user_space.gateway_echo",
    Self::UserSpace(PuntReason::NeighbourDiscovery) => "user_space.neighbour_discovery",
    Self::UserSpace(PuntReason::Dhcp6) => "user_space.dhcp6",
    Self::UserSpace(PuntReason::Web) => "user_space.web",
    Self::UserSpace(PuntReason::SecureWeb) => "user_space.secure_web",
    Self::UserSpace(PuntReason::NoRoute) => "user_space.no_route",
}

impl End {
    #[expect(clippy::cast_possible_truncation, reason = "there are some")]
    const PER_COURSE: u32 = Self::ALL.len() as u32;
    pub const COUNT: u32 = Self::PER_COURSE * Course::COUNT;

    /// Where it is among the ends of its course.
    #[inline(always)]
    const fn place(self) -> u32 {
        match self {
            Self::Forwarded => 0,
            Self::Kernel => 1,
            Self::Answered(answer) => 2 + answer as u32,
            // Reasons begin with 1.
            Self::UserSpace(reason) => 4 + reason as u32,
        }
    }

    /// The index of its counter in `ENDS`.
    #[inline(always)]
    pub const fn index(self, course: Course) -> u32 {
        course.index() * Self::PER_COURSE + self.place()
    }
}
