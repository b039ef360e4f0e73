//! An agent takes over from another whose maps are laid out otherwise, both ways: the programs of `PROBE` have the fields
//! of sessions, homes and mappings in other places.

mod live;
mod state;
mod strange;

use std::collections::BTreeMap;

use fastpath::{Migration, change_over};

use crate::world::World;

/// The programs of an agent of another version.
static PROBE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe.o"));

pub(crate) fn change_to_probe(world: &World) -> Migration {
    let done = change_over(&world.options(), PROBE).unwrap_or_else(|error| panic!("{error}"));
    done.expect("the maps were laid out otherwise")
}

pub(crate) fn assert_nothing_lost(migration: &Migration) {
    assert_eq!((migration.failure.as_deref(), &migration.lost), (None, &BTreeMap::new()));
}
