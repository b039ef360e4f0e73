//! Nanoseconds per packet: the loaded programs beside bare ones, in the same run (ebpf/programs/src/bench).

use std::net::Ipv4Addr;

use aya::{
    Ebpf,
    maps::{ProgramArray, xdp::DevMap},
    programs::{TestRun, TestRunOptions, Xdp},
};
use map_abi::{BenchSettings, Watch, map};
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    ProgramOf,
    error::OpenError,
    fastpath::Fastpath,
    mapped::{Access, Mapped, Writer, get_words, put_words},
    object::BENCH_OBJECT,
};

/// Subscribers of the benchmark, by number: what `Fastpath` must hold for them.
pub mod subscribers {
    use super::Ipv4Addr;

    /// S-VID and C-VID.
    pub fn tags(number: u32) -> (u16, u16) {
        map_abi::subscriber::tags(number)
    }

    pub fn mac(number: u32) -> [u8; 6] {
        let [a, b, c, d] = map_abi::subscriber::mac(number).to_be_bytes();
        [2, 0, a, b, c, d]
    }

    /// Of 100.64.0.0/10, where 100.64.0.1 is the gateway.
    pub fn address(number: u32) -> Ipv4Addr {
        map_abi::subscriber::address(number).into()
    }

    /// Of 198.18.0.0/15, and the first of 256 ports.
    pub fn external(number: u32) -> (Ipv4Addr, u16) {
        let (address, first_port) = map_abi::subscriber::external(number);
        (address.into(), first_port)
    }
}

pub(crate) const REMOTE: [u8; 4] = [192, 0, 9, 9];
pub(crate) const INSIDE_PORT: u16 = 40_000;
const UDP: u8 = 17;
/// Bytes of UDP payload that make an Ethernet frame of 64 bytes, or 72 with two tags.
pub(crate) const PAYLOAD_MIN: u16 = 22;

/// What is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Parse and redirect, nothing else.
    Bare,
    /// The fast path.
    Whole,
}

/// The benchmark's programs, loaded, with those of a fast path as their targets.
pub struct Harness {
    ebpf: Ebpf,
    settings: Mapped<BenchSettings>,
    /// Of a flow each.
    port_offsets: Vec<u32>,
    payload: u16,
    access: (u32, [u8; 6]),
    core: (u32, [u8; 6]),
}

impl Harness {
    /// `access` and `core`: interface index and Ethernet address of the two ports.
    pub fn new(
        fastpath: &mut Fastpath,
        access: (u32, [u8; 6]),
        core: (u32, [u8; 6]),
    ) -> Result<Self, OpenError> {
        let mut ebpf = Ebpf::load(BENCH_OBJECT)?;
        for name in ["harness_up", "harness_down", "bare_up", "bare_down"] {
            program(&mut ebpf, name)?.load().map_err(|source| OpenError::Program { name, source })?;
        }
        let whole =
            [fastpath.program_fd(ProgramOf::AccessPorts)?, fastpath.program_fd(ProgramOf::CorePorts)?];
        let mut bare = Vec::new();
        for name in ["bare_up", "bare_down"] {
            let failed = |source| OpenError::Program { name, source };
            let fd = program(&mut ebpf, name)?.fd().map_err(failed)?;
            bare.push(fd.try_clone().map_err(|error| failed(error.into()))?);
        }
        let name = map::BENCH_TARGETS;
        let failed = |source| OpenError::Map { name, source };
        let targets = ebpf.map_mut(name).ok_or(OpenError::NoMap(name))?;
        let mut targets = ProgramArray::try_from(targets).map_err(failed)?;
        for (index, fd) in (0..).zip(bare.iter().chain(&whole)) {
            targets.set(index, fd, 0).map_err(failed)?;
        }
        let name = map::BENCH_REDIRECT;
        let failed = |source| OpenError::Map { name, source };
        let redirect = ebpf.map_mut(name).ok_or(OpenError::NoMap(name))?;
        let taken = DevMap::try_from(redirect).map_err(failed)?.set(0, core.0, None, 0);
        taken.map_err(|source| OpenError::Redirect { ifindex: core.0, source })?;
        let name = map::BENCH;
        let aya::maps::Map::Array(data) = ebpf.map(name).ok_or(OpenError::NoMap(name))? else {
            return Err(OpenError::NoMap(name));
        };
        let settings = Mapped::new(name, data, Access::Write)?;
        Ok(Self { ebpf, settings, port_offsets: vec![0], payload: PAYLOAD_MIN, access, core })
    }

