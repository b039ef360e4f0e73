//! Which of a line's devices has which address.

use std::{cmp::Reverse, collections::BTreeMap, net::Ipv4Addr};

use net_types::Mac;
use node_state::Session;

use super::{Binding, Change};

/// How long an address is kept for who was offered it, in seconds: clients ask for what they were offered at once, and
/// again for some ten seconds (RFC 2131, section 4.1).
const OFFER_S: u64 = 20;
/// How long an address is given only for want of another that somebody without a lease was found to use, in seconds.
const ASIDE_S: u64 = 600;

/// The leases of a line's devices, those that have ended too: a device that comes back gets the address that it had.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leases {
    bound: BTreeMap<Ipv4Addr, Binding>,
    /// To whom, and until when. Not kept over a restart of the agent: who was offered something asks for it, and if
    /// that is another's by then, asks anew.
    offered: BTreeMap<Ipv4Addr, Binding>,
    /// Until when.
    aside: BTreeMap<Ipv4Addr, u64>,
}

impl Leases {
    /// Those that were kept.
    pub fn new(bound: impl IntoIterator<Item = (Ipv4Addr, Binding)>) -> Self {
        Self { bound: bound.into_iter().collect(), ..Self::default() }
    }

    /// What is to be kept.
    pub fn all(&self) -> impl Iterator<Item = (Ipv4Addr, Binding)> {
        self.bound.iter().map(|(address, binding)| (*address, *binding))
    }

    /// The last lease of an address, even one that has ended.
    pub fn bound(&self, address: Ipv4Addr) -> Option<Binding> {
        self.bound.get(&address).copied()
    }

    /// The leases that count: those of the session's addresses that have not ended, and no more than there may be devices.
    pub fn live(&self, session: &Session, now_s: u64) -> impl Iterator<Item = (Ipv4Addr, Binding)> {
        let addresses = session.device_addresses();
        let bound = addresses.filter_map(|address| Some((address, self.bound(address)?)));
        bound.filter(move |(_, bound)| bound.expires_s > now_s).take(session.devices.into())
    }

    /// The address for a device: that of its lease, the one that it had, the one that it asks for, the next that is free.
    /// `None`: there are leases for as many others as there may be devices.
    pub(super) fn address_for(
        &self,
        session: &Session,
        mac: Mac,
        asked_for: Option<Ipv4Addr>,
        now_s: u64,
    ) -> Option<Ipv4Addr> {
        let live: BTreeMap<Ipv4Addr, Binding> = self.live(session, now_s).collect();
        if let Some((address, _)) = live.iter().find(|(_, bound)| bound.mac == mac) {
            return Some(*address);
        }
        if live.len() >= usize::from(session.devices) {
            return None;
        }
        let free = session.device_addresses().filter(|address| !live.contains_key(address));
        // What is better comes first; of what is as good, the first.
        free.min_by_key(|address| {
            let had = self.bound.get(address);
            let offered = self.offered.get(address).filter(|offered| offered.expires_s > now_s);
            let is_offered_to_another = offered.filter(|offered| offered.mac != mac);
            (
                // Where there is nothing else, it is given all the same.
                self.aside.get(address).filter(|until| **until > now_s),
                // So that nobody can have all of them offered and ask for none.
                is_offered_to_another.map(|offered| offered.expires_s),
                Reverse(had.is_some_and(|had| had.mac == mac)),
                Reverse(offered.is_some()),
                Reverse(Some(*address) == asked_for),
                had.map(|had| had.expires_s),
            )
        })
    }

    /// Makes a change that `handle` has decided on.
    pub fn change(&mut self, change: Change, now_s: u64) {
        match change {
            Change::Keep => {}
            Change::Offer { address, mac } => {
                self.offered.retain(|_, offered| offered.mac != mac && offered.expires_s > now_s);
                self.offered.insert(address, Binding { mac, expires_s: now_s.saturating_add(OFFER_S) });
            }
            Change::Bind { address, binding } => {
                self.offered.remove(&address);
                self.bound.retain(|_, bound| bound.mac != binding.mac);
                self.bound.insert(address, binding);
            }
            Change::End { address } => self.end(address, now_s),
            Change::SetAside { address } => {
                self.end(address, now_s);
                self.aside.retain(|_, until| *until > now_s);
                self.aside.insert(address, now_s.saturating_add(ASIDE_S));
            }
        }
    }

    fn end(&mut self, address: Ipv4Addr, now_s: u64) {
        if let Some(bound) = self.bound.get_mut(&address) {
            bound.expires_s = bound.expires_s.min(now_s);
        }
    }

    /// Forgets leases of addresses that are not the session's any more; true: there were some.
    pub fn keep_only_of(&mut self, session: &Session) -> bool {
        let before = self.bound.len();
        let addresses: Vec<Ipv4Addr> = session.device_addresses().collect();
        self.bound.retain(|address, _| addresses.contains(address));
        self.bound.len() != before
    }
}
