//! Parental control's tables.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ptr::NonNull,
};

use map_abi::{DeviceKey, DnsScratch};
use zerocopy::FromZeros;

use super::{HostTables, Store, holds};

pub(super) struct DnsTables {
    scratch: Store<DnsScratch>,
    listed: RefCell<BTreeMap<u64, u64>>,
    blocked: RefCell<BTreeMap<DeviceKey, u64>>,
    encrypted: RefCell<BTreeSet<(u128, u32)>>,
    counts: RefCell<BTreeMap<u32, u64>>,
}

impl DnsTables {
    pub(super) fn new() -> Self {
        Self {
            scratch: Store::new(),
            listed: RefCell::default(),
            blocked: RefCell::default(),
            encrypted: RefCell::default(),
            counts: RefCell::default(),
        }
    }

    pub(super) fn scratch(&self) -> NonNull<DnsScratch> {
        self.scratch.get_or(0, DnsScratch::new_zeroed)
    }

    pub(super) fn listed(&self, name: u64) -> u64 {
        self.listed.borrow().get(&name).copied().unwrap_or(0)
    }

    pub(super) fn blocked(&self, device: &DeviceKey) -> Option<u64> {
        self.blocked.borrow().get(device).copied()
    }

    pub(super) fn is_encrypted_resolver(&self, address: [u64; 2]) -> bool {
        holds(&self.encrypted.borrow(), address)
    }

    pub(super) fn count(&self, what: u32) {
        *self.counts.borrow_mut().entry(what).or_default() += 1;
    }
}

impl HostTables {
    /// Puts a name, by its hash, on the lists of some categories.
    pub fn set_listed(&self, name: u64, categories: u64) {
        self.dns.listed.borrow_mut().insert(name, categories);
    }

    pub fn set_blocked(&self, device: DeviceKey, categories: u64) {
        self.dns.blocked.borrow_mut().insert(device, categories);
    }

    /// Has an encrypted resolver be known: a prefix of IPv6, and how many of its bits count.
    pub fn add_encrypted_resolver(&self, address: [u8; 16], len: u32) {
        self.dns.encrypted.borrow_mut().insert((u128::from_be_bytes(address), len));
    }

    /// Of `map_abi::dns_count`, how many there were.
    pub fn dns_counts(&self) -> BTreeMap<u32, u64> {
        self.dns.counts.borrow().clone()
    }
}