    /// Makes frames longer: bytes of UDP payload, 22 at least and unless said.
    pub fn set_payload(&mut self, bytes: u16) {
        self.payload = bytes.max(PAYLOAD_MIN);
    }

    /// Sends a packet of so many flows of every subscriber up, so that each has its mapping, and learns which ports these
    /// are. `flows`: a power of two of at most 16.
    pub fn prepare(&mut self, subscribers: u32, flows: u32) -> Result<(), OpenError> {
        let mut offsets = Vec::new();
        for flow in 0..flows {
            // In turn, only this one.
            self.configure(ProgramOf::AccessPorts, Subject::Whole, subscribers, 0);
            put_words!(Writer::default(), self.settings.at(0), [u64::from(flow) << 32], expected_source);
            let (_, out) = self.run(ProgramOf::AccessPorts, 1)?;
            let first_port = subscribers::external(0).1;
            let port = out.get(34..36).map_or(first_port, |port| u16::from_be_bytes([port[0], port[1]]));
            offsets.push(u32::from(port.wrapping_sub(first_port)));
            if subscribers > 1 {
                self.run(ProgramOf::AccessPorts, subscribers - 1)?;
            }
        }
        self.port_offsets = offsets;
        Ok(())
    }

    /// Mean nanoseconds of a packet, harness included, over `packets` packets of subscribers picked at random.
    pub fn measure(
        &mut self,
        which: ProgramOf,
        subject: Subject,
        subscribers: u32,
        packets: u32,
        seed: u32,
    ) -> Result<f64, OpenError> {
        self.configure(which, subject, subscribers, seed.max(1));
        self.run(which, packets).map(|(ns, _)| ns)
    }

    /// Sends packets of the first subscriber, one after another, and looks what becomes of all but the last one.
    pub fn flood(&mut self, which: ProgramOf, packets: u32) -> Result<Watch, OpenError> {
        self.configure(which, Subject::Whole, 1, 0);
        let watch = Watch { is_on: 1, ..Watch::default() };
        put_words!(Writer::default(), self.settings.at(0), words(&watch), watch);
        self.run(which, packets)?;
        let seen: [u64; size_of::<Watch>() / 8] = get_words!(self.settings.at(0), watch);
        Watch::read_from_bytes(seen.as_bytes()).map_err(|_| OpenError::NoMap(map::BENCH))
    }

    fn configure(&mut self, which: ProgramOf, subject: Subject, subscribers: u32, random: u32) {
        let is_up = which == ProgramOf::AccessPorts;
        let template = first_words(&self.template(is_up));
        let target = if subject == Subject::Whole { 2 } else { 0 } + u32::from(!is_up);
        let settings = BenchSettings {
            template,
            subscribers,
            target,
            random,
            turn: 0,
            flows_mask: u32::try_from(self.port_offsets.len()).unwrap_or(1) - 1,
            padding: u32::from(self.payload - PAYLOAD_MIN),
            expected_source: 0,
            first_flow: 0,
            port_offsets: std::array::from_fn(|flow| self.port_offsets.get(flow).copied().unwrap_or(0)),
            watch: Watch::default(),
        };
        put_words!(Writer::default(), self.settings.at(0), words(&settings), template);
    }

