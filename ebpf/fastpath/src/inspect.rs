//! What is in the maps, with or without an agent running.

use std::{net::Ipv4Addr, path::Path};

use aya::maps::{Map, MapData, PerCpuArray};
use map_abi::{DropReason, NatRef, Policer, flags, map, port_role};
use net_types::{IfName, Mac, Prefix4};

use crate::{
    error::OpenError,
    mapped::{Access, get, get_words},
    ports::link_pin,
    tables::Tables,
};

/// Reads what is pinned.
pub struct Inspector {
    tables: Tables,
    drops: PerCpuArray<MapData, u64>,
    pin_dir: std::path::PathBuf,
}

#[derive(Clone, Debug)]
pub struct SessionView {
    pub name: String,
    pub slot: u32,
    pub port: Option<IfName>,
    pub s_vid: u16,
    pub c_vid: u16,
    /// Configured, or learned by DHCP.
    pub mac: Option<Mac>,
    /// What DHCP leases.
    pub address: Ipv4Addr,
    /// What the subscriber may send from.
    pub network: Option<Prefix4>,
    pub nat: Option<SessionNat>,
    pub active: bool,
    pub up: TrafficView,
    pub down: TrafficView,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionNat {
    pub address: Ipv4Addr,
    pub first_port: u16,
    pub ports: u32,
    /// Mappings in use (those that ran out but were not reclaimed yet included).
    pub mappings: u32,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct TrafficView {
    pub packets: u64,
    pub bytes: u64,
    pub drops: u64,
    /// Bits per second; `None`: unlimited.
    pub rate: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct PortView {
    pub name: IfName,
    /// 0: there is no such interface (yet).
    pub ifindex: u32,
    pub mac: Option<Mac>,
    pub mtu: u16,
    pub access: bool,
    pub attached: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    pub abi_version: u32,
    pub sessions: u32,
    pub sessions_max: u32,
    pub nat_blocks_used: u32,
    pub nat_blocks_max: u32,
    pub up: TrafficView,
    pub down: TrafficView,
    pub drops: u64,
}

impl Inspector {
    pub fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Map { name: map::DROPS, source };
        let drops = MapData::from_pin(pin_dir.join(map::DROPS)).map_err(failed)?;
        let drops = PerCpuArray::try_from(Map::PerCpuArray(drops)).map_err(failed)?;
        Ok(Self { tables: Tables::open(pin_dir, Access::Read)?, drops, pin_dir: pin_dir.to_owned() })
    }

    /// All sessions, by slot.
    pub fn sessions(&self) -> impl Iterator<Item = SessionView> + '_ {
        let ports: Vec<_> = self.tables.held_ports().collect();
        self.tables.slots_in_use().map(move |slot| {
            let port = |index| ports.iter().find(|port| port.index == index).map(|port| port.name.clone());
            self.session(slot, port)
        })
    }

    /// The slot of the session that the tags lead to on a port: what the kernel would find for a frame now.
    pub fn slot_by_tags(&self, port: &IfName, s_vid: u16, c_vid: u16) -> Option<u32> {
        let port = self.tables.held_port(port)?;
        Some(self.tables.slot_by_tags(port.index, s_vid, c_vid)).filter(|slot| *slot != 0)
    }

    fn session(&self, slot: u32, port_name: impl Fn(u16) -> Option<IfName>) -> SessionView {
        let at = self.tables.sessions.at(slot);
        let reach = self.tables.reach(slot);
        let [address]: [u64; 1] = get_words!(at, cold.address);
        let [networks]: [u64; 1] = get_words!(at, up.network);
        let ([a, b, c, d, ..], [n1, n2, n3, n4, m1, m2, m3, m4]) =
            (address.to_ne_bytes(), networks.to_ne_bytes());
        let netmask = u32::from_be_bytes([m1, m2, m3, m4]);
        let len = u8::try_from(netmask.leading_ones()).unwrap_or(32);
        SessionView {
            name: self.tables.name_in_slot(slot),
            slot,
            port: port_name(reach.port),
            s_vid: reach.s_vid,
            c_vid: reach.c_vid,
            mac: self.tables.mac_of(slot),
            address: Ipv4Addr::new(a, b, c, d),
            network: Prefix4::new(Ipv4Addr::new(n1, n2, n3, n4), len).ok(),
            nat: reach.nat.map(|nat| SessionNat {
                address: nat.address,
                first_port: nat.first_port,
                ports: nat.blocks.blocks() * map_abi::ENTRIES_PER_BLOCK,
                mappings: self.mappings(nat.blocks),
            }),
            active: get!(at, up.flags) & flags::ACTIVE != 0,
            up: TrafficView {
                packets: get!(at, up.packets),
                bytes: get!(at, up.bytes),
                drops: get!(at, cold.drops_up),
                rate: rate(get!(at, up.policer.ns_per_byte_q16)),
            },
            down: TrafficView {
                packets: get!(at, down.packets),
                bytes: get!(at, down.bytes),
                drops: get!(at, cold.drops_down),
                rate: rate(get!(at, down.policer.ns_per_byte_q16)),
            },
        }
    }

    fn mappings(&self, blocks: NatRef) -> u32 {
        let mut used = 0;
        for block in blocks.first_block()..blocks.first_block() + blocks.blocks() {
            let words: [u64; 128] = get_words!(self.tables.nat_blocks.at(block), entries);
            used += words.iter().step_by(2).map(|word| u32::from(*word & 0xffff_ffff != 0)).sum::<u32>();
        }
        used
    }

    /// Packets dropped since the maps were made, by reason, over all CPUs.
    pub fn drops(&self) -> Result<Vec<(DropReason, u64)>, OpenError> {
        let count = |reason: &DropReason| {
            let counts = self.drops.get(&(*reason as u32), 0);
            let counts = counts.map_err(|source| OpenError::Map { name: map::DROPS, source })?;
            Ok((*reason, counts.iter().sum()))
        };
        DropReason::ALL.iter().map(count).collect()
    }

    pub fn ports(&self) -> Vec<PortView> {
        let view = |port: crate::ports::HeldPort| {
            let link = self.tables.port_links.at(u32::from(port.index));
            let [word]: [u64; 1] = get_words!(link, mac);
            let [a, b, c, d, e, f, ..] = word.to_ne_bytes();
            PortView {
                ifindex: port.ifindex,
                mac: Mac::new([a, b, c, d, e, f]).ok(),
                mtu: get!(link, mtu),
                access: port.role == port_role::ACCESS,
                attached: port.ifindex != 0 && link_pin(&self.pin_dir, port.index).exists(),
                name: port.name,
            }
        };
        self.tables.held_ports().map(view).collect()
    }

    pub fn summary(&self) -> Summary {
        let mut summary = Summary {
            abi_version: get!(self.tables.settings.at(0), abi_version),
            sessions_max: self.tables.sessions.len() - 1,
            nat_blocks_max: self.tables.nat_blocks.len() - 1,
            drops: self.drops().map_or(0, |drops| drops.iter().map(|(_, count)| count).sum()),
            ..Summary::default()
        };
        for slot in self.tables.slots_in_use() {
            let at = self.tables.sessions.at(slot);
            summary.sessions += 1;
            summary.nat_blocks_used += self.tables.reach(slot).nat.map_or(0, |nat| nat.blocks.blocks());
            summary.up.packets += get!(at, up.packets);
            summary.up.bytes += get!(at, up.bytes);
            summary.up.drops += get!(at, cold.drops_up);
            summary.down.packets += get!(at, down.packets);
            summary.down.bytes += get!(at, down.bytes);
            summary.down.drops += get!(at, cold.drops_down);
        }
        summary
    }
}

/// The rate that a policer holds, to three digits (it is kept as its reciprocal).
fn rate(ns_per_byte_q16: u32) -> Option<u64> {
    if ns_per_byte_q16 == Policer::UNLIMITED.ns_per_byte_q16 {
        return None;
    }
    let exact = 8_000_000_000 * (1 << 16) / u64::from(ns_per_byte_q16);
    let unit = 10_u64.pow(exact.checked_ilog10().unwrap_or(0).saturating_sub(2));
    Some((exact + unit / 2) / unit * unit)
}
