//! The kernel's maps, copied into tables on the host.

use std::path::Path;

use aya::maps::{Array, ArrayOfMaps, HashMap, LpmTrie, Map, MapData};
use map_abi::{
    Chunk, DeviceKey, FIB_ROOT_LINES, FIB6_ROOT_LINES, HomeRef, LinePage, MAX_NEXT_HOP_GROUPS, NatPorts,
    ResolverKey, SVIDS_PER_PORT, Settings, map,
};
use packet_logic::HostTables;
use zerocopy::FromBytes;

pub(crate) struct Copied<T, const N: usize>(Array<MapData, [u8; N]>, std::marker::PhantomData<T>);

impl<T: FromBytes, const N: usize> Copied<T, N> {
    pub(crate) fn open(pin_dir: &Path, name: &str) -> Self {
        let data = MapData::from_pin(pin_dir.join(name)).expect(name);
        Self(Array::try_from(Map::Array(data)).expect(name), std::marker::PhantomData)
    }

    pub(crate) fn each(&self, indices: impl IntoIterator<Item = u32>, mut set: impl FnMut(u32, T)) {
        for index in indices.into_iter().filter(|index| *index < self.0.len()) {
            let bytes = self.0.get(&index, 0).expect("an array has every index");
            set(index, T::read_from_bytes(&bytes).expect("of that length"));
        }
    }
}

/// The values of an array of maps that are there, after what `PAGES` says.
pub(crate) fn pages<T: FromBytes, const N: usize>(
    pin_dir: &Path,
    name: &str,
    first_word: &mut u32,
    mut set: impl FnMut(u32, T),
) {
    let data = MapData::from_pin(pin_dir.join(name)).expect(name);
    let outer: ArrayOfMaps<_, Array<MapData, [u8; N]>> =
        ArrayOfMaps::try_from(Map::ArrayOfMaps(data)).expect(name);
    let words = MapData::from_pin(pin_dir.join(map::PAGES)).expect("pinned");
    let words: Array<_, u64> = Array::try_from(Map::Array(words)).expect("an array");
    let bit = |index: u32| words.get(&(*first_word + index / 64), 0).expect("inside") >> (index % 64) & 1;
    let held: Vec<u32> = (0..outer.len()).filter(|index| bit(*index) != 0).collect();
    *first_word += outer.len().div_ceil(64);
    for index in held {
        let page = outer.get(&index, 0).expect("it is said to be there");
        let bytes = page.get(&0, 0).expect("an array has every index");
        set(index, T::read_from_bytes(&bytes).expect("of that length"));
    }
}

/// What the map of shared lines has.
pub(crate) fn shared(pin_dir: &Path) -> Vec<([u64; 2], HomeRef)> {
    let data = MapData::from_pin(pin_dir.join(map::SHARED)).expect("pinned");
    let map: HashMap<_, [u64; 2], u32> = HashMap::try_from(Map::HashMap(data)).expect("a hash map");
    map.iter().map(|entry| entry.expect("read")).map(|(key, bits)| (key, HomeRef::from_bits(bits))).collect()
}

/// All that the fixtures can reach: S-VIDs 0 and 99 to 119 of the first two ports, destinations in `addresses`.
pub(crate) fn snapshot(pin_dir: &Path, ifindexes: [u32; 2], addresses: &[[u8; 4]]) -> HostTables {
    snapshot_at(pin_dir, ifindexes, addresses, 3600 * 1_000_000_000)
}

