//! Values as they lie in memory: objects of a kind are much alike, so each is kept as what sets it apart from one of
//! them.

use std::{collections::HashMap, sync::Arc};

use lz4_flex::block::{compress_with_dict, decompress_with_dict};

/// Values below this are kept as they are, and make no pattern.
const PACKED_BYTES_MIN: usize = 64;
/// What of a value is taken as the pattern of its kind: LZ4 looks back no further than 64 KiB.
const PATTERN_BYTES_MAX: usize = 16 << 10;
/// Kinds beyond this have no pattern. There are a few dozen.
const PATTERNS_MAX: usize = 200;

/// A value; clones share it.
///
/// The first byte says how it is packed: 0 that it is not, anything else which pattern unpacks it, and then its
/// length follows (u32, little-endian).
#[derive(Clone, Debug)]
pub(crate) struct Packed(Arc<[u8]>);

/// The patterns that values are packed with; one is never replaced, since values depend on it.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    patterns: Vec<Box<[u8]>>,
    of_kind: HashMap<Box<str>, u8>,
}

impl Packed {
    /// How many bytes it takes.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The objects of a kind share what comes before the first slash.
fn kind(key: &str) -> &str {
    key.split_once('/').map_or("", |(kind, _)| kind)
}

impl Patterns {
    /// Whether nothing is to be learnt from this value.
    pub(crate) fn knows(&self, key: &str, value: &[u8]) -> bool {
        value.len() < PACKED_BYTES_MIN
            || self.patterns.len() == PATTERNS_MAX
            || self.of_kind.contains_key(kind(key))
    }

    /// Takes the first value of a kind as its pattern.
    pub(crate) fn learn(&mut self, key: &str, value: &[u8]) {
        if !self.knows(key, value) {
            self.patterns.push(value[..value.len().min(PATTERN_BYTES_MAX)].into());
            let number = u8::try_from(self.patterns.len()).expect("there are fewer than 256 patterns");
            self.of_kind.insert(kind(key).into(), number);
        }
    }

    pub(crate) fn pack(&self, key: &str, value: &[u8]) -> Packed {
        if let Some(number) = self.of_kind.get(kind(key)).copied().filter(|_| value.len() >= PACKED_BYTES_MIN)
            && let Ok(length) = u32::try_from(value.len())
        {
            let packed = compress_with_dict(value, self.pattern(number));
            if packed.len() + size_of_val(&length) < value.len() {
                return Packed([&[number], length.to_le_bytes().as_slice(), &packed].concat().into());
            }
        }
        Packed([&[0], value].concat().into())
    }

    fn pattern(&self, number: u8) -> &[u8] {
        &self.patterns[usize::from(number) - 1]
    }

    pub(crate) fn unpack(&self, packed: &Packed) -> Arc<[u8]> {
        match &*packed.0 {
            [0, value @ ..] => value.into(),
            [number, a, b, c, d, value @ ..] => {
                let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
                let value = decompress_with_dict(value, length, self.pattern(*number));
                value.expect("what was packed with a pattern is unpacked with it").into()
            }
            _ => unreachable!("a packed value begins with how it is packed"),
        }
    }
}

#[cfg(test)]
mod tests;
