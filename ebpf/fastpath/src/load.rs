//! Loading the programs onto maps that are pinned, or pinning new ones.

use std::{ffi::CString, fs, io, os::unix::ffi::OsStrExt, path::Path};

use aya::{
    Ebpf, EbpfLoader,
    maps::{MapData, ProgramArray, RingBuf},
    programs::Xdp,
};
use map_abi::{Chunk, LinePage, MAP_ABI_VERSION, NatPorts, UNITS_PER_CHUNK, map, program as map_program};

use crate::{
    error::OpenError,
    mapped::{Access, Mapped, Writer, get_words, put, put_words},
    migrate::{self, Migration},
    options::{Options, Sizes},
    paged::{Paged, array, page_words, pin_reader},
    programs::{descriptor, load_all},
    sys,
    tables::pinned,
};

pub(crate) const ACCESS: &str = "access";
pub(crate) const CORE: &str = "core";
/// What programs lead on to.
const LED_TO: [(u32, &str); 18] = [
    (map_program::CORE, CORE),
    (map_program::ACCESS6, "access6"),
    (map_program::CORE6, "core6"),
    (map_program::OPEN, "open"),
    (map_program::OPEN6, "open6"),
    (map_program::RULES, "rules"),
    (map_program::RULES_IN, "rules_in"),
    (map_program::ACCESS, ACCESS),
    (map_program::GARDEN, "garden"),
    (map_program::GARDEN6, "garden6"),
    (map_program::GARDEN_CORE, "garden_core"),
    (map_program::GARDEN_CORE6, "garden_core6"),
    (map_program::DHCP, "dhcp"),
    (map_program::OVERFLOW, "overflow"),
    (map_program::OVERFLOW_IN, "overflow_in"),
    (map_program::DNS, "dns"),
    (map_program::DNS_NAME, "dns_name"),
    (map_program::LINK, "link"),
];
/// Resolvers that there is room for, by the session: only those of sessions that are not active are held.
const RESOLVERS_PER_SESSION: u32 = 2;
/// Entries of parental control that there is room for, by the session: most have none, a few one for each device.
const DEVICES_PER_SESSION: u32 = 2;
const BPFFS: &str = "/sys/fs/bpf";
const BPF_FS_MAGIC: i64 = 0xcafe_4a11;

/// What the programs write for user space.
pub(crate) struct Rings {
    pub(crate) punts: RingBuf<MapData>,
    pub(crate) events: RingBuf<MapData>,
}

/// How long the maps are whose length the office chooses.
#[derive(Clone, Copy)]
pub(crate) struct Lengths {
    sessions: u32,
    chunks: u32,
    line_pages: u32,
    nat_addresses: u32,
    fib_pages: u32,
    fib6_pages: u32,
}

impl Lengths {
    pub(crate) fn of(sizes: &Sizes) -> Self {
        let Sizes { sessions, home_units, line_pages, nat_addresses, fib_pages, fib6_pages } = *sizes;
        let chunks = home_units.div_ceil(UNITS_PER_CHUNK) + 1;
        Self { sessions, chunks, line_pages, nat_addresses, fib_pages, fib6_pages }
    }

    /// Those of maps that are pinned.
    pub(crate) fn held(pin_dir: &Path) -> Result<Self, OpenError> {
        let len = |name| array(pin_dir, name).map(|(_, len)| len);
        Ok(Self {
            sessions: len(map::SESSIONS)?,
            chunks: len(map::HOMES)?,
            line_pages: len(map::LINES)?,
            nat_addresses: len(map::NAT_PORTS)?,
            fib_pages: len(map::FIB_PAGES)?,
            fib6_pages: len(map::FIB6_PAGES)?,
        })
    }

    pub(crate) fn at_least(self, other: &Self) -> Self {
        Self {
            sessions: self.sessions.max(other.sessions),
            chunks: self.chunks.max(other.chunks),
            line_pages: self.line_pages.max(other.line_pages),
            nat_addresses: self.nat_addresses.max(other.nat_addresses),
            fib_pages: self.fib_pages.max(other.fib_pages),
            fib6_pages: self.fib6_pages.max(other.fib6_pages),
        }
    }
}

/// The programs of an object, loaded, on their pinned maps, which say that theirs is this layout.
pub(crate) fn load(options: &Options, object: &[u8]) -> Result<(Ebpf, Rings, Option<Migration>), OpenError> {
    prepare(&options.pin_dir)?;
    migrate::open(&options.pin_dir, Lengths::of(&options.sizes), object)
}

