//! Bit rates.

use core::{fmt, str::FromStr};

/// A rate in bits per second, counted over whole Ethernet frames without preamble and FCS.
///
/// Written with a decimal unit, `512k`, `100M`, `1G`, or as a plain number of bits per second.
/// The bounds are what the policer can hold exactly enough: see `map_abi::Policer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BitRate(u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BitRateError {
    #[error("not a rate such as \"512k\", \"100M\" or \"1G\" (bits per second)")]
    Syntax,
    #[error("a rate lies between 128k and 100G")]
    Range,
}

impl BitRate {
    pub const MIN: u64 = 128_000;
    pub const MAX: u64 = 100_000_000_000;

    pub fn from_bits_per_second(rate: u64) -> Result<Self, BitRateError> {
        if (Self::MIN..=Self::MAX).contains(&rate) { Ok(Self(rate)) } else { Err(BitRateError::Range) }
    }

    pub const fn bits_per_second(self) -> u64 {
        self.0
    }
}

const UNITS: [(char, u64); 3] = [('G', 1_000_000_000), ('M', 1_000_000), ('k', 1_000)];

impl FromStr for BitRate {
    type Err = BitRateError;

    fn from_str(text: &str) -> Result<Self, BitRateError> {
        let unit = UNITS.iter().find(|(suffix, _)| text.ends_with(*suffix));
        let (digits, factor) = match unit {
            Some(&(suffix, factor)) => (text.strip_suffix(suffix).unwrap_or(text), factor),
            None => (text, 1),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BitRateError::Syntax);
        }
        let number: u64 = digits.parse().map_err(|_| BitRateError::Range)?;
        Self::from_bits_per_second(number.checked_mul(factor).ok_or(BitRateError::Range)?)
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, factor)| self.0.is_multiple_of(*factor)) {
            Some((suffix, factor)) => write!(f, "{}{suffix}", self.0 / factor),
            None => self.0.fmt(f),
        }
    }
}

crate::serde_as_text!(BitRate);
