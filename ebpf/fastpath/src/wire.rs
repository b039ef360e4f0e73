//! Frames at full speed into a real interface, and a place where they end: the live benchmark's programs
//! (ebpf/programs/src/bench).

use std::os::fd::AsFd;

use aya::{
    Ebpf,
    maps::{MapData, PerCpuArray, xdp::DevMap},
    programs::xdp::XdpMode,
};
use map_abi::{BenchSettings, expected_source, map};

use crate::{
    error::OpenError,
    harness::{INSIDE_PORT, PAYLOAD_MIN, REMOTE, first_words, program, tagged_ethernet, udp_frame, words},
    mapped::{Access, Mapped, Writer, put_words},
    object::BENCH_OBJECT,
    sys,
};

/// What is sent, and how it is known when it comes.
#[derive(Clone, Copy, Debug)]
pub struct WireOptions<'a> {
    /// The interface whose other end is to receive the frames.
    pub from: u32,
    /// The other end's Ethernet address.
    pub to_mac: [u8; 6],
    /// The interface where they end.
    pub sink: &'a str,
    /// The benchmark's subscribers; one is picked at random for each frame.
    pub subscribers: u32,
    /// Whether frames have their two tags.
    pub is_tagged: bool,
    /// Whether the public address is expected at the end.
    pub is_translated: bool,
}

/// Frames that came to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Arrived {
    pub all: u64,
    /// Those from the address that their subscriber has there.
    pub right: u64,
}

/// A generator and a sink.
pub struct Wire {
    ebpf: Ebpf,
    settings: Mapped<BenchSettings>,
    counts: PerCpuArray<MapData, u64>,
    generator: &'static str,
    frame: Vec<u8>,
    options: (u32, u32),
}

impl Wire {
    /// In the network namespace of the interfaces.
    pub fn new(options: &WireOptions<'_>) -> Result<Self, OpenError> {
        let mut ebpf = Ebpf::load(BENCH_OBJECT)?;
        let (generator, ethernet) = if options.is_tagged {
            ("generate_tagged", tagged_ethernet(options.to_mac))
        } else {
            ("generate_plain", [&options.to_mac[..], &[2, 0, 0, 0, 0, 0, 8, 0]].concat())
        };
        // Without a checksum, for the kernel's connection tracking verifies one.
        let frame = udp_frame(ethernet, [[0; 4], REMOTE], [INSIDE_PORT, 53], 0, PAYLOAD_MIN);
        let failed = |source| OpenError::Program { name: generator, source };
        program(&mut ebpf, generator)?.load().map_err(failed)?;
        attach(&mut ebpf, "sink", options.sink)?;
        redirect(&mut ebpf, map::BENCH_WIRE, options.from)?;
        let name = map::BENCH;
        let aya::maps::Map::Array(data) = ebpf.map(name).ok_or(OpenError::NoMap(name))? else {
            return Err(OpenError::NoMap(name));
        };
        let settings = Mapped::new(name, data, Access::Write)?;
        let name = map::BENCH_SINK;
        let counts = ebpf.take_map(name).ok_or(OpenError::NoMap(name))?;
        let counts = PerCpuArray::try_from(counts).map_err(|source| OpenError::Map { name, source })?;
        let expected =
            if options.is_translated { expected_source::EXTERNAL } else { expected_source::INSIDE };
        Ok(Self { ebpf, settings, counts, generator, frame, options: (options.subscribers, expected) })
    }

    /// Puts the least that a program can do on an interface: parse, and send on by another.
    pub fn attach_bare(&mut self, access: &str, core: u32) -> Result<(), OpenError> {
        redirect(&mut self.ebpf, map::BENCH_REDIRECT, core)?;
        attach(&mut self.ebpf, "bare_up", access)
    }

    /// One frame of each subscriber in turn, so that whoever remembers flows has them all.
    pub fn introduce(&mut self) -> Result<(), OpenError> {
        let (subscribers, _) = self.options;
        self.configure(0);
        self.run(subscribers)
    }

    /// That many frames, of subscribers at random.
    pub fn send(&mut self, frames: u32, seed: u32) -> Result<(), OpenError> {
        self.configure(seed.max(1));
        self.run(frames)
    }

    pub fn arrived(&self) -> Result<Arrived, OpenError> {
        let count = |which| {
            let counts = self.counts.get(&which, 0);
            let counts = counts.map_err(|source| OpenError::Map { name: map::BENCH_SINK, source })?;
            Ok::<u64, OpenError>(counts.iter().sum())
        };
        Ok(Arrived { all: count(0)?, right: count(1)? })
    }

    fn configure(&self, random: u32) {
        let (subscribers, expected_source) = self.options;
        let template = first_words(&self.frame);
        let settings =
            BenchSettings { template, subscribers, random, expected_source, ..BenchSettings::default() };
        put_words!(Writer::default(), self.settings.at(0), words(&settings), template);
    }

    fn run(&mut self, frames: u32) -> Result<(), OpenError> {
        let name = self.generator;
        let fd = program(&mut self.ebpf, name)?.fd().map_err(|source| OpenError::Program { name, source })?;
        sys::send(fd.as_fd(), &self.frame, frames).map_err(OpenError::Send)
    }
}

fn attach(ebpf: &mut Ebpf, name: &'static str, interface: &str) -> Result<(), OpenError> {
    let program = program(ebpf, name)?;
    program.load().map_err(|source| OpenError::Program { name, source })?;
    let attached = program.attach(interface, XdpMode::Driver);
    attached.map(|_| ()).map_err(|source| OpenError::Program { name, source })
}

fn redirect(ebpf: &mut Ebpf, name: &'static str, to: u32) -> Result<(), OpenError> {
    let failed = |source| OpenError::Map { name, source };
    let map = ebpf.map_mut(name).ok_or(OpenError::NoMap(name))?;
    let taken = DevMap::try_from(map).map_err(failed)?.set(0, to, None, 0);
    taken.map_err(|source| OpenError::Redirect { ifindex: to, source })
}
