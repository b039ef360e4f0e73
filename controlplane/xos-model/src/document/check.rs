//! Rules that many kinds share.

use std::{collections::BTreeSet, fmt::Display, ops::RangeInclusive};

use super::{Fault, Pointer};

/// A list or map at `at` has at most `max` of `what`.
pub(crate) fn at_most(faults: &mut Vec<Fault>, at: &Pointer, len: usize, max: usize, what: &str) {
    if len > max {
        faults.push(Fault::new(at.clone(), format!("at most {max} {what}, not {len}")));
    }
}

/// A list at `at` has at most `max` items and none of them twice.
pub(crate) fn set<T: Ord + Display>(faults: &mut Vec<Fault>, at: &Pointer, items: &[T], max: usize) {
    at_most(faults, at, items.len(), max, "items");
    let mut seen = BTreeSet::new();
    for (i, item) in items.iter().enumerate().take(max) {
        if !seen.insert(item) {
            faults.push(Fault::new(at.at(i), format!("{item} is there twice")));
        }
    }
}

/// A number at `at` lies in `range`.
pub(crate) fn within<T: PartialOrd + Display>(
    faults: &mut Vec<Fault>,
    at: impl Into<Pointer>,
    value: &T,
    range: &RangeInclusive<T>,
) {
    if !range.contains(value) {
        faults.push(Fault::new(at, format!("between {} and {}, not {value}", range.start(), range.end())));
    }
}
