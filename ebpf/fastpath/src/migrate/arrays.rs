//! Arrays, row by row.

use std::path::Path;

use super::{
    plan::{Lost, Plan},
    words::Words,
};
use crate::{error::OpenError, mapped::Access};

pub(crate) struct ArrayCopy {
    pub(crate) old: Words,
    new: Words,
    pub(crate) plan: Plan,
    /// What was seen at the look before, converted; empty if only user space writes here.
    seen: Vec<u8>,
}

impl ArrayCopy {
    pub(crate) fn open(old: &Path, new: &Path, name: &'static str, plan: Plan) -> Result<Self, OpenError> {
        let (old, new) = (Words::open(old, name, Access::Read)?, Words::open(new, name, Access::Write)?);
        for (found, wanted) in [(old.row_bytes(), plan.old_bytes()), (new.row_bytes(), plan.new_bytes())] {
            if found != wanted.next_multiple_of(8) {
                return Err(OpenError::ValueSize { name, found, wanted });
            }
        }
        let seen =
            if plan.is_alive { vec![0; new.row_bytes() * new.rows().min(old.rows())] } else { Vec::new() };
        Ok(Self { old, new, plan, seen })
    }

    /// Carries over what has changed since the look before; how many rows that were.
    pub(crate) fn look(&mut self, is_first: bool) -> u64 {
        if !is_first && self.seen.is_empty() {
            return 0;
        }
        let mut changed = 0;
        let mut from = vec![0; self.old.row_bytes()];
        let row_bytes = self.new.row_bytes();
        let zeros = vec![0; row_bytes];
        for row in 0..self.old.rows().min(self.new.rows()) {
            if !self.old.read(row, &mut from) && is_first {
                continue;
            }
            let mut to = zeros.clone();
            self.plan.convert(&from, &mut to);
            let earlier = self.seen.get(row * row_bytes..(row + 1) * row_bytes).unwrap_or(&zeros);
            let ops = self.plan.ops(earlier, &to);
            changed += u64::from(!ops.is_empty());
            for (word, op) in ops {
                self.new.change(row, word, op);
            }
            if let Some(earlier) = self.seen.get_mut(row * row_bytes..(row + 1) * row_bytes) {
                earlier.copy_from_slice(&to);
            }
        }
        changed
    }

    pub(crate) fn count_lost(&self, lost: &mut Lost) {
        let mut from = vec![0; self.old.row_bytes()];
        let rows = if self.plan.has_gaps() { self.old.rows() } else { 0 };
        for row in 0..rows {
            if self.old.read(row, &mut from) {
                self.plan.count_lost(&from, lost);
            }
        }
    }
}
