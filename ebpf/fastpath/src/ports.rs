//! Ports: which index each has, and the program on it.

use std::{
    ffi::CString,
    fs, io,
    os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
    path::{Path, PathBuf},
    str::FromStr,
};

use aya::{
    Ebpf,
    maps::{MapData, xdp::DevMap},
    programs::{
        links::{FdLink, PinnedLink},
        xdp::{XdpLink, XdpMode},
    },
};
use map_abi::{Burst, IFINDEX_LIMIT, MAX_PORTS, Rate, map, port_flags, port_role};
use net_types::{BroadcastLimit, IfName, ReversePath, Tpid};
use node_state::{Port, PortRole};

use crate::{
    error::ApplyError,
    load::{self, ACCESS, CORE},
    mapped::{Writer, get, get_words, put, put_words},
    sys,
    tables::{Tables, text, text_words},
};

/// A port as the maps have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldPort {
    pub(crate) index: u16,
    pub(crate) name: IfName,
    pub(crate) role: u16,
    pub(crate) outer_tpid: Tpid,
    pub(crate) ifindex: u32,
}

impl Tables {
    pub(crate) fn held_ports(&self) -> impl Iterator<Item = HeldPort> + '_ {
        (0..self.port_links.len()).filter_map(|index| {
            let link = self.port_links.at(index);
            let role = get!(link, role);
            if role == 0 {
                return None;
            }
            let name: [u64; 2] = get_words!(link, name);
            let [word]: [u64; 1] = get_words!(link, role);
            let [_, _, high, low, ..] = word.to_ne_bytes();
            let outer_tpid =
                if [high, low] == Tpid::Dot1q.ethertype().to_be_bytes() { Tpid::Dot1q } else { Tpid::Dot1ad };
            Some(HeldPort {
                index: u16::try_from(index).ok()?,
                name: IfName::from_str(&text(&name)).ok()?,
                role,
                outer_tpid,
                ifindex: get!(link, ifindex),
            })
        })
    }

    pub(crate) fn held_port(&self, name: &IfName) -> Option<HeldPort> {
        self.held_ports().find(|port| port.name == *name)
    }
}

/// Of a type of service, the bits of the class selector (RFC 2474, section 4.2.2).
const CLASS_SELECTOR: u8 = 0xe0;

/// bpffs takes no dots in names, and interfaces may have them: the link is called after the port's index.
pub(crate) fn link_pin(pin_dir: &Path, index: u16) -> PathBuf {
    pin_dir.join(format!("link-{index}"))
}

/// Gives a port its index (the one it has, if it has one) and describes it under that; the interface need not exist.
pub(crate) fn describe(tables: &Tables, writer: &mut Writer, port: &Port) -> Result<HeldPort, ApplyError> {
    let (role, outer_tpid, treatment) = match port.role {
        PortRole::Access { outer_tpid, priority_from_dscp, broadcast_limit, .. } => {
            let priority_mask = if priority_from_dscp { CLASS_SELECTOR } else { 0 };
            (port_role::ACCESS, outer_tpid, treatment(priority_mask, broadcast_limit))
        }
        PortRole::Core => (port_role::CORE, Tpid::default(), 0),
    };
    let held = tables.held_port(&port.name);
    let index = match &held {
        Some(held) => u32::from(held.index),
        None => (0..tables.port_links.len())
            .find(|index| get!(tables.port_links.at(*index), role) == 0)
            .ok_or(ApplyError::TooManyPorts(MAX_PORTS))?,
    };
    let link = tables.port_links.at(index);
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    let [low, high] = role.to_ne_bytes();
    let [tpid_high, tpid_low] = outer_tpid.ethertype().to_be_bytes();
    let ifindex = held.map_or(0, |held| held.ifindex);
    put_words!(writer, link, text_words::<2>(port.name.as_str()), name);
    put!(writer, link, port.mtu, mtu);
    put_words!(writer, link, [treatment], priority_mask);
    let [a, b, c, d] = ifindex.to_ne_bytes();
    put_words!(writer, link, [u64::from_ne_bytes([a, b, c, d, low, high, tpid_high, tpid_low])], ifindex);
    Ok(HeldPort { index, name: port.name.clone(), role, outer_tpid, ifindex })
}

