//! The loaded programs and their tables, which begin like those on the host, and are compared with them.

use std::path::Path;

use aya::maps::{Array, ArrayOfMaps, HashMap, Map, MapData};
use fastpath::{Fastpath, Inspector, ProgramOf, Punts, Tally};
use map_abi::{
    Chunk, Down, FragmentKey, FragmentKey6, Line, Meter, Session, UNIT_INDICES_PER_CHUNK, Up, map,
};
use packet_logic::HostTables;
use zerocopy::{FromBytes, IntoBytes};

use crate::{
    random::{
        generator::{Frame, Way},
        host::{End, Fate, Host},
        office::{self, ACCESS, CORE, LINES, Rates},
        special::Special,
    },
    snapshot::snapshot_at,
    tally::{since, tally},
    world::{World, now_ns},
};

/// An arrival time that no clock reaches: a rate that is used up for good.
const NEVER_Q6: u64 = u64::MAX / 4;

type Sessions = Array<MapData, [u8; size_of::<Session>()]>;
type ChunkMap = Array<MapData, [u8; size_of::<Chunk>()]>;

/// The interfaces of the access ports and of the core ports.
#[derive(Clone, Copy)]
pub(super) struct Ports {
    access: [u32; ACCESS.len()],
    core: [u32; CORE.len()],
}

impl Ports {
    /// The one that a frame comes in by.
    pub(super) fn ifindex(&self, frame: &Frame) -> u32 {
        match frame.way {
            Way::Up => self.access[frame.by],
            Way::Down => self.core[frame.by],
        }
    }

    fn all(&self) -> impl Iterator<Item = u32> {
        self.access.into_iter().chain(self.core)
    }
}

pub(super) struct Kernel<'a> {
    world: &'a World,
    pub(super) ports: Ports,
    fastpath: Fastpath,
    inspector: Inspector,
    punts: Punts,
    sessions: Sessions,
    /// Those in use.
    pub(super) indices: Vec<u32>,
    chunks: Vec<(u32, ChunkMap)>,
    /// As they were when nothing had passed.
    pristine: (Vec<Session>, Vec<Box<Chunk>>),
    /// What was counted until then.
    tally: Tally,
    special: Special,
}

fn pinned(pin_dir: &Path, name: &str) -> MapData {
    MapData::from_pin(pin_dir.join(name)).expect(name)
}

