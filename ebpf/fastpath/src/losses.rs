//! What is counted by CPU: how frames ended, and what found no room on its way to user space.

use std::path::Path;

use aya::maps::{Map, MapData, PerCpuArray};
use map_abi::{Loss, Tally, map};

use crate::error::OpenError;

/// What found no room on its way to user space since the maps were made, over all CPUs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Events, of which nobody knows now.
    pub events: u64,
    /// Packets for user space. Those that came too fast for their subscriber are not among them.
    pub punts: u64,
}

/// A number for each CPU, by index.
pub(crate) type Counters = PerCpuArray<MapData, u64>;

pub(crate) fn counters(pin_dir: &Path, name: &'static str) -> Result<Counters, OpenError> {
    let failed = |source| OpenError::Map { name, source };
    let data = MapData::from_pin(pin_dir.join(name)).map_err(failed)?;
    PerCpuArray::try_from(Map::PerCpuArray(data)).map_err(failed)
}

/// The sum over all CPUs.
pub(crate) fn sum(counters: &Counters, name: &'static str, index: u32) -> Result<u64, OpenError> {
    let counts = counters.get(&index, 0).map_err(|source| OpenError::Map { name, source })?;
    Ok(counts.iter().sum())
}

pub(crate) fn losses(counters: &Counters) -> Result<Losses, OpenError> {
    let of = |loss: Loss| sum(counters, map::LOSSES, loss as u32);
    Ok(Losses { events: of(Loss::Event)?, punts: of(Loss::Punt)? })
}

/// How all packets ended that came in since the maps were made, over all CPUs.
pub(crate) fn tally(ends: &Counters, drops: &Counters) -> Result<Tally, OpenError> {
    let mut tally = Tally::default();
    for (counters, name, counts) in
        [(ends, map::ENDS, &mut tally.ends[..]), (drops, map::DROPS, &mut tally.drops[..])]
    {
        for (index, count) in (0..).zip(counts) {
            *count = sum(counters, name, index)?;
        }
    }
    Ok(tally)
}
