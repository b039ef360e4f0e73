//! The devices of homes that have several: which address is whose, as the agent has leased them.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
    path::Path,
};

use aya::maps::{HashMap, Map, MapData};
use map_abi::{Device, HomeRef, LeasedAddress, flags, map};
use net_types::{Mac, Name};

use crate::{
    error::{ApplyError, OpenError},
    fastpath::Fastpath,
    places::forgotten,
    tables::Tables,
};

/// A device of a home, and its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeasedDevice {
    pub address: Ipv4Addr,
    pub mac: Mac,
    /// In seconds since 1970.
    pub lease_ends_s: u64,
}

/// Key and value in words, as the map library wants them.
type Key = [u32; 2];
type Value = [u64; 2];

/// The map itself.
pub(crate) struct DevicesMap(HashMap<MapData, Key, Value>);

type Held = BTreeMap<LeasedAddress, Device>;

impl DevicesMap {
    pub(crate) fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Map { name: map::DEVICES, source };
        let data = MapData::from_pin(pin_dir.join(map::DEVICES)).map_err(failed)?;
        HashMap::try_from(Map::HashMap(data)).map(Self).map_err(failed)
    }

    pub(crate) fn read(&self) -> Held {
        let held = self.0.iter().filter_map(Result::ok);
        held.map(|(key, value)| (zerocopy::transmute!(key), zerocopy::transmute!(value))).collect()
    }
}

/// Those of a home, of all.
pub(crate) fn of_home(held: &Held, home: HomeRef) -> Vec<LeasedDevice> {
    held.range(range(home)).filter_map(|(key, device)| leased(*key, *device)).collect()
}

/// The map, and what is in it.
pub(crate) struct Devices {
    map: DevicesMap,
    held: Held,
    pub(crate) writes: u64,
}

impl Devices {
    pub(crate) fn open(pin_dir: &Path) -> Result<Self, OpenError> {
        let map = DevicesMap::open(pin_dir)?;
        Ok(Self { held: map.read(), map, writes: 0 })
    }

    /// Forgets what is held for homes that there are not.
    pub(crate) fn keep_only(&mut self, tables: &Tables, sessions: &[u32]) -> Result<(), ApplyError> {
        let homes = sessions.iter().map(|index| tables.session(*index));
        let with_devices = homes.filter(|session| session.flags & flags::DEVICES != 0);
        let units: BTreeSet<u32> = with_devices.map(|session| session.home.unit()).collect();
        let gone: Vec<_> = self.held.keys().filter(|key| !units.contains(&key.unit)).copied().collect();
        gone.into_iter().try_for_each(|key| self.remove(key))
    }

    /// Makes these the devices of a home. What is not wanted goes first, so that there are never more than are wanted.
    fn set(&mut self, home: HomeRef, wanted: &[LeasedDevice]) -> Result<(), ApplyError> {
        let entry = |device: &LeasedDevice| {
            let key =
                LeasedAddress { unit: home.unit(), address: u32::from_ne_bytes(device.address.octets()) };
            let [a, b, c, d, e, f] = device.mac.octets();
            let mac = u64::from_ne_bytes([a, b, c, d, e, f, 0, 0]);
            (key, Device { mac, lease_ends_s: device.lease_ends_s })
        };
        let wanted: Held = wanted.iter().map(entry).collect();
        let held = self.held.range(range(home)).map(|(key, _)| *key);
        let gone: Vec<_> = held.filter(|key| !wanted.contains_key(key)).collect();
        gone.into_iter().try_for_each(|key| self.remove(key))?;
        for (key, device) in wanted {
            if self.held.get(&key) != Some(&device) {
                let (words, value): (Key, Value) = (zerocopy::transmute!(key), zerocopy::transmute!(device));
                let failed = |source| ApplyError::Map { name: map::DEVICES, source };
                self.map.0.insert(words, value, 0).map_err(failed)?;
                self.held.insert(key, device);
                self.writes += 1;
            }
        }
        Ok(())
    }

    fn remove(&mut self, key: LeasedAddress) -> Result<(), ApplyError> {
        let words: Key = zerocopy::transmute!(key);
        forgotten(self.map.0.remove(&words))
            .map_err(|source| ApplyError::Map { name: map::DEVICES, source })?;
        self.held.remove(&key);
        self.writes += 1;
        Ok(())
    }
}

fn range(home: HomeRef) -> std::ops::RangeInclusive<LeasedAddress> {
    let key = |address| LeasedAddress { unit: home.unit(), address };
    key(0)..=key(u32::MAX)
}

fn leased(key: LeasedAddress, device: Device) -> Option<LeasedDevice> {
    let [a, b, c, d, e, f, ..] = device.mac.to_ne_bytes();
    let mac = Mac::new([a, b, c, d, e, f]).ok()?;
    let address = key.address.to_ne_bytes().into();
    Some(LeasedDevice { address, mac, lease_ends_s: device.lease_ends_s })
}

impl Fastpath {
    /// Makes these the devices of a session, which alone its home's packets come from and go to. Of one that has a single
    /// device, there are none.
    pub fn set_devices(&mut self, subscriber: &Name, devices: &[LeasedDevice]) -> Result<(), ApplyError> {
        let index = self.index_of(subscriber).ok_or(ApplyError::NoSession(0))?;
        let session = self.tables.session(index);
        let has_devices = session.flags & flags::DEVICES != 0 && !session.home.is_none();
        if has_devices { self.devices.set(session.home, devices) } else { Ok(()) }
    }

    /// Of a home that is given back.
    pub(crate) fn forget_devices(&mut self, home: HomeRef) {
        if let Err(error) = self.devices.set(home, &[]) {
            tracing::error!(%error, "the devices of a home cannot be forgotten");
        }
    }
}