impl<'a> Kernel<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let mut fastpath = office::open(world);
        let punts = fastpath.punts().expect("not taken yet");
        let inspector = Inspector::open(&world.pin_dir).expect("pinned");
        let sessions: Sessions =
            Array::try_from(Map::Array(pinned(&world.pin_dir, map::SESSIONS))).expect("an array");
        let indices: Vec<u32> = (LINES.iter())
            .map(|line| fastpath.index_of(&line.name.parse().expect("a name")).expect("a session"))
            .collect();
        let outer = pinned(&world.pin_dir, map::HOMES);
        let outer: ArrayOfMaps<_, ChunkMap> =
            ArrayOfMaps::try_from(Map::ArrayOfMaps(outer)).expect("an array");
        let chunks: Vec<(u32, ChunkMap)> =
            (0..outer.len()).filter_map(|index| Some((index, outer.get(&index, 0).ok()?))).collect();
        let (access, core) = office::interfaces();
        let mut kernel = Self {
            world,
            ports: Ports { access, core },
            fastpath,
            inspector,
            punts,
            sessions,
            indices,
            chunks,
            pristine: (Vec::new(), Vec::new()),
            tally: Tally::default(),
            special: Special::default(),
        };
        let mut sessions: Vec<Session> = (0..LINES.len()).map(|n| kernel.session(n)).collect();
        let mut chunks: Vec<_> = (0..kernel.chunks.len()).map(|n| kernel.chunk(n)).collect();
        for (line, session) in LINES.iter().zip(&mut sessions) {
            if line.voice == Some(Rates::Red) {
                session.voice.up_arrival_q6 = NEVER_Q6;
                session.voice.down_arrival_q6 = NEVER_Q6;
            }
            let index = session.home.unit() / UNIT_INDICES_PER_CHUNK;
            let place = kernel.chunks.iter().position(|(at, _)| *at == index).expect("its chunk");
            let first = (session.home.unit() % UNIT_INDICES_PER_CHUNK * map_abi::LINES_PER_UNIT) as usize;
            let [up, down] = &mut chunks[place].lines[first..first + 2] else { panic!("two lines") };
            let mut meter = Meter::default();
            match line.rate {
                Rates::Yellow => meter.committed_arrival_q6 = NEVER_Q6,
                Rates::Red => meter.peak_arrival_q6 = NEVER_Q6,
                Rates::Unlimited | Rates::Green => {}
            }
            Up::mut_from_bytes(up.as_mut_bytes()).expect("a line").meter = meter;
            Down::mut_from_bytes(down.as_mut_bytes()).expect("a line").meter = meter;
        }
        kernel.pristine = (sessions, chunks);
        kernel
    }

    fn session(&self, line: usize) -> Session {
        let bytes = self.sessions.get(&self.indices[line], 0).expect("every index");
        Session::read_from_bytes(&bytes).expect("of that length")
    }

    fn set_session(&mut self, line: usize, session: &Session) {
        let bytes: [u8; size_of::<Session>()] = session.as_bytes().try_into().expect("of that length");
        self.sessions.set(self.indices[line], bytes, 0).expect("writes");
    }

    fn chunk(&self, place: usize) -> Box<Chunk> {
        let bytes = self.chunks[place].1.get(&0, 0).expect("an array has every index");
        Box::new(Chunk::read_from_bytes(&bytes).expect("of that length"))
    }

    /// Nothing has passed yet: here, and in tables on the host, which are returned.
    pub(super) fn reset(&mut self) -> HostTables {
        let (sessions, chunks) = self.pristine.clone();
        for (line, session) in sessions.iter().enumerate() {
            self.set_session(line, session);
        }
        for ((_, map), chunk) in self.chunks.iter_mut().zip(&chunks) {
            let bytes: &[u8; size_of::<Chunk>()] = chunk.as_bytes().try_into().expect("of that length");
            map.set(0, bytes, 0).expect("writes");
        }
        let dir = &self.world.pin_dir;
        forget::<{ size_of::<FragmentKey>() }, 4>(dir, map::FRAGMENTS);
        forget::<{ size_of::<FragmentKey6>() }, 1>(dir, map::FRAGMENTS6);
        self.tally = tally(&self.inspector);
        self.special = self.special();
        snapshot_at(dir, self.ports.all(), &office::destinations(), now_ns())
    }

    fn special(&self) -> Special {
        Special::in_kernel(&self.inspector, (0..LINES.len()).map(|line| self.session(line)))
    }

    /// Lets every line tell user space again, or none, and speak to all on its link.
    pub(super) fn set_may(&mut self, host: &HostTables, may_punt: bool, may_broadcast: bool) {
        for line in 0..LINES.len() {
            // Each goes by a clock of its own, which the times of its voice are of.
            let there = host.session_value(self.indices[line]).expect("a session");
            let sessions = [self.session(line), there].map(|mut session| {
                session.punt_arrival_q6 = if may_punt { 0 } else { NEVER_Q6 };
                session.portal_arrival_q6 = session.punt_arrival_q6;
                session.broadcast_arrival_q6 = if may_broadcast { 0 } else { NEVER_Q6 };
                session
            });
            self.set_session(line, &sessions[0]);
            host.set_session(self.indices[line], sessions[1]);
        }
    }

    pub(super) fn run(&mut self, frame: &Frame) -> Fate {
        let which = match frame.way {
            Way::Up => ProgramOf::AccessPorts,
            Way::Down => ProgramOf::CorePorts,
        };
        let ifindex = self.ports.ifindex(frame);
        let (action, bytes) =
            self.fastpath.run_once(which, ifindex, &frame.bytes).unwrap_or_else(|e| panic!("{e}"));
        let end = match action {
            1 => End::Gone,
            2 => End::Passed,
            4 => End::Redirected,
            other => panic!("verdict {other}"),
        };
        let punts: Vec<_> = std::iter::from_fn(|| self.punts.next()).collect();
        for punt in &punts {
            let as_it_was = &bytes[..bytes.len().min(map_abi::PUNT_FRAME_MAX)];
            assert_eq!(punt.frame, as_it_was, "user space has the frame as it was last");
        }
        Fate { end, bytes, punts: punts.into_iter().map(|punt| (punt.reason, punt.session)).collect() }
    }

    /// Counters, mappings and flows are as on the host.
    pub(super) fn assert_like(&self, host: &Host) {
        assert_eq!(since(&self.tally, &tally(&self.inspector)), host.tables.tally(), "how frames ended");
        assert_eq!(self.special().since(&self.special), Special::on_host(host), "what is special is counted");
        for (n, line) in LINES.iter().enumerate() {
            let (here, there) = (self.session(n), host.session(self.indices[n]));
            let counts = |session: Session| (session.drops_up, session.drops_down);
            assert_eq!(counts(here), counts(there), "drops of {}", line.name);
        }
        for (place, (index, _)) in self.chunks.iter().enumerate() {
            let (here, there) = (self.chunk(place), host.chunk(*index));
            for (n, (here, there)) in here.lines.iter().zip(&there.lines).enumerate() {
                let is_header = self.pristine.0.iter().any(|session| is_header(session, *index, n));
                assert_eq!(
                    without_times(here, is_header),
                    without_times(there, is_header),
                    "line {n} of chunk {index}"
                );
            }
        }
    }
}

/// Whether a line of a chunk is one of a home's first two.
fn is_header(session: &Session, chunk: u32, line: usize) -> bool {
    let unit = session.home.unit();
    let first = (unit % UNIT_INDICES_PER_CHUNK * map_abi::LINES_PER_UNIT) as usize;
    unit / UNIT_INDICES_PER_CHUNK == chunk && (first..first + 2).contains(&line)
}

/// A line but for the times in it: the policers' in a header, when a packet was last seen in an entry.
fn without_times(line: &Line, is_header: bool) -> Line {
    let mut line = *line;
    if is_header {
        let meter = (size_of::<Up>() - size_of::<Meter>()) / 8;
        line.words[meter..meter + 2].fill(0);
    } else {
        for second in line.words.iter_mut().skip(1).step_by(2) {
            *second &= u64::from(u32::MAX);
        }
    }
    line
}

/// Empties a table of fragments, whose keys and values have these lengths.
fn forget<const K: usize, const V: usize>(pin_dir: &Path, name: &str) {
    let mut table: HashMap<_, [u8; K], [u8; V]> =
        HashMap::try_from(Map::LruHashMap(pinned(pin_dir, name))).expect(name);
    let keys: Vec<_> = table.keys().filter_map(Result::ok).collect();
    for key in keys {
        table.remove(&key).expect("was there");
    }
}
