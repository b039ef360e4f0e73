//! Slots that are used again, under ids that are not.

/// Names a slot's present tenant; of an earlier one, it names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Id {
    index: u32,
    version: u32,
}

impl Id {
    pub(super) const MIN: Self = Self { index: 0, version: 0 };
    pub(super) const MAX: Self = Self { index: u32::MAX, version: u32::MAX };
}

pub(super) struct Slab<T> {
    slots: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(super) fn insert(&mut self, value: T) -> Id {
        if let Some(index) = self.free.pop() {
            let slot = &mut self.slots[index as usize];
            slot.1 = Some(value);
            return Id { index, version: slot.0 };
        }
        let index = u32::try_from(self.slots.len()).expect("fewer than 2^32 objects fit in memory");
        self.slots.push((0, Some(value)));
        Id { index, version: 0 }
    }

    pub(super) fn remove(&mut self, id: Id) {
        if self.get(id).is_some() {
            let slot = &mut self.slots[id.index as usize];
            *slot = (slot.0.wrapping_add(1), None);
            self.free.push(id.index);
        }
    }

    pub(super) fn get(&self, id: Id) -> Option<&T> {
        self.slots.get(id.index as usize).filter(|slot| slot.0 == id.version)?.1.as_ref()
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.slots.get_mut(id.index as usize).filter(|slot| slot.0 == id.version)?.1.as_mut()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Id, &T)> {
        self.slots.iter().zip(0..).filter_map(|((version, value), index)| {
            value.as_ref().map(|value| (Id { index, version: *version }, value))
        })
    }
}

/// For ids that the scheduler's own structures hold: they are taken out of those before their slot is freed.
impl<T> std::ops::Index<Id> for Slab<T> {
    type Output = T;

    fn index(&self, id: Id) -> &T {
        self.get(id).expect("an id that is still referred to is alive")
    }
}

impl<T> std::ops::IndexMut<Id> for Slab<T> {
    fn index_mut(&mut self, id: Id) -> &mut T {
        self.get_mut(id).expect("an id that is still referred to is alive")
    }
}