/// The word of `PortLink` that begins with `priority_mask`: how lines are treated.
fn treatment(priority_mask: u8, limit: BroadcastLimit) -> u64 {
    let (broadcast, burst) = broadcast(limit);
    let ([a, b], [c, d, e, f]) = (burst.0.to_ne_bytes(), broadcast.0.to_ne_bytes());
    u64::from_ne_bytes([priority_mask, 0, a, b, c, d, e, f])
}

/// What a limit is as a rate of frames of `BROADCAST_LEN` bytes: of two seconds' frames at once, the first needs no
/// tolerance.
fn broadcast(limit: BroadcastLimit) -> (Rate, Burst) {
    const SECOND_NS: u32 = 1_000_000_000;
    let frame_ns = SECOND_NS / limit.per_second();
    (Rate(frame_ns), Burst::of_us((2 * SECOND_NS - frame_ns) / 1_000))
}

/// What of a port each packet that comes in by it is dealt with by: bits of `port_flags`.
pub(crate) fn flags_of(port: &Port) -> u16 {
    let checks = match port.reverse_path {
        ReversePath::Off => 0,
        ReversePath::Loose => port_flags::LOOSE,
        ReversePath::Strict => port_flags::LOOSE | port_flags::STRICT,
    };
    let side = match port.role {
        PortRole::Access { dscp_from_priority: true, .. } => {
            port_flags::ACCESS | port_flags::MARK_BY_PRIORITY
        }
        PortRole::Access { .. } => port_flags::ACCESS,
        PortRole::Core => 0,
    };
    checks | side
}

/// Makes the interface of that name the port, with the program on it. Does nothing that is done already.
pub(crate) fn attach(
    (ebpf, tables, writer): (&mut Ebpf, &Tables, &mut Writer),
    pin_dir: &Path,
    port: &HeldPort,
    flags: u16,
) -> Result<(), ApplyError> {
    let name = &port.name;
    let ifindex = ifindex_of(name).ok_or_else(|| ApplyError::NoInterface(name.clone()))?;
    if ifindex >= IFINDEX_LIMIT {
        return Err(ApplyError::IfIndex { port: name.clone(), ifindex, max: IFINDEX_LIMIT - 1 });
    }
    let mac = hardware_address(name)
        .map_err(|source| ApplyError::HardwareAddress { port: name.clone(), source })?;
    if port.ifindex != 0 && port.ifindex != ifindex {
        // The interface went, and another came under its name; the old link leads nowhere.
        let _ = fs::remove_file(link_pin(pin_dir, port.index));
        put_words!(writer, tables.ports.at(port.ifindex), [0], mac);
    }
    bind(ebpf, tables, writer, port, (ifindex, mac, flags))?;
    put_program(ebpf, writer, pin_dir, port, ifindex)
        .map_err(|source| ApplyError::Attach { port: name.clone(), source })
}

