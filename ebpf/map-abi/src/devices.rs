//! Homes whose devices the office sees one by one: the home's LAN is bridged to it, and each device has a lease of its own.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Devices of a home at most: what `Remembered` has room for.
pub const DEVICES_MAX: u32 = 32;

/// `DEVICES`: an address that a device of a home has leased (`flags::DEVICES`). Aligned, since the kernel wants it so
/// where the key is made.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    FromBytes,
    IntoBytes,
    Immutable,
    KnownLayout,
)]
#[repr(C, align(8))]
pub struct LeasedAddress {
    /// The first unit of the home.
    pub unit: u32,
    /// As it lies in a packet.
    pub address: u32,
}

/// The device that has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(8))]
pub struct Device {
    /// Its Ethernet address in the first six bytes as on the wire, and zeros.
    pub mac: u64,
    /// When its lease ends, in seconds since 1970. Of no matter to packets: user space takes the entry out.
    pub lease_ends_s: u64,
}

/// Whom the first fragment of a packet was for: the value of `FRAGMENTS`. The first unit of the home in the low 27 bits
/// (128 GiB of homes), which of its devices in the high five.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remembered(u32);

impl Remembered {
    const UNIT_BITS: u32 = 27;
    /// Homes lie below this unit.
    pub const UNIT_LIMIT: u32 = 1 << Self::UNIT_BITS;

    /// `device`: below `DEVICES_MAX`.
    #[inline(always)]
    pub const fn new(unit: u32, device: u32) -> Self {
        Self(unit | device << Self::UNIT_BITS)
    }

    #[inline(always)]
    pub const fn unit(self) -> u32 {
        self.0 & (Self::UNIT_LIMIT - 1)
    }

    #[inline(always)]
    pub const fn device(self) -> u32 {
        self.0 >> Self::UNIT_BITS
    }

    #[inline(always)]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    #[inline(always)]
    pub const fn to_bits(self) -> u32 {
        self.0
    }
}

const _: () = assert!(DEVICES_MAX << Remembered::UNIT_BITS == 0, "all devices fit in the high bits");