/// The same, at a time of the monotonic clock.
pub(crate) fn snapshot_at(
    pin_dir: &Path,
    ifindexes: impl IntoIterator<Item = u32>,
    addresses: &[[u8; 4]],
    now_ns: u64,
) -> HostTables {
    let tables = HostTables::new(now_ns);
    let d = pin_dir;
    Copied::<_, 8>::open(d, map::PORTS).each(ifindexes, |i, v| tables.set_port(i, v));
    Copied::<_, 64>::open(d, map::PORT_LINKS).each(0..64, |i, v| tables.set_port_link(i, v));
    let svids = (0..2).flat_map(|port| (99..120).chain([0]).map(move |svid| port * SVIDS_PER_PORT + svid));
    Copied::<_, 8>::open(d, map::SVID_PAGES).each(svids, |i, v| tables.set_svid_page(i, v));
    for (key, home) in shared(d) {
        tables.set_shared(zerocopy::transmute!(key), home);
    }
    let devices: HashMap<_, [u32; 2], [u64; 2]> =
        HashMap::try_from(Map::HashMap(MapData::from_pin(d.join(map::DEVICES)).expect("pinned")))
            .expect("a hash map");
    for (key, device) in devices.iter().map(|entry| entry.expect("read")) {
        tables.set_device(zerocopy::transmute!(key), zerocopy::transmute!(device));
    }
    let mut word = 0;
    pages::<_, { size_of::<Chunk>() }>(d, map::HOMES, &mut word, |i, v| tables.set_chunk(i, v));
    pages::<_, { size_of::<LinePage>() }>(d, map::LINES, &mut word, |i, v| tables.set_line_page(i, v));
    pages::<_, { size_of::<NatPorts>() }>(d, map::NAT_PORTS, &mut word, |i, v| tables.set_nat_ports(i, v));
    Copied::<_, { size_of::<map_abi::Session>() }>::open(d, map::SESSIONS)
        .each(0..64, |i, v| tables.set_session(i, v));
    let lines =
        addresses.iter().map(|address| u32::from_be_bytes(*address) >> 12).filter(|l| *l < FIB_ROOT_LINES);
    Copied::<_, 64>::open(d, map::FIB_ROOT).each(lines, |i, v| tables.set_fib_line(i, v));
    Copied::<_, 1024>::open(d, map::FIB_PAGES).each(0..64, |i, v| tables.set_fib_page(i, v));
    Copied::<_, 64>::open(d, map::FIB6_ROOT).each(0..FIB6_ROOT_LINES, |i, v| tables.set_fib6_line(i, v));
    Copied::<_, 1024>::open(d, map::FIB6_PAGES).each(0..64, |i, v| tables.set_fib6_page(i, v));
    Copied::<_, 32>::open(d, map::NEXT_HOPS).each(0..256, |i, v| tables.set_next_hop(i, v));
    Copied::<_, 128>::open(d, map::NEXT_HOP_GROUPS)
        .each(0..MAX_NEXT_HOP_GROUPS, |i, v| tables.set_next_hop_group(i, v));
    Copied::<_, 80>::open(d, map::DHCP_PROFILES).each(1..64, |i, v| tables.set_dhcp_profile(i, v));
    Copied::<_, { size_of::<Settings>() }>::open(d, map::SETTINGS)
        .each(0..1, |i, v| tables.set_settings(i, v));
    let data = |name| MapData::from_pin(d.join(name)).expect(name);
    let places =
        |name| -> LpmTrie<_, [u8; 16], u8> { LpmTrie::try_from(Map::LpmTrie(data(name))).expect("a trie") };
    for key in places(map::GARDEN).keys().map(|key| key.expect("a key")) {
        tables.add_to_garden(key.data(), key.prefix_len());
    }
    for key in places(map::VOICE).keys().map(|key| key.expect("a key")) {
        tables.add_voice(key.data(), key.prefix_len());
    }
    for key in places(map::NAT_EXEMPT).keys().map(|key| key.expect("a key")) {
        tables.add_nat_exempt(key.data(), key.prefix_len());
    }
    let resolvers: HashMap<_, [u8; size_of::<ResolverKey>()], u8> =
        HashMap::try_from(Map::HashMap(data(map::RESOLVERS))).expect("a hash map");
    for key in resolvers.keys() {
        tables.add_resolver(ResolverKey::read_from_bytes(&key.expect("a key")).expect("of that length"));
    }
    let names: HashMap<_, u64, u64> =
        HashMap::try_from(Map::HashMap(data(map::LISTED_NAMES))).expect("a hash map");
    for (name, categories) in names.iter().map(|entry| entry.expect("read")) {
        tables.set_listed(name, categories);
    }
    let blocked: HashMap<_, [u8; size_of::<DeviceKey>()], u64> =
        HashMap::try_from(Map::HashMap(data(map::BLOCKED))).expect("a hash map");
    for (device, categories) in blocked.iter().map(|entry| entry.expect("read")) {
        tables.set_blocked(DeviceKey::read_from_bytes(&device).expect("of that length"), categories);
    }
    let encrypted: LpmTrie<_, [u8; 16], u8> =
        LpmTrie::try_from(Map::LpmTrie(data(map::ENCRYPTED_RESOLVERS))).expect("a trie");
    for key in encrypted.keys().map(|key| key.expect("a key")) {
        tables.add_encrypted_resolver(key.data(), key.prefix_len());
    }
    tables
}
