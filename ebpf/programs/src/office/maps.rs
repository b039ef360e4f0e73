//! The maps of the fast path. Those that user space writes in place can be mapped into its memory; those in `ArrayOfMaps`
//! are written by the clerk, and come one by one as the office grows. The sizes here are the least, the loader gives
//! each its real one; arrays of maps it makes itself.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    btf_maps::{Array as InnerArray, ArrayOfMaps},
    macros::{btf_map, map},
    maps::{Array, DevMap, HashMap, LpmTrie, LruHashMap, PerCpuArray, ProgramArray, RingBuf},
};
use map_abi::{
    CATEGORIES_MAX, Category, Chunk, Device, DeviceKey, DhcpProfile, DhcpScratch, DnsScratch, DropReason,
    ENCRYPTED_RESOLVERS_MAX, End, FIB_ROOT_LINES, FIB6_ROOT_LINES, FibLine, FibPage, FragmentKey,
    FragmentKey6, GARDEN_PREFIXES_MAX, IFINDEX_LIMIT, LISTED_NAMES_MAX, LeasedAddress, LinePage, Loss,
    MAX_DHCP_PROFILES, MAX_NEXT_HOP_GROUPS, MAX_NEXT_HOPS, MAX_PORTS, NAT_EXEMPT_PREFIXES_MAX, NatPorts,
    NextHop, NextHopGroup, PortEntry, PortLink, ResolverKey, SVIDS_PER_PORT, Session, Settings, SharedKey,
    VOICE_PREFIXES_MAX, dhcp_answer, dns_count, program,
};

/// Packets from the core whose first fragment is remembered; the oldest are forgotten.
const FRAGMENTED_PACKETS_MAX: u32 = 16_384;
const PUNTS_BYTES: u32 = 1 << 20;
/// 58,000 records of 72 bytes: what comes while the agent is busy for a second or two.
const EVENTS_BYTES: u32 = 1 << 22;

