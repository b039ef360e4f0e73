use core::fmt;

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// In bytes, from the start of the message.
    pub offset: usize,
    /// What is missing or wrong there.
    pub what: &'static str,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.offset, self.what)
    }
}

impl core::error::Error for DecodeError {}

/// A message that has no form on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EncodeError {
    /// What cannot be written.
    pub field: &'static str,
    pub problem: Problem,
}

/// Why something cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// More than its length field, of 8 or 16 bits, can say.
    TooLong,
    /// Actions or messages that hold each other, more than eight deep.
    TooDeep,
    /// The version of OpenFlow has no such thing, or this crate does not know its form there.
    Version,
    /// A value for which there is no room in the form.
    Value,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let problem = match self.problem {
            Problem::TooLong => "is too long",
            Problem::TooDeep => "is nested too deep",
            Problem::Version => "is not in this version of OpenFlow",
            Problem::Value => "has a value that cannot be written",
        };
        write!(f, "{} {problem}", self.field)
    }
}

impl core::error::Error for EncodeError {}
