//! Any message: made of random bytes, so that proptest can make it smaller.

mod actions;
mod fields;
mod messages;
mod multipart;

use openflow::Version;

/// Where choices come from; when it is used up, the smallest is chosen.
pub(crate) struct Entropy<'a> {
    rest: &'a [u8],
    pub version: Version,
    /// How much deeper structures may hold each other.
    pub depth: u8,
}

impl<'a> Entropy<'a> {
    pub(crate) const fn new(version: Version, bytes: &'a [u8]) -> Self {
        Self { rest: bytes, version, depth: 3 }
    }

    fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *byte
    }

    /// Less than `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::from(u16::make(self)) % bound
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// As many bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }
}

/// What can be made of anything.
pub(crate) trait Make: Sized {
    fn make(entropy: &mut Entropy<'_>) -> Self;
}

/// What there is only since a version.
fn since<T: Make + Default>(version: Version, entropy: &mut Entropy<'_>) -> T {
    if entropy.version < version { T::default() } else { T::make(entropy) }
}

macro_rules! integers {
    ($($integer:ident)*) => {
        $(impl Make for $integer {
            fn make(entropy: &mut Entropy<'_>) -> Self {
                let bytes = std::array::from_fn(|_| entropy.byte());
                Self::from_be_bytes(bytes)
            }
        })*
    };
}

integers!(u8 u16 u32 u64 u128);

impl<const N: usize> Make for [u8; N] {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        std::array::from_fn(|_| entropy.byte())
    }
}

impl Make for bool {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        entropy.byte() & 1 == 1
    }
}

impl<T: Make> Make for Option<T> {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        bool::make(entropy).then(|| T::make(entropy))
    }
}

impl<T: Make> Make for Vec<T> {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        (0..entropy.below(4)).map(|_| T::make(entropy)).collect()
    }
}

impl<T: Make> Make for Box<T> {
    fn make(entropy: &mut Entropy<'_>) -> Self {
        Self::new(T::make(entropy))
    }
}

/// Structures of which every field can be anything.
macro_rules! structures {
    ($($type:ident { $($field:ident),* $(,)? })*) => {
        $(impl Make for $type {
            fn make(entropy: &mut Entropy<'_>) -> Self {
                Self { $($field: Make::make(entropy)),* }
            }
        })*
    };
}

/// Numbers that can be anything.
macro_rules! numbers {
    ($($type:ident)*) => {
        $(impl Make for $type {
            fn make(entropy: &mut Entropy<'_>) -> Self {
                Self(Make::make(entropy))
            }
        })*
    };
}

/// Sets of flags that can be anything.
macro_rules! flag_sets {
    ($($type:ident)*) => {
        $(impl Make for $type {
            fn make(entropy: &mut Entropy<'_>) -> Self {
                Self::from_bits_retain(Make::make(entropy))
            }
        })*
    };
}

/// Enumerations, of which each variant says how it is made.
macro_rules! enumerations {
    ($($type:ty { $($made:expr),* $(,)? })*) => {
        $(impl Make for $type {
            fn make(entropy: &mut Entropy<'_>) -> Self {
                let variants: &[fn(&mut Entropy<'_>) -> Self] = &[$($made),*];
                entropy.pick(variants)(entropy)
            }
        })*
    };
}

pub(crate) use {enumerations, flag_sets, numbers, structures};
