//! The prefixes of a forwarding table of IPv6, and which of them an address is painted by.

use std::collections::HashMap;

use map_abi::FibTarget;
use net_types::Prefix6;

/// Two layers, each a longest prefix match: what is the office's own is painted over all routes, however long they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Route,
    Own,
}

/// What paints an address: where it leads to, and how much that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paint {
    pub(super) target: FibTarget,
    /// Of two prefixes that hold an address, the one with the higher paints it; no two have the same. 0: nothing; routes
    /// from 1 on by their length, and then the office's own by theirs.
    pub(super) rank: u16,
}

pub(super) const NOTHING: Paint = Paint { target: FibTarget::DEFAULT, rank: 0 };

const FIRST_OF_OWN: u16 = 130;

impl Paint {
    pub(super) fn new(layer: Layer, len: u8, target: FibTarget) -> Self {
        let first = if layer == Layer::Own { FIRST_OF_OWN } else { 1 };
        Self { target, rank: first + u16::from(len) }
    }

    /// What leads to a page, which is painted in its own place.
    pub(super) fn page(index: u32) -> Self {
        Self { target: FibTarget::new(FibTarget::KIND_PAGE, index), rank: u16::MAX }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes {
    own: Of,
    routes: Of,
}

/// The prefixes of a layer, and how many there are of each length: lengths without any are not looked for.
#[derive(Clone, Debug)]
struct Of {
    targets: HashMap<(u128, u8), FibTarget>,
    lengths: [u32; 129],
}

impl Default for Of {
    fn default() -> Self {
        Self { targets: HashMap::new(), lengths: [0; 129] }
    }
}

pub(super) fn bits(len: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0)
}

fn key(prefix: Prefix6) -> (u128, u8) {
    (prefix.network().to_bits(), prefix.len())
}

impl Of {
    /// The longest prefix of an address, of less than `limit` bits.
    fn best(&self, address: u128, limit: u8) -> Option<(u8, FibTarget)> {
        let lengths = (0..limit.min(129)).rev().filter(|len| self.lengths[usize::from(*len)] != 0);
        lengths.into_iter().find_map(|len| {
            let target = self.targets.get(&(address & bits(len), len))?;
            Some((len, *target))
        })
    }
}

impl Prefixes {
    fn of(&self, layer: Layer) -> &Of {
        match layer {
            Layer::Own => &self.own,
            Layer::Route => &self.routes,
        }
    }

    pub(super) fn get(&self, layer: Layer, prefix: Prefix6) -> Option<FibTarget> {
        self.of(layer).targets.get(&key(prefix)).copied()
    }

    pub(super) fn set(&mut self, layer: Layer, prefix: Prefix6, target: Option<FibTarget>) {
        let of = match layer {
            Layer::Own => &mut self.own,
            Layer::Route => &mut self.routes,
        };
        let before = match target {
            Some(target) => of.targets.insert(key(prefix), target),
            None => of.targets.remove(&key(prefix)),
        };
        let count = &mut of.lengths[usize::from(prefix.len())];
        *count = *count + u32::from(target.is_some()) - u32::from(before.is_some());
    }

    /// What paints an address, of prefixes of at most `max_len` bits.
    pub(super) fn best(&self, address: u128, max_len: u8) -> Paint {
        let of = |layer: Layer| {
            let (len, target) = self.of(layer).best(address, max_len.saturating_add(1))?;
            Some(Paint::new(layer, len, target))
        };
        of(Layer::Own).or_else(|| of(Layer::Route)).unwrap_or(NOTHING)
    }

    /// What paints all that a prefix of that layer does not paint any more; `None`: not the same everywhere.
    pub(super) fn under(&self, prefix: Prefix6, layer: Layer) -> Option<Paint> {
        let (address, len) = key(prefix);
        let shorter = |layer: Layer| {
            let (len, target) = self.of(layer).best(address, len)?;
            Some(Paint::new(layer, len, target))
        };
        match layer {
            Layer::Own => shorter(Layer::Own),
            Layer::Route => Some(shorter(Layer::Route).unwrap_or(NOTHING)),
        }
    }
}
