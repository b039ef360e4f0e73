//! Runs of `2^n` consecutive indices, aligned to their length: a buddy allocator.

use std::collections::BTreeSet;

/// Which indices below a limit are free. Index 0 never is: it means "none" everywhere.
#[derive(Clone, Debug)]
pub struct Runs {
    /// By order: the first indices of free runs of that length.
    free: Vec<BTreeSet<u32>>,
    used: u32,
    limit: u32,
}

impl Runs {
    /// The largest order that can be asked for.
    pub const ORDER_MAX: u32 = 27;

    /// Indices 1 to `limit - 1`, all free.
    pub fn new(limit: u32) -> Self {
        let mut runs = Self { free: vec![BTreeSet::new(); Self::ORDER_MAX as usize + 1], used: 0, limit };
        let mut first = 1;
        while first < limit {
            let fits = (limit - first).ilog2();
            let order = first.trailing_zeros().min(fits).min(Self::ORDER_MAX);
            runs.free[order as usize].insert(first);
            first += 1 << order;
        }
        runs
    }

    /// How many indices are taken.
    pub fn used(&self) -> u32 {
        self.used
    }

    /// Takes the lowest free run of `2^order` indices; `None`: there is none, or the order is too large.
    pub fn take(&mut self, order: u32) -> Option<u32> {
        let smallest = (order..=Self::ORDER_MAX).find(|&n| !self.free[n as usize].is_empty())?;
        let first = self.free[smallest as usize].pop_first()?;
        self.give_back_rest(first, smallest, first, order);
        self.used += 1 << order;
        Some(first)
    }

    /// Takes this very run; false if any part of it is taken, unaligned or beyond the limit.
    #[must_use]
    pub fn take_at(&mut self, first: u32, order: u32) -> bool {
        if order > Self::ORDER_MAX || first & ((1 << order) - 1) != 0 || first == 0 {
            return false;
        }
        let holder = (order..=Self::ORDER_MAX).find(|&n| self.free[n as usize].contains(&(first >> n << n)));
        let Some(holder) = holder else { return false };
        let from = first >> holder << holder;
        self.free[holder as usize].remove(&from);
        self.give_back_rest(from, holder, first, order);
        self.used += 1 << order;
        true
    }

    /// Gives back a run that was taken.
    pub fn release(&mut self, first: u32, order: u32) {
        debug_assert!(first != 0 && first + (1 << order) <= self.limit, "not a run of this allocator");
        self.used -= 1 << order;
        let (mut first, mut order) = (first, order);
        while order < Self::ORDER_MAX && self.free[order as usize].remove(&(first ^ 1 << order)) {
            first &= !(1 << order);
            order += 1;
        }
        self.free[order as usize].insert(first);
    }

    /// Of a run of order `from_order` at `from`, keeps the part of order `order` at `first` and frees the rest.
    fn give_back_rest(&mut self, from: u32, from_order: u32, first: u32, order: u32) {
        let mut from = from;
        for half in (order..from_order).rev() {
            let upper = from + (1 << half);
            if first < upper {
                self.free[half as usize].insert(upper);
            } else {
                self.free[half as usize].insert(from);
                from = upper;
            }
        }
    }
}
