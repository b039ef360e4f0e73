//! What lies where in the maps, in words that outlive the programs: so that an agent whose maps are laid out otherwise
//! can read those of the agent before, field by field, by their names.
//!
//! Each object file carries the description of its own maps (`TEXT`, section `SECTION`), and whoever makes maps pins it
//! beside them (`map::LAYOUT`). Layouts are the same if their descriptions are.
//!
//! A field that changes its place, its length or its record's order is carried over by its name. One that changes its
//! meaning gets another name, and a conversion in `fastpath` from what it was called before.

mod records;
mod text;

pub use records::{CONSTANTS, INDICES, MAPS, RECORDS};
pub use text::TEXT;

/// The section of the object file that the description is in.
pub const SECTION: &str = "layout";

/// Whose a field is, and so what becomes of it when a map of another layout takes the place of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeper {
    /// User space writes it, and can write it anew from the node's desired state.
    User,
    /// The kernel writes it, or user space learned it: nobody else knows.
    Kernel,
    /// A `u64` that only grows: what was counted meanwhile in the old place is added.
    Counter,
    /// A `u64` of which the later one counts: a policer's clock.
    Latest,
    /// Not carried over: whoever makes the maps, or the next comparison with the desired state, writes it.
    Anew,
}

impl Keeper {
    pub const ALL: [Self; 5] = [Self::User, Self::Kernel, Self::Counter, Self::Latest, Self::Anew];

    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Kernel => "kernel",
            Self::Counter => "counter",
            Self::Latest => "latest",
            Self::Anew => "anew",
        }
    }
}

/// A field, or a record in a record.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub name: &'static str,
    pub offset: usize,
    pub bytes: usize,
    pub keeper: Keeper,
    /// Of a record in a record.
    pub fields: &'static [Self],
}

#[derive(Clone, Copy, Debug)]
pub struct Record {
    pub name: &'static str,
    pub bytes: usize,
    pub fields: &'static [Field],
}

/// A record that has a description.
pub trait Described {
    const RECORD: Record;
}

/// How a map is carried over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// An array that can be mapped into memory.
    Array { record: &'static str },
    /// An array of maps, each with one value.
    Pages { record: &'static str },
    /// The array of maps whose values are what sessions say: homes, flows and rules.
    Homes,
    /// A number for each CPU by an index that has a name: see `INDICES`.
    Counters,
    /// Entries with keys that are records, or of the kernel's own form, and values as they are. `grows`: the kernel adds
    /// some.
    Entries { key: &'static str, grows: bool },
    /// Made anew: it says what follows from other maps, or holds what nobody needs later.
    Anew,
}

#[derive(Clone, Copy, Debug)]
pub struct Map {
    pub name: &'static str,
    pub carried: Carried,
}
