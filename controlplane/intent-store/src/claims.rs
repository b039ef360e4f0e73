//! The claims: many, and small, each in one piece of memory.

use std::{borrow::Borrow, cmp::Ordering, collections::BTreeSet, ops::Bound};

use crate::Record;

#[derive(Debug, Default)]
pub(crate) struct Claims(BTreeSet<Claim>);

/// The length of the key (u32, native), the key, and the value.
#[derive(Debug)]
struct Claim(Box<[u8]>);

impl Claim {
    fn new(key: &str, value: &[u8]) -> Self {
        let length = u32::try_from(key.len()).expect("no key is of 4 GiB").to_ne_bytes();
        Self([&length, key.as_bytes(), value].concat().into())
    }

    fn parts(&self) -> (&str, &[u8]) {
        let (length, rest) = self.0.split_first_chunk().expect("it begins with a length");
        let (key, value) = rest.split_at(u32::from_ne_bytes(*length) as usize);
        (std::str::from_utf8(key).expect("it was made of a str"), value)
    }

    /// Without a look at whether it is text, for comparisons.
    fn key(&self) -> &[u8] {
        let (length, rest) = self.0.split_first_chunk().expect("it begins with a length");
        &rest[..u32::from_ne_bytes(*length) as usize]
    }

    fn record(&self) -> Record {
        Record { revision: 0, value: self.parts().1.into() }
    }
}

impl Borrow<[u8]> for Claim {
    fn borrow(&self) -> &[u8] {
        self.key()
    }
}

impl Ord for Claim {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for Claim {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Claim {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Claim {}

impl Claims {
    pub(crate) fn get(&self, key: &str) -> Option<Record> {
        self.0.get(key.as_bytes()).map(Claim::record)
    }

    pub(crate) fn insert(&mut self, key: &str, value: &[u8]) {
        self.0.replace(Claim::new(key, value));
    }

    pub(crate) fn remove(&mut self, key: &str) {
        self.0.remove(key.as_bytes());
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn from<'a>(&'a self, from: Bound<&str>) -> impl Iterator<Item = (&'a str, Record)> + use<'a> {
        let range = self.0.range::<[u8], _>((from.map(str::as_bytes), Bound::Unbounded));
        range.map(|claim| (claim.parts().0, claim.record()))
    }
}
