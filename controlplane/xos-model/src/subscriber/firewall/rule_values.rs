//! Protocols and ports as they are written in rules.

use std::{fmt, str::FromStr};

use crate::values::serde_as_text;

/// A protocol above IP: `tcp`, `udp`, `icmp`, `icmpv6`, or a number (IANA, "Assigned Internet Protocol Numbers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleProtocol(u8);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not tcp, udp, icmp, icmpv6 or a number from 0 to 255")]
pub struct RuleProtocolError;

const NAMES: [(&str, u8); 4] = [("tcp", 6), ("udp", 17), ("icmp", 1), ("icmpv6", 58)];

impl RuleProtocol {
    pub fn number(self) -> u8 {
        self.0
    }

    pub(super) fn has_ports(self) -> bool {
        matches!(self.0, 6 | 17)
    }
}

impl FromStr for RuleProtocol {
    type Err = RuleProtocolError;

    fn from_str(text: &str) -> Result<Self, RuleProtocolError> {
        let named = NAMES.iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
        named.or_else(|| decimal(text)?.try_into().ok()).map(Self).ok_or(RuleProtocolError)
    }
}

impl fmt::Display for RuleProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

serde_as_text!(RuleProtocol);

/// One port or several in a row: `22` or `6000-6010`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortRange {
    first: u16,
    last: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a port or ports in a row, as 22 or 6000-6010")]
pub struct PortRangeError;

impl PortRange {
    pub fn first(self) -> u16 {
        self.first
    }

    pub fn last(self) -> u16 {
        self.last
    }
}

impl FromStr for PortRange {
    type Err = PortRangeError;

    fn from_str(text: &str) -> Result<Self, PortRangeError> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (decimal(first), decimal(last)) {
            (Some(first), Some(last)) if first <= last => Ok(Self { first, last }),
            _ => Err(PortRangeError),
        }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { self.first.fmt(f) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

serde_as_text!(PortRange);

/// Digits alone, as `parse` takes a sign too.
fn decimal(text: &str) -> Option<u16> {
    let is_plain = (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (text, shown) in [("tcp", "tcp"), ("6", "tcp"), ("58", "icmpv6"), ("47", "47"), ("0", "0")] {
            assert_eq!(text.parse::<RuleProtocol>().expect(text).to_string(), shown);
        }
        for text in ["", "TCP", "256", "-1", "+6", "6.0"] {
            assert_eq!(text.parse::<RuleProtocol>(), Err(RuleProtocolError), "{text}");
        }
        for (text, shown) in [("22", "22"), ("22-22", "22"), ("0-65535", "0-65535")] {
            assert_eq!(text.parse::<PortRange>().expect(text).to_string(), shown);
        }
        for text in ["", "-", "22-", "-22", "23-22", "65536", "+1", "1-2-3", "1 - 2"] {
            assert_eq!(text.parse::<PortRange>(), Err(PortRangeError), "{text}");
        }
    }
}