/// Tells the maps which interface the port is.
pub(crate) fn bind(
    ebpf: &mut Ebpf,
    tables: &Tables,
    writer: &mut Writer,
    port: &HeldPort,
    (ifindex, mac, flags): (u32, [u8; 6], u16),
) -> Result<(), ApplyError> {
    let link = tables.port_links.at(u32::from(port.index));
    let [a, b, c, d, e, f] = mac;
    let [low, high] = get!(link, mtu).to_ne_bytes();
    put_words!(writer, link, [u64::from_ne_bytes([a, b, c, d, e, f, low, high])], mac);
    put!(writer, link, ifindex, ifindex);
    let redirect = |source: Box<dyn std::error::Error + Send + Sync>| ApplyError::Redirect {
        port: port.name.clone(),
        source,
    };
    let devmap = ebpf.map_mut(map::REDIRECT).ok_or_else(|| redirect("the map is missing".into()))?;
    let mut devmap: DevMap<&mut MapData> =
        DevMap::try_from(devmap).map_err(|error| redirect(error.into()))?;
    let is_there = devmap.get(u32::from(port.index), 0).is_ok_and(|value| value.if_index == ifindex);
    if !is_there {
        devmap.set(u32::from(port.index), ifindex, None, 0).map_err(|error| redirect(error.into()))?;
        writer.writes += 1;
    }
    let [low, high] = ((port.index + 1) | flags).to_ne_bytes();
    put_words!(writer, tables.ports.at(ifindex), [u64::from_ne_bytes([a, b, c, d, e, f, low, high])], mac);
    Ok(())
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Swaps the program into the link that is pinned, or attaches it natively and pins the link.
fn put_program(
    ebpf: &mut Ebpf,
    writer: &mut Writer,
    pin_dir: &Path,
    port: &HeldPort,
    ifindex: u32,
) -> Result<(), AnyError> {
    let name = if port.role == port_role::ACCESS { ACCESS } else { CORE };
    let program = load::program(ebpf, name)?;
    let path = link_pin(pin_dir, port.index);
    if path.exists() {
        let link = XdpLink::try_from(FdLink::from(PinnedLink::from_pin(&path)?))?;
        // The kernel does nothing if this very program is on it, and refuses if the interface is gone.
        if let Ok(id) = program.attach_to_link(link) {
            // The descriptor is closed; the pinned link stays.
            drop(program.take_link(id)?);
            return Ok(());
        }
        fs::remove_file(&path)?;
    }
    let id = program.attach_to_if_index(ifindex, XdpMode::Driver)?;
    FdLink::try_from(program.take_link(id)?)?.pin(&path)?;
    writer.writes += 1;
    Ok(())
}

/// Takes the program off a port and forgets the port.
pub(crate) fn remove(tables: &Tables, writer: &mut Writer, pin_dir: &Path, port: &HeldPort) {
    // Already gone is as good.
    let _ = fs::remove_file(link_pin(pin_dir, port.index));
    if port.ifindex != 0 {
        put_words!(writer, tables.ports.at(port.ifindex), [0], mac);
    }
    if let Ok(redirect) = MapData::from_pin(pin_dir.join(map::REDIRECT)) {
        // There is no entry if the interface was never there.
        let _: io::Result<()> = sys::delete(&redirect, port.index.into());
    }
    let link = tables.port_links.at(u32::from(port.index));
    put_words!(writer, link, [0], ifindex);
    put_words!(writer, link, [0], mac);
    put_words!(writer, link, [0, 0], name);
}

pub(crate) fn ifindex_of(name: &IfName) -> Option<u32> {
    let name = CString::new(name.as_str()).ok()?;
    // SAFETY: a string with its NUL.
    let ifindex = unsafe { libc::if_nametoindex(name.as_ptr()) };
    (ifindex != 0).then_some(ifindex)
}

/// `ioctl(SIOCGIFHWADDR)`.
fn hardware_address(name: &IfName) -> io::Result<[u8; 6]> {
    // SAFETY: opens a socket, which is then owned right here.
    let socket = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else has.
    let socket = unsafe { OwnedFd::from_raw_fd(socket) };
    // SAFETY: `ifreq` is valid when all zero.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.as_str().bytes()) {
        *to = from.cast_signed();
    }
    // SAFETY: a socket and a request as the call wants them.
    let done = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::SIOCGIFHWADDR, &raw mut request) };
    if done != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call filled in this member of the union.
    let address = unsafe { request.ifr_ifru.ifru_hwaddr.sa_data };
    Ok(std::array::from_fn(|n| address[n].cast_unsigned()))
}