#[map]
pub(crate) static PORTS: Array<PortEntry> = Array::pinned(IFINDEX_LIMIT, BPF_F_MMAPABLE);
#[map]
pub(crate) static PORT_LINKS: Array<PortLink> = Array::pinned(MAX_PORTS, BPF_F_MMAPABLE);
#[map]
pub(crate) static SVID_PAGES: Array<u64> = Array::pinned(MAX_PORTS * SVIDS_PER_PORT, BPF_F_MMAPABLE);
#[btf_map]
pub(crate) static LINES: ArrayOfMaps<InnerArray<LinePage, 1>, 1> = ArrayOfMaps::new();
/// The bits of a `HomeRef`.
#[map]
pub(crate) static SHARED: HashMap<SharedKey, u32> = HashMap::pinned(1, BPF_F_NO_PREALLOC);
#[map]
pub(crate) static DEVICES: HashMap<LeasedAddress, Device> = HashMap::pinned(1, BPF_F_NO_PREALLOC);
#[btf_map]
pub(crate) static HOMES: ArrayOfMaps<InnerArray<Chunk, 1>, 1> = ArrayOfMaps::new();
/// Only user space asks.
#[map]
static PAGES: Array<u64> = Array::pinned(1, BPF_F_MMAPABLE);
#[map]
pub(crate) static SESSIONS: Array<Session> = Array::pinned(1, BPF_F_MMAPABLE);
#[btf_map]
pub(crate) static NAT_PORTS: ArrayOfMaps<InnerArray<NatPorts, 1>, 1> = ArrayOfMaps::new();
#[map]
pub(crate) static FIB_ROOT: Array<FibLine> = Array::pinned(FIB_ROOT_LINES, BPF_F_MMAPABLE);
#[map]
pub(crate) static FIB_PAGES: Array<FibPage> = Array::pinned(1, BPF_F_MMAPABLE);
#[map]
pub(crate) static FIB6_ROOT: Array<FibLine> = Array::pinned(FIB6_ROOT_LINES, BPF_F_MMAPABLE);
#[map]
pub(crate) static FIB6_PAGES: Array<FibPage> = Array::pinned(1, BPF_F_MMAPABLE);
#[map]
pub(crate) static NEXT_HOPS: Array<NextHop> = Array::pinned(MAX_NEXT_HOPS, BPF_F_MMAPABLE);
#[map]
pub(crate) static NEXT_HOP_GROUPS: Array<NextHopGroup> = Array::pinned(MAX_NEXT_HOP_GROUPS, BPF_F_MMAPABLE);
#[map]
pub(crate) static SETTINGS: Array<Settings> = Array::pinned(1, BPF_F_MMAPABLE);
#[map]
pub(crate) static REDIRECT: DevMap = DevMap::pinned(MAX_PORTS, 0);
#[map]
pub(crate) static FRAGMENTS: LruHashMap<FragmentKey, u32> = LruHashMap::pinned(FRAGMENTED_PACKETS_MAX, 0);
#[map]
pub(crate) static FRAGMENTS6: LruHashMap<FragmentKey6, u8> = LruHashMap::pinned(FRAGMENTED_PACKETS_MAX, 0);
/// Written by the kernel's calls, one prefix at a time.
#[map]
pub(crate) static VOICE: LpmTrie<[u64; 2], u8> = LpmTrie::pinned(VOICE_PREFIXES_MAX, 0);
#[map]
pub(crate) static NAT_EXEMPT: LpmTrie<[u64; 2], u8> = LpmTrie::pinned(NAT_EXEMPT_PREFIXES_MAX, 0);
#[map]
pub(crate) static GARDEN: LpmTrie<[u64; 2], u8> = LpmTrie::pinned(GARDEN_PREFIXES_MAX, 0);
#[map]
pub(crate) static RESOLVERS: HashMap<ResolverKey, u8> = HashMap::pinned(1, BPF_F_NO_PREALLOC);
#[map]
pub(crate) static DROPS: PerCpuArray<u64> = PerCpuArray::pinned(DropReason::PLACES, 0);
#[map]
pub(crate) static ENDS: PerCpuArray<u64> = PerCpuArray::pinned(End::COUNT, 0);
#[map]
pub(crate) static PUNTS: RingBuf = RingBuf::pinned(PUNTS_BYTES, 0);
#[map]
pub(crate) static EVENTS: RingBuf = RingBuf::pinned(EVENTS_BYTES, 0);
#[map]
pub(crate) static LOSSES: PerCpuArray<u64> = PerCpuArray::pinned(Loss::COUNT, 0);
#[map]
pub(crate) static PROGRAMS: ProgramArray = ProgramArray::pinned(program::COUNT, 0);
#[map]
pub(crate) static DHCP_PROFILES: Array<DhcpProfile> = Array::pinned(MAX_DHCP_PROFILES, BPF_F_MMAPABLE);
/// Not pinned: it holds nothing between packets.
#[map]
pub(crate) static DHCP_SCRATCH: PerCpuArray<DhcpScratch> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub(crate) static DHCP_ANSWERS: PerCpuArray<u64> = PerCpuArray::pinned(dhcp_answer::COUNT, 0);
/// A word for each name, in memory that comes as names do.
#[map]
pub(crate) static LISTED_NAMES: HashMap<u64, u64> = HashMap::pinned(LISTED_NAMES_MAX, BPF_F_NO_PREALLOC);
#[map]
pub(crate) static ENCRYPTED_RESOLVERS: LpmTrie<[u64; 2], u8> = LpmTrie::pinned(ENCRYPTED_RESOLVERS_MAX, 0);
#[map]
pub(crate) static BLOCKED: HashMap<DeviceKey, u64> = HashMap::pinned(1, BPF_F_NO_PREALLOC);
/// Only user space asks.
#[map]
static CATEGORIES: Array<Category> = Array::pinned(CATEGORIES_MAX, BPF_F_MMAPABLE);
/// Not pinned: it holds nothing between packets.
#[map]
pub(crate) static DNS_SCRATCH: PerCpuArray<DnsScratch> = PerCpuArray::with_max_entries(1, 0);
#[map]
pub(crate) static DNS_COUNTS: PerCpuArray<u64> = PerCpuArray::pinned(dns_count::COUNT, 0);
