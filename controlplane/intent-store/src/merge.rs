//! Reading through layers: what a transaction wrote, over what its batch wrote, over what is durable.

use std::{collections::BTreeMap, iter::Peekable};

use crate::{Key, Record};

/// Writes over the layer below; `None` removes.
pub(crate) type Layer = BTreeMap<Key, Option<Record>>;

/// One layer's part of a range.
pub(crate) type Source<'a> = Box<dyn Iterator<Item = (&'a str, Option<Record>)> + 'a>;

/// The live pairs of several layers in the order of their keys; earlier layers hide later ones.
pub(crate) struct Merged<'a> {
    sources: [Peekable<Source<'a>>; 3],
}

impl<'a> Merged<'a> {
    pub(crate) fn new(sources: [Source<'a>; 3]) -> Self {
        Self { sources: sources.map(Iterator::peekable) }
    }
}

impl Iterator for Merged<'_> {
    type Item = (Key, Record);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let key =
                self.sources.iter_mut().filter_map(|source| source.peek().map(|(key, _)| *key)).min()?;
            let mut winner = None;
            for source in &mut self.sources {
                if let Some((_, record)) = source.next_if(|(other, _)| *other == key)
                    && winner.is_none()
                {
                    winner = Some(record);
                }
            }
            if let Some(Some(record)) = winner {
                return Some((key.into(), record));
            }
        }
    }
}
