//! Writing into homes and pages, which cannot be mapped into this process: see `map_abi::Poke`.

use std::os::fd::AsFd;

use aya::{Ebpf, programs::ProgramFd};
use map_abi::{HomeRef, POKES_MAX, Poke, WIPES_MAX, poke_table};
use zerocopy::IntoBytes;

use crate::{
    error::{ApplyError, OpenError},
    load::program,
    sys,
};

const CLERK: &str = "clerk";
const WIPER: &str = "wiper";
/// The kernel runs no program on a frame that is shorter than an Ethernet header; an empty poke is no place.
const POKES_MIN: usize = 1;
/// The same; unit 0 is none.
const WIPES_MIN: usize = 4;

/// What is to be written, in order, and who writes it.
pub(crate) struct Clerk {
    poker: ProgramFd,
    wiper: ProgramFd,
    pokes: Vec<Poke>,
    /// Units to be filled with zeros, after the pokes.
    units: Vec<u32>,
    failed: Option<ApplyError>,
    /// Words that were written and were not so before, and units that were wiped.
    pub(crate) writes: u64,
}

impl Clerk {
    pub(crate) fn new(ebpf: &mut Ebpf) -> Result<Self, OpenError> {
        Ok(Self {
            poker: loaded(ebpf, CLERK)?,
            wiper: loaded(ebpf, WIPER)?,
            pokes: Vec::with_capacity(POKES_MAX),
            units: Vec::with_capacity(WIPES_MAX),
            failed: None,
            writes: 0,
        })
    }

    /// A word of eight bytes of a home, counted from its beginning.
    pub(crate) fn poke_home(&mut self, home: HomeRef, word: u32, value: u64) {
        const WORDS_PER_UNIT: u32 = 128;
        let (chunk, unit) =
            (home.unit() / map_abi::UNIT_INDICES_PER_CHUNK, home.unit() % map_abi::UNIT_INDICES_PER_CHUNK);
        self.poke(poke_table::HOMES, chunk, unit * WORDS_PER_UNIT + word, value);
    }

    /// A word of a chunk's lines, counted from the chunk's first.
    pub(crate) fn store(&mut self, chunk: u32, word: u32, value: u64) {
        self.poke(poke_table::HOMES, chunk, word, value);
    }

    /// Adds to a word of a chunk's lines.
    pub(crate) fn add(&mut self, chunk: u32, word: u32, value: u64) {
        self.poke(poke_table::HOMES_ADD, chunk, word, value);
    }

    /// Adds to a counter by its table, one of `poke_table::COUNTERS`, and index.
    pub(crate) fn count(&mut self, table: u16, index: u32, by: u64) {
        self.poke(table, index, 0, by);
    }

    /// Where a C-VID leads to on a page of `LINES`.
    pub(crate) fn poke_line(&mut self, page: u32, c_vid: u16, home: HomeRef) {
        self.poke(poke_table::LINES, page, c_vid.into(), home.to_bits().into());
    }

    /// Where a group of 64 ports of a public address leads to.
    pub(crate) fn poke_ports(&mut self, address_index: u32, group: u32, bits: u32) {
        self.poke(poke_table::NAT_PORTS, address_index, group, bits.into());
    }

    fn poke(&mut self, table: u16, page: u32, word: u32, value: u64) {
        if !self.units.is_empty() || self.pokes.len() == POKES_MAX {
            self.write();
        }
        let word = u16::try_from(word).unwrap_or(u16::MAX);
        self.pokes.push(Poke { page, word, table, value });
    }

    /// Fills a home with zeros.
    pub(crate) fn wipe(&mut self, home: HomeRef) {
        for unit in home.unit()..home.unit() + home.units() {
            if self.units.len() == WIPES_MAX {
                self.write();
            }
            self.units.push(unit);
        }
    }

    /// Sees to it that all is written.
    pub(crate) fn flush(&mut self) -> Result<(), ApplyError> {
        self.write();
        self.failed.take().map_or(Ok(()), Err)
    }

    fn write(&mut self) {
        if !self.pokes.is_empty() {
            let wanted = std::mem::take(&mut self.pokes);
            let mut frame = wanted.clone();
            frame.resize(frame.len().max(POKES_MIN), Poke::default());
            let mut before = frame.clone();
            if let Err(error) = run(&self.poker, frame.as_bytes(), before.as_mut_bytes()) {
                self.failed.get_or_insert(error);
            }
            for (wanted, before) in wanted.iter().zip(&before) {
                if before.value == u64::MAX && wanted.value != u64::MAX {
                    self.failed.get_or_insert(ApplyError::NoPlace(*wanted));
                }
                self.writes += u64::from(before.value != wanted.value);
            }
            self.pokes = wanted;
            self.pokes.clear();
        }
        if !self.units.is_empty() {
            self.units.resize(self.units.len().max(WIPES_MIN), 0);
            let mut after = self.units.clone();
            if let Err(error) = run(&self.wiper, self.units.as_bytes(), after.as_mut_bytes()) {
                self.failed.get_or_insert(error);
            }
            self.writes += self.units.len() as u64;
            self.units.clear();
        }
    }
}

fn run(program: &ProgramFd, frame: &[u8], out: &mut [u8]) -> Result<(), ApplyError> {
    sys::run(program.as_fd(), frame, out).map_err(ApplyError::Clerk)
}

/// A program that is loaded, at the first call.
pub(crate) fn loaded(ebpf: &mut Ebpf, name: &'static str) -> Result<ProgramFd, OpenError> {
    let failed = |source| OpenError::Program { name, source };
    let program = program(ebpf, name)?;
    if program.fd().is_err() {
        program.load().map_err(failed)?;
    }
    let fd = program.fd().map_err(failed)?;
    fd.try_clone().map_err(|error| failed(error.into()))
}
