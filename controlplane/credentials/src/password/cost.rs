//! How much a guess costs.

use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a cost is m={}..={} (KiB, at least 8 for each lane), t=1..={}, p=1..={}",
    Cost::MEMORY_KIB_MIN,
    Cost::MEMORY_KIB_MAX,
    Cost::PASSES_MAX,
    Cost::LANES_MAX
)]
pub struct CostError;

impl Cost {
    /// OWASP Password Storage Cheat Sheet, argon2id: 19 MiB, 2 passes, 1 lane. The office's own: many log in at once.
    pub const OWASP: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    /// RFC 9106 §4, second recommended option, for little memory: 64 MiB, 3 passes, 4 lanes.
    pub const RFC_9106_LOW_MEMORY: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 4 };

    /// RFC 9106 §3.1: 8 KiB for each lane.
    pub const MEMORY_KIB_MIN: u32 = 8;
    pub const MEMORY_KIB_MAX: u32 = 64 * 1024;
    pub const PASSES_MAX: u32 = 8;
    pub const LANES_MAX: u32 = 4;

    /// A cost within the limits, which also bound what a stored hash can make the office compute.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, CostError> {
        let lanes_fit = lanes >= 1 && lanes <= Self::LANES_MAX;
        let passes_fit = passes >= 1 && passes <= Self::PASSES_MAX;
        if !lanes_fit || !passes_fit || memory_kib > Self::MEMORY_KIB_MAX {
            return Err(CostError);
        }
        if memory_kib < lanes * Self::MEMORY_KIB_MIN {
            return Err(CostError);
        }
        Ok(Self { memory_kib, passes, lanes })
    }

    pub const fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    pub const fn passes(self) -> u32 {
        self.passes
    }

    pub const fn lanes(self) -> u32 {
        self.lanes
    }
}

impl FromStr for Cost {
    type Err = CostError;

    /// As in `m=19456,t=2,p=1`, in this order only.
    fn from_str(text: &str) -> Result<Self, CostError> {
        let fields: Vec<_> = text.splitn(4, ',').collect();
        let [m, t, p] = fields[..] else { return Err(CostError) };
        Self::new(number(m, "m=")?, number(t, "t=")?, number(p, "p=")?)
    }
}

/// Decimal digits without a sign or leading zeros, so that a cost has one spelling.
fn number(text: &str, prefix: &str) -> Result<u32, CostError> {
    let digits = text.strip_prefix(prefix).ok_or(CostError)?;
    let number: u32 = digits.parse().map_err(|_| CostError)?;
    if number.to_string() == digits { Ok(number) } else { Err(CostError) }
}
