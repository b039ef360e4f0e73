//! From maps of one layout to maps of another, under traffic.
//!
//! An agent whose programs want another layout than the pinned maps have makes its own maps beside them and carries over
//! what is in those, field by field, by their descriptions (`map_abi::layout`). While it does, the programs before go on;
//! it follows what they change until little does, puts its own programs on all ports, one after the other, each
//! atomically, and once more carries over what changed. The desired state comes after that, as at every start.
//!
//! Both ways alike: an older agent takes over from a newer one, and says what it has no place for. Maps that cannot be
//! understood are removed, with an error that says why.

mod arrays;
mod carrier;
mod conversions;
mod description;
mod entries;
mod homes;
mod pages;
mod pins;
mod plan;
mod reading;
mod swap;
#[cfg(test)]
mod tests;
mod words;

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use aya::Ebpf;
use map_abi::{layout, map};
use object::{Object as _, ObjectSection as _};

pub use self::reading::Reading;
use self::{
    carrier::Carrier,
    description::{Description, DescriptionError},
};
use crate::{
    clerk::Clerk,
    error::OpenError,
    load::{self, Lengths, Rings},
    sys,
};

/// What was carried over from maps of another layout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migration {
    pub sessions: u64,
    /// Of NAT; those that ran out but were not reclaimed yet included.
    pub mappings: u64,
    /// Of firewalls.
    pub flows: u64,
    /// Fields and counters for which there is no place, and in how many records they said something.
    pub lost: BTreeMap<String, u64>,
    pub took: Duration,
    /// From the first port's change of programs to the end of the last look at the maps before.
    pub swap_took: Duration,
    /// Why nothing was carried over: sessions begin anew.
    pub failure: Option<String>,
}

/// Looks at maps that are filled, before the ports change over, at most.
const LOOKS_MAX: usize = 8;
/// Changes from one look to the next that are few.
const FEW: u64 = 64;

/// The description that an object file carries.
pub(crate) fn text_of(object: &[u8]) -> Result<Vec<u8>, OpenError> {
    let file = object::File::parse(object).map_err(|_| OpenError::NoLayout)?;
    let section = file.section_by_name(layout::SECTION).ok_or(OpenError::NoLayout)?;
    section.data().map(<[u8]>::to_vec).map_err(|_| OpenError::NoLayout)
}

/// The description of maps that are pinned, without zeros after it; empty: they have none.
fn held_text(pin_dir: &Path) -> Vec<u8> {
    use std::os::fd::AsFd;

    let Ok(pinned) = aya::maps::MapData::from_pin(pin_dir.join(map::LAYOUT)) else { return Vec::new() };
    let Ok(info) = pinned.info() else { return Vec::new() };
    // Room for what the kernel pads a value to.
    let mut text = vec![0; (info.value_size() as usize).next_multiple_of(8)];
    match sys::lookup(pinned.fd().as_fd(), &[0; 4], &mut text) {
        Ok(()) => text.into_iter().take(info.value_size() as usize).collect(),
        Err(_) => Vec::new(),
    }
}

/// Whether maps of that layout are pinned; `None`: there are none.
pub(crate) fn is_held(pin_dir: &Path, wanted: &[u8]) -> Option<bool> {
    pin_dir.join(map::SESSIONS).exists().then(|| held_text(pin_dir) == wanted)
}