/// The programs of an object on maps of its layout, which are made if they are not there. Until `stamp`, they are not
/// complete.
pub(crate) fn onto(
    pin_dir: &Path,
    lengths: Lengths,
    object: &[u8],
    layout: &[u8],
) -> Result<(Ebpf, Rings), OpenError> {
    let Lengths { sessions, chunks, line_pages, nat_addresses, fib_pages, fib6_pages } = lengths;
    if migrate::is_held(pin_dir, layout) != Some(true) {
        let path = pin_dir.join(map::LAYOUT);
        // Of a process that came no further.
        let _ = fs::remove_file(&path);
        sys::pin_text(&path, layout).map_err(|source| OpenError::Make { name: map::LAYOUT, source })?;
    }
    Paged::<Chunk>::make(pin_dir, chunks)?;
    Paged::<LinePage>::make(pin_dir, line_pages)?;
    Paged::<NatPorts>::make(pin_dir, nat_addresses)?;
    let mut ebpf = EbpfLoader::new()
        .default_map_pin_directory(pin_dir)
        .map_max_entries(map::SESSIONS, sessions)
        .map_max_entries(map::SHARED, sessions)
        .map_pin_path(map::HOMES, pin_dir.join(map::HOMES))
        .map_pin_path(map::LINES, pin_dir.join(map::LINES))
        .map_pin_path(map::NAT_PORTS, pin_dir.join(map::NAT_PORTS))
        .map_max_entries(map::RESOLVERS, sessions.saturating_mul(RESOLVERS_PER_SESSION))
        .map_max_entries(map::BLOCKED, sessions.saturating_mul(DEVICES_PER_SESSION))
        .map_max_entries(map::FIB_PAGES, fib_pages)
        .map_max_entries(map::FIB6_PAGES, fib6_pages)
        .map_max_entries(map::PAGES, page_words([chunks, line_pages, nat_addresses]))
        .load(object)?;
    pin_reader(&mut ebpf, pin_dir)?;
    load_all(&mut ebpf, &LED_TO.map(|(_, name)| name))?;
    for (key, name) in LED_TO {
        let loaded = descriptor(&ebpf, name)?;
        let programs = ebpf.map_mut(map::PROGRAMS).ok_or(OpenError::NoMap(map::PROGRAMS))?;
        let failed = |source| OpenError::Map { name: map::PROGRAMS, source };
        ProgramArray::try_from(programs).map_err(failed)?.set(key, &loaded, 0).map_err(failed)?;
    }
    let rings = Rings { punts: ring(&mut ebpf, map::PUNTS)?, events: ring(&mut ebpf, map::EVENTS)? };
    Ok((ebpf, rings))
}

fn ring(ebpf: &mut Ebpf, name: &'static str) -> Result<RingBuf<MapData>, OpenError> {
    let map = ebpf.take_map(name).ok_or(OpenError::NoMap(name))?;
    RingBuf::try_from(map).map_err(|source| OpenError::Map { name, source })
}

pub(crate) fn program<'a>(ebpf: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Xdp, OpenError> {
    let program = ebpf.program_mut(name).ok_or(OpenError::NoProgram(name))?;
    program.try_into().map_err(|source| OpenError::Program { name, source })
}

fn prepare(pin_dir: &Path) -> Result<(), OpenError> {
    if pin_dir.starts_with(BPFFS) && !is_bpffs(Path::new(BPFFS)) {
        let (source, target) = (c"bpf", CString::new(BPFFS).map_err(|error| OpenError::Mount(error.into()))?);
        // SAFETY: three strings with their NUL, no data.
        let done =
            unsafe { libc::mount(source.as_ptr(), target.as_ptr(), source.as_ptr(), 0, std::ptr::null()) };
        if done != 0 {
            return Err(OpenError::Mount(io::Error::last_os_error()));
        }
    }
    fs::create_dir_all(pin_dir)
        .map_err(|source| OpenError::Directory { path: pin_dir.to_owned(), source })?;
    if is_bpffs(pin_dir) { Ok(()) } else { Err(OpenError::NotBpffs(pin_dir.to_owned())) }
}

fn is_bpffs(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else { return false };
    let mut stat = std::mem::MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: a string with its NUL, and room for the answer, which is valid when all zero.
    let stat = unsafe {
        if libc::statfs(path.as_ptr(), stat.as_mut_ptr()) != 0 {
            return false;
        }
        stat.assume_init()
    };
    stat.f_type == BPF_FS_MAGIC
}

fn random() -> Result<[u64; 2], OpenError> {
    let mut bytes = [0_u8; 16];
    // SAFETY: room for as many bytes as are asked for.
    let done = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if done != 16 {
        return Err(OpenError::Random(io::Error::last_os_error()));
    }
    Ok(zerocopy::transmute!(bytes))
}

/// Fills in what of the settings the programs cannot do without, where it is in this program's layout.
pub(crate) fn stamp(pin_dir: &Path) -> Result<(), OpenError> {
    let settings: Mapped<map_abi::Settings> = pinned(pin_dir, map::SETTINGS, Access::Write)?;
    let mut writer = Writer::default();
    if get_words!(settings.at(0), hash_key) == [0_u64; 2] {
        put_words!(writer, settings.at(0), random()?, hash_key);
    }
    put!(writer, settings.at(0), MAP_ABI_VERSION, abi_version);
    Ok(())
}