    fn run(&mut self, which: ProgramOf, repeat: u32) -> Result<(f64, Vec<u8>), OpenError> {
        let (name, ifindex) = match which {
            ProgramOf::AccessPorts => ("harness_up", self.access.0),
            ProgramOf::CorePorts => ("harness_down", self.core.0),
        };
        let frame = self.template(which == ProgramOf::AccessPorts);
        let len = u32::try_from(frame.len()).unwrap_or(u32::MAX);
        let context: Vec<u8> =
            [0, len, 0, ifindex, 0, 0].iter().flat_map(|word: &u32| word.to_ne_bytes()).collect();
        let mut out = vec![0; 2048];
        let options = TestRunOptions {
            data_in: Some(&frame),
            data_out: Some(&mut out),
            ctx_in: Some(&context),
            repeat,
            ..TestRunOptions::new()
        };
        let result = program(&mut self.ebpf, name)?
            .test_run(options)
            .map_err(|source| OpenError::Program { name, source })?;
        out.truncate(result.data_size_out as usize);
        Ok((result.duration.as_secs_f64() * 1e9, out))
    }

    /// A UDP frame in which what belongs to the subscriber is zero: 72 bytes with tags, 64 without, and the padding.
    fn template(&self, is_up: bool) -> Vec<u8> {
        // A checksum that is not zero, so that it is kept up; nobody verifies it on the way.
        const CHECKSUM: u16 = 0x1234;
        if is_up {
            let ethernet = tagged_ethernet(self.access.1);
            udp_frame(ethernet, [[0; 4], REMOTE], [INSIDE_PORT, 53], CHECKSUM, self.payload)
        } else {
            let ethernet = [&self.core.1[..], &[2, 0xfe, 0, 0, 0, 1, 8, 0]].concat();
            udp_frame(ethernet, [REMOTE, [0; 4]], [53, 0], CHECKSUM, self.payload)
        }
    }
}

/// Of a frame from a subscriber, who is still unknown.
pub(crate) fn tagged_ethernet(port: [u8; 6]) -> Vec<u8> {
    [&port[..], &[2, 0, 0, 0, 0, 0, 0x88, 0xa8, 0, 0, 0x81, 0, 0, 0, 8, 0]].concat()
}

pub(crate) fn udp_frame(
    ethernet: Vec<u8>,
    [from, to]: [[u8; 4]; 2],
    ports: [u16; 2],
    checksum: u16,
    payload: u16,
) -> Vec<u8> {
    let mut frame = ethernet;
    let [len_high, len_low] = (28 + payload).to_be_bytes();
    let mut ip = vec![0x45, 0, len_high, len_low, 0, 1, 0x40, 0, 64, UDP, 0, 0];
    ip.extend([from, to].concat());
    let sum = ip.chunks(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum::<u32>();
    let folded = (sum & 0xffff) + (sum >> 16);
    let [_, _, high, low] = (!folded).to_be_bytes();
    ip[10..12].copy_from_slice(&[high, low]);
    frame.extend(ip);
    frame.extend([ports[0], ports[1], 8 + payload, checksum].iter().flat_map(|word| word.to_be_bytes()));
    frame.resize(frame.len() + usize::from(payload), 7);
    frame
}

/// What the benchmark's programs begin each frame with.
pub(crate) fn first_words(frame: &[u8]) -> [u64; 8] {
    let mut template = [0; 8];
    for (word, bytes) in template.iter_mut().zip(frame.chunks(8)) {
        *word = u64::from_ne_bytes(<[u8; 8]>::try_from(bytes).unwrap_or_default());
    }
    template
}

pub(crate) fn words(value: &(impl IntoBytes + Immutable)) -> Vec<u64> {
    let word = |bytes| u64::from_ne_bytes(<[u8; 8]>::try_from(bytes).unwrap_or_default());
    value.as_bytes().chunks(8).map(word).collect()
}

pub(crate) fn program<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Xdp, OpenError> {
    let program = ebpf.program_mut(name).ok_or(OpenError::NoProgram(name))?;
    program.try_into().map_err(|source| OpenError::Program { name, source })
}
