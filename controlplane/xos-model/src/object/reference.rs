//! What one object says of another.

use net_types::Name;

use crate::{KindName, Pointer};

/// A field that names another object. The object must be there, and stays for as long as the field names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The field, from the top of the object.
    pub pointer: Pointer,
    pub kind: KindName,
    pub name: Name,
}

impl Reference {
    pub fn new(pointer: impl Into<Pointer>, kind: KindName, name: &Name) -> Self {
        Self { pointer: pointer.into(), kind, name: name.clone() }
    }
    /// One for each name of a list at `pointer`.
    pub(crate) fn list(
        pointer: impl Into<Pointer>,
        kind: KindName,
        names: &[Name],
    ) -> impl Iterator<Item = Self> {
        let at = pointer.into();
        names.iter().enumerate().map(move |(i, name)| Self::new(at.at(i), kind, name))
    }
}