/// Loads the programs, onto maps of their layout, whatever is pinned.
pub(crate) fn open(
    pin_dir: &Path,
    lengths: Lengths,
    object: &[u8],
) -> Result<(Ebpf, Rings, Option<Migration>), OpenError> {
    let pins = |source| OpenError::Pins { path: pin_dir.to_owned(), source };
    pins::settle(pin_dir).map_err(pins)?;
    let wanted = text_of(object)?;
    if is_held(pin_dir, &wanted) != Some(false) {
        let (ebpf, rings) = load::onto(pin_dir, lengths, object, &wanted)?;
        load::stamp(pin_dir)?;
        return Ok((ebpf, rings, None));
    }
    match descriptions(&held_text(pin_dir), &wanted) {
        Ok(both) => {
            let done = migrate(pin_dir, lengths, (object, &wanted), &both);
            if done.is_err() {
                pins::give_up(pin_dir);
            }
            let (ebpf, rings, migration) = done?;
            tracing::info!(
                sessions = migration.sessions,
                mappings = migration.mappings,
                flows = migration.flows,
                took = ?migration.took,
                swap_took = ?migration.swap_took,
                "the maps were of another layout, and what is in them was carried over"
            );
            for (field, records) in &migration.lost {
                tracing::warn!(field, records, "this layout has no place for it");
            }
            Ok((ebpf, rings, Some(migration)))
        }
        Err(error) => {
            tracing::error!(%error, "the maps of another agent are not understood: all sessions begin anew");
            pins::remove_all(pin_dir).map_err(pins)?;
            let (ebpf, rings) = load::onto(pin_dir, lengths, object, &wanted)?;
            load::stamp(pin_dir)?;
            let failure = Some(error.to_string());
            Ok((ebpf, rings, Some(Migration { failure, ..Migration::default() })))
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Strange {
    #[error("{0}")]
    Description(#[from] DescriptionError),
    #[error("{name} is {found} there and {wanted} here")]
    Constant { name: String, found: u64, wanted: u64 },
    #[error("{0} is not in their description")]
    NoRecord(&'static str),
    #[error("{name} is {found} bytes there and {wanted} here")]
    Length { name: &'static str, found: usize, wanted: usize },
}

/// Both layouts, if one can follow from the other.
fn descriptions(held: &[u8], wanted: &[u8]) -> Result<(Description, Description), Strange> {
    if held.is_empty() {
        return Err(DescriptionError::None.into());
    }
    let (old, new) = (Description::parse(held)?, Description::parse(wanted)?);
    for (name, wanted) in &new.constants {
        match old.constants.get(name) {
            Some(found) if found != wanted => {
                return Err(Strange::Constant { name: name.clone(), found: *found, wanted: *wanted });
            }
            _ => {}
        }
    }
    for name in homes::KINDS {
        let found = old.record(name).ok_or(Strange::NoRecord(name))?.bytes;
        let wanted = new.record(name).ok_or(Strange::NoRecord(name))?.bytes;
        // Places in a home are worked out with it.
        if found != wanted || found == 0 || found % 8 != 0 {
            return Err(Strange::Length { name, found, wanted });
        }
    }
    let sessions = old.record("Session").ok_or(Strange::NoRecord("Session"))?;
    for name in ["in_use", "home", "flows", "rules"] {
        if sessions.field(name).is_none() {
            return Err(Strange::NoRecord("Session"));
        }
    }
    Ok((old, new))
}

fn migrate(
    pin_dir: &Path,
    lengths: Lengths,
    (object, text): (&[u8], &[u8]),
    (old, new): &(Description, Description),
) -> Result<(Ebpf, Rings, Migration), OpenError> {
    let pins = |source| OpenError::Pins { path: pin_dir.to_owned(), source };
    let began = Instant::now();
    let next = pins::next(pin_dir).map_err(pins)?;
    // What is there has its place only in maps that are as long.
    let (mut ebpf, rings) = load::onto(&next, lengths.at_least(&Lengths::held(pin_dir)?), object, text)?;
    let mut clerk = Clerk::new(&mut ebpf)?;
    let mut carrier = Carrier::open(pin_dir, &next, old, new)?;
    carrier.copy()?;
    load::stamp(&next)?;
    for _ in 0..LOOKS_MAX {
        if carrier.follow(&mut clerk, false)? <= FEW {
            break;
        }
    }
    let swap_began = Instant::now();
    pins::commit(pin_dir).map_err(pins)?;
    swap::ports(&mut ebpf, pin_dir, &pin_dir.join(pins::SWAPPED))?;
    carrier.follow(&mut clerk, true)?;
    let swap_took = swap_began.elapsed();
    // Programs that had begun on a frame before the change are done after this.
    sys::wait_for_programs().map_err(OpenError::Wait)?;
    carrier.follow(&mut clerk, true)?;
    pins::settle(pin_dir).map_err(pins)?;
    let migration = Migration { swap_took, took: began.elapsed(), ..carrier.report() };
    Ok((ebpf, rings, migration))
}
