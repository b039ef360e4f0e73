use std::{
    net::Ipv4Addr,
    os::fd::{AsRawFd, RawFd},
    path::{Path, PathBuf},
};

use map_abi::{DropReason, PuntReason};
use net_types::{IfName, Mac, Name, Prefix4};
use node_state::{NodeState, Resource, ResourceKey};

#[derive(Clone, Debug)]
pub struct Options {
    /// A directory of its own under a bpffs (mounted if it is not), such as `/sys/fs/bpf/wirecenter`.
    pub pin_dir: PathBuf,
    /// Sizes of maps that are made; maps that are pinned already keep theirs.
    pub sizes: Sizes,
}

#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub sessions: u32,
    pub nat_blocks: u32,
    pub cvid_pages: u32,
    pub nat_addresses: u32,
    pub fib_pages: u32,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { sessions: 16_384, nat_blocks: 65_536, cvid_pages: 64, nat_addresses: 1024, fib_pages: 4096 }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{0}")]
    Other(String),
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("{0}")]
    Other(String),
}

#[derive(Clone, Debug)]
pub enum Change {
    Upsert(Resource),
    Remove(ResourceKey),
}

pub struct Fastpath;

impl Fastpath {
    pub fn open(_options: &Options) -> Result<Self, OpenError> {
        Err(OpenError::Other(String::new()))
    }
    /// Compares everything with what the maps hold and writes what differs, removal of what is not desired included.
    /// Ports are attached here too (natively, by name), links only contribute their addresses.
    pub fn reconcile(&mut self, _desired: &NodeState) -> Vec<(ResourceKey, Result<(), ApplyError>)> {
        vec![]
    }
    /// A few changes on a large table, without a rescan; in the right order whatever the order given.
    pub fn apply(&mut self, _changes: &[Change]) -> Vec<(ResourceKey, Result<(), ApplyError>)> {
        vec![]
    }
    /// How many writes to maps the last `reconcile` or `apply` made.
    pub fn writes(&self) -> u64 {
        0
    }
    /// What the kernel's neighbour table says of a gateway; `None`: unresolved.
    pub fn set_next_hop(
        &mut self,
        _gateway: Ipv4Addr,
        _port: &IfName,
        _resolved: Option<Mac>,
    ) -> Result<(), ApplyError> {
        Ok(())
    }
    /// Next hops that routes name: (gateway, port, resolved).
    pub fn next_hops(&self) -> Vec<(Ipv4Addr, IfName, Option<Mac>)> {
        vec![]
    }
    /// The MAC address that DHCP saw; no effect on a session that has a configured one.
    pub fn learn_mac(&mut self, _slot: u32, _mac: Mac) -> Result<(), ApplyError> {
        Ok(())
    }
    pub fn session_by_slot(&self, _slot: u32) -> Option<Name> {
        None
    }
    pub fn slot_of(&self, _subscriber: &Name) -> Option<u32> {
        None
    }
    /// The stream of packets for user space; can be taken once.
    pub fn punts(&mut self) -> Option<Punts> {
        None
    }
    /// Takes the program off a port again (ports that are no longer desired are detached by `reconcile`).
    pub fn detach(&mut self, _port: &IfName) -> Result<(), ApplyError> {
        Ok(())
    }
}

/// A non-blocking source of punted packets: wait for `AsRawFd` to become readable, then call `next` until `None`.
pub struct Punts;

impl Punts {
    #[expect(clippy::should_implement_trait, reason = "not an iterator: `None` means none yet")]
    pub fn next(&mut self) -> Option<Punt> {
        None
    }
}

impl AsRawFd for Punts {
    fn as_raw_fd(&self) -> RawFd {
        -1
    }
}

#[derive(Clone, Debug)]
pub struct Punt {
    pub reason: PuntReason,
    /// The port it came in by; `None`: a port unknown by now.
    pub port: Option<IfName>,
    /// The session's slot; 0: none.
    pub slot: u32,
    /// The frame as it was on the wire, tags included, cut off after 1536 bytes.
    pub frame: Vec<u8>,
}

/// Reads what is pinned, with or without an agent running.
pub struct Inspector;

impl Inspector {
    pub fn open(_pin_dir: &Path) -> Result<Self, OpenError> {
        Err(OpenError::Other(String::new()))
    }
    pub fn sessions(&self) -> impl Iterator<Item = SessionView> + '_ {
        std::iter::empty()
    }
    pub fn drops(&self) -> Result<Vec<(DropReason, u64)>, OpenError> {
        Ok(vec![])
    }
    pub fn ports(&self) -> Vec<PortView> {
        vec![]
    }
    pub fn summary(&self) -> Summary {
        Summary::default()
    }
}

#[derive(Clone, Debug)]
pub struct SessionView {
    pub name: String,
    pub slot: u32,
    pub port: Option<IfName>,
    pub s_vid: u16,
    pub c_vid: u16,
    pub mac: Option<Mac>,
    pub address: Ipv4Addr,
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
