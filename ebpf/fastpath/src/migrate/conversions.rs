//! Fields whose meaning has changed, and with it their names.
//!
//! Whoever changes what a field says, its unit for instance, gives it another name and adds a line to `CONVERSIONS` that
//! tells how it follows from the one before. Without a line, the field begins as zero, and that the old one was lost is
//! told by its name.

/// What a field of the old record holds, by its name.
pub(crate) type Old<'a> = &'a dyn Fn(&str) -> u64;
pub(crate) type Convert = fn(Old<'_>) -> u64;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Conversion {
    pub(crate) record: &'static str,
    pub(crate) field: &'static str,
    /// The field that it follows from; layouts that have none need no conversion.
    pub(crate) from: &'static str,
    pub(crate) convert: Convert,
}

/// There is none yet. One would be `Conversion { record: "Session", field: "punt_arrival_ns", from: "punt_arrival_q6",
/// convert: |old| old("punt_arrival_q6") >> 6 }`.
pub(crate) const CONVERSIONS: &[Conversion] = &[];
