use core::fmt;

/// A version of the protocol, as it is negotiated with hello messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    V1_3,
    /// In part: see the [crate's documentation](crate#versions).
    V1_4,
    /// In part: see the [crate's documentation](crate#versions).
    V1_5,
}

impl Version {
    /// Every version that there is here, oldest first.
    pub const ALL: &[Self] = &[Self::V1_3, Self::V1_4, Self::V1_5];

    /// The version field of a message's header.
    pub const fn number(self) -> u8 {
        match self {
            Self::V1_3 => 4,
            Self::V1_4 => 5,
            Self::V1_5 => 6,
        }
    }

    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            4 => Some(Self::V1_3),
            5 => Some(Self::V1_4),
            6 => Some(Self::V1_5),
            _ => None,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.number() - 1)
    }
}
