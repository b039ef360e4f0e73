//! Times of a week.

use core::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Weekday {
    pub const ALL: [Self; 7] = [Self::Mon, Self::Tue, Self::Wed, Self::Thu, Self::Fri, Self::Sat, Self::Sun];
}

/// A time of day in whole minutes, written `21:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeOfDay(u16);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a time of day from 00:00 to 23:59")]
pub struct TimeOfDayError;

impl TimeOfDay {
    /// Since midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

impl FromStr for TimeOfDay {
    type Err = TimeOfDayError;

    fn from_str(text: &str) -> Result<Self, TimeOfDayError> {
        let (hours, minutes) = clock(text).ok_or(TimeOfDayError)?;
        if hours > 23 { Err(TimeOfDayError) } else { Ok(Self(hours * 60 + minutes)) }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

crate::serde_as_text!(TimeOfDay);

/// How far clocks are ahead of UTC, in whole minutes, written `+01:00` or `-03:30`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcOffset(i16);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an offset from UTC from -14:00 to +14:00")]
pub struct UtcOffsetError;

impl UtcOffset {
    const MAX: i16 = 14 * 60;

    pub const fn minutes(self) -> i16 {
        self.0
    }
}

impl FromStr for UtcOffset {
    type Err = UtcOffsetError;

    fn from_str(text: &str) -> Result<Self, UtcOffsetError> {
        let (sign, rest) = match text.as_bytes().first() {
            Some(b'+') => (1, &text[1..]),
            Some(b'-') => (-1, &text[1..]),
            _ => return Err(UtcOffsetError),
        };
        let (hours, minutes) = clock(rest).ok_or(UtcOffsetError)?;
        let minutes = i16::try_from(hours * 60 + minutes).map_err(|_| UtcOffsetError)?;
        if minutes > Self::MAX { Err(UtcOffsetError) } else { Ok(Self(sign * minutes)) }
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.unsigned_abs());
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

crate::serde_as_text!(UtcOffset);

/// Two digits each, of which the latter are below 60.
fn clock(text: &str) -> Option<(u16, u16)> {
    let &[a, b, b':', c, d] = text.as_bytes() else { return None };
    let number = |tens: u8, ones: u8| {
        let is_digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        is_digits.then(|| u16::from(tens - b'0') * 10 + u16::from(ones - b'0'))
    };
    Some((number(a, b)?, number(c, d)?)).filter(|(_, minutes)| *minutes < 60)
}
