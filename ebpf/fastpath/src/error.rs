//! What can go wrong, by who must react.

use std::{io, net::Ipv4Addr, path::PathBuf};

use net_types::{IfName, Prefix4, Prefix6};
use node_plan::forwarding::{
    DevicesError, Fib6Full, FibError, FirewallError, ForwardError, Ipv6Error, NatError, NetworkError,
    RuleError,
};

/// The fast path as a whole cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("bpffs cannot be mounted at /sys/fs/bpf: {0}")]
    Mount(#[source] io::Error),
    #[error("{0} is not on a bpffs; mount one (mount -t bpf bpf /sys/fs/bpf) and choose a directory there")]
    NotBpffs(PathBuf),
    #[error("{path} cannot be made: {source}")]
    Directory { path: PathBuf, source: io::Error },
    #[error("what is pinned in {path} cannot be put in order: {source}")]
    Pins { path: PathBuf, source: io::Error },
    #[error("the maps in {0} are laid out for another version's programs; look with that version's wcnode")]
    OtherLayout(PathBuf),
    #[error("programs that are taken off cannot be waited for: {0}")]
    Wait(#[source] io::Error),
    #[error("the object file does not describe its maps")]
    NoLayout,
    #[error("{0} is not in the description of the maps")]
    NoRecord(&'static str),
    #[error("value {index} of map {name} cannot be read")]
    Unread { name: &'static str, index: u32 },
    #[error("the programs cannot be loaded: {0}")]
    Load(#[from] aya::EbpfError),
    #[error("the kernel refuses program {name}: {source}")]
    Program { name: &'static str, source: aya::programs::ProgramError },
    #[error("program {0} is missing in the object file")]
    NoProgram(&'static str),
    #[error("map {name}: {source}")]
    Map { name: &'static str, source: aya::maps::MapError },
    #[error("the redirect map of the benchmark takes no interface {ifindex}: {source}")]
    Redirect { ifindex: u32, source: aya::maps::xdp::XdpMapError },
    #[error("the kernel sends no frames for the benchmark: {0}")]
    Send(#[source] io::Error),
    #[error("map {0} is missing")]
    NoMap(&'static str),
    #[error("map {name} has values of {found} bytes instead of {wanted}: it is another version's")]
    ValueSize { name: &'static str, found: usize, wanted: usize },
    #[error("the kernel has no random numbers: {0}")]
    Random(#[source] io::Error),
    #[error("map {name} cannot be made: {source}")]
    Make { name: &'static str, source: io::Error },
    #[error("what the maps hold cannot be put in order: {0}")]
    Survey(#[source] Box<ApplyError>),
    #[error("map {name} cannot be mapped into memory: {source}")]
    Mmap { name: &'static str, source: io::Error },
}

/// One resource cannot be as desired; the others can.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("there is no interface {0}")]
    NoInterface(IfName),
    #[error("the index {ifindex} of interface {port} is beyond {max}")]
    IfIndex { port: IfName, ifindex: u32, max: u32 },
    #[error("the Ethernet address of {port} cannot be read: {source}")]
    HardwareAddress { port: IfName, source: io::Error },
    #[error("the program cannot be attached to {port} (its driver must support native XDP): {source}")]
    Attach { port: IfName, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the redirect map takes no {port}: {source}")]
    Redirect { port: IfName, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("a node has at most {0} ports")]
    TooManyPorts(u32),
    #[error("{0} is not a port of this node")]
    UnknownPort(IfName),
    #[error("{0} is not an access port")]
    NotAccess(IfName),
    #[error("still used by session {0}")]
    InUse(String),
    #[error(
        "the tags {s_vid}.{c_vid} on {port} belong to session {holder}; sessions share them if each has a `mac` of its own"
    )]
    TagsTaken { port: IfName, s_vid: u16, c_vid: u16, holder: String },
    #[error("the map of shared lines does not take it: {0}")]
    Shared(String),
    #[error("ports {first_port} and on of {address} belong to session {holder}")]
    PortsTaken { address: Ipv4Addr, first_port: u16, holder: String },
    #[error("{0} leads to something else already")]
    PrefixTaken(Prefix4),
    #[error("nat.address {0} is in no NAT pool of this node")]
    NoNatPool(Ipv4Addr),
    #[error("{0} leads to something else already")]
    Prefix6Taken(Prefix6),
    #[error("{0}")]
    Ipv6(#[from] Ipv6Error),
    #[error("{0}")]
    Fib6(#[from] Fib6Full),
    #[error("{0}")]
    Firewall(#[from] FirewallError),
    #[error("{0}")]
    Nat(#[from] NatError),
    #[error("{0}")]
    Rule(#[from] RuleError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error(transparent)]
    Devices(#[from] DevicesError),
    #[error("{0}")]
    Forward(#[from] ForwardError),
    #[error("{0}")]
    Fib(#[from] FibError),
    #[error("the table of {table} is full ({size} entries)")]
    Full { table: &'static str, size: u32 },
    #[error("the kernel has no room for more {table}: {source}")]
    Memory { table: &'static str, source: io::Error },
    #[error("map {name} cannot be written to: {source}")]
    Map { name: &'static str, source: aya::maps::MapError },
    #[error("homes cannot be written to: {0}")]
    Clerk(#[source] io::Error),
    #[error("what was written before may not be in place: {0}")]
    NotWritten(String),
    #[error("the maps have no such place: {0:?}")]
    NoPlace(map_abi::Poke),
    #[error("there is no session {0}")]
    NoSession(u32),
}
