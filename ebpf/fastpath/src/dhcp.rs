//! What the kernel answers DHCPv4 clients with, and which leases it has given.

use std::{
    collections::{BTreeMap, VecDeque},
    path::Path,
    time::{Duration, SystemTime},
};

use map_abi::{DhcpProfile, map};
use net_types::{Mac, Name};
use node_state::Session;

use crate::{
    error::{ApplyError, OpenError},
    fastpath::Fastpath,
    mapped::{Access, Mapped, Writer, get_words, put, put_words},
    tables::{Tables, pinned},
};

/// Profiles, each for all sessions that tell their clients the same.
pub(crate) struct Profiles {
    table: Mapped<DhcpProfile>,
    by_content: BTreeMap<DhcpProfile, u32>,
    /// How many sessions have each; those of none are free.
    users: BTreeMap<u32, u32>,
    /// The one that was given up first is first: a packet that is under way may still be answered by one that was given
    /// up just now.
    free: VecDeque<u32>,
}

impl Profiles {
    /// With the profiles that sessions have.
    pub(crate) fn survey(
        tables: &Tables,
        pin_dir: &Path,
        sessions: impl Iterator<Item = u32>,
    ) -> Result<Self, OpenError> {
        let table: Mapped<DhcpProfile> = pinned(pin_dir, map::DHCP_PROFILES, Access::Write)?;
        let mut found =
            Self { table, by_content: BTreeMap::new(), users: BTreeMap::new(), free: VecDeque::new() };
        for session in sessions {
            let index = tables.session(session).dhcp_profile;
            if index != 0 && index < found.table.len() {
                *found.users.entry(index).or_default() += 1;
                found.by_content.insert(found.content(index), index);
            }
        }
        found.free = (1..found.table.len()).filter(|index| !found.users.contains_key(index)).collect();
        Ok(found)
    }

    fn content(&self, index: u32) -> DhcpProfile {
        let words: [u64; size_of::<DhcpProfile>() / 8] = get_words!(self.table.at(index), lease_seconds);
        zerocopy::transmute!(words)
    }

    /// The index of a profile for one session more; 0: there is none, or no room for it, and user space answers.
    fn take(&mut self, writer: &mut Writer, wanted: Option<DhcpProfile>) -> u32 {
        let Some(profile) = wanted else { return 0 };
        let held = self.by_content.get(&profile).copied();
        let Some(index) = held.or_else(|| self.free.pop_front()) else {
            tracing::warn!(
                size = self.table.len() - 1,
                "the table of DHCP profiles is full: the agent answers"
            );
            return 0;
        };
        if held.is_none() {
            let words: [u64; size_of::<DhcpProfile>() / 8] = zerocopy::transmute!(profile);
            put_words!(writer, self.table.at(index), words, lease_seconds);
            self.by_content.insert(profile, index);
        }
        *self.users.entry(index).or_default() += 1;
        index
    }

    /// One session has a profile no more.
    fn release(&mut self, index: u32) {
        let Some(users) = self.users.get_mut(&index) else { return };
        *users -= 1;
        if *users == 0 {
            self.users.remove(&index);
            let content = self.content(index);
            if self.by_content.get(&content) == Some(&index) {
                self.by_content.remove(&content);
            }
            self.free.push_back(index);
        }
    }
}

/// A lease that the kernel gave, or extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    pub mac: Mac,
    /// Seconds since 1970, by what the clock says at the moment.
    pub expires_s: u64,
}

impl Fastpath {
    /// Names the profile of a session that is new, or was another one's.
    pub(crate) fn set_dhcp_profile(&mut self, session: &Session, index: u32, is_new: bool) {
        let at = self.tables.sessions.at(index);
        let before = if is_new { 0 } else { self.tables.session(index).dhcp_profile };
        let profile = self.dhcp_profiles.take(&mut self.writer, node_plan::forwarding::dhcp_profile(session));
        put!(self.writer, at, profile, dhcp_profile);
        self.dhcp_profiles.release(before);
    }

    /// Of a session that goes.
    pub(crate) fn forget_dhcp_profile(&mut self, index: u32) {
        let before = self.tables.session(index).dhcp_profile;
        put!(self.writer, self.tables.sessions.at(index), 0_u32, dhcp_profile);
        self.dhcp_profiles.release(before);
    }

    /// The lease that the kernel gave a session's device last, even one that has ended; `None`: it gave none since a device
    /// was last learned or forgotten.
    pub fn lease(&self, subscriber: &Name) -> Option<Lease> {
        self.tables.lease(self.index_of(subscriber)?, since_1970().saturating_sub(monotonic()))
    }

    /// The same for all sessions that have one.
    pub fn leases(&self) -> Vec<(Name, Lease)> {
        let started = since_1970().saturating_sub(monotonic());
        let lease = |(name, index): (&Name, &u32)| Some((name.clone(), self.tables.lease(*index, started)?));
        self.sessions.by_name.iter().filter_map(lease).collect()
    }

    /// The kernel's lease is not to count any more.
    pub fn forget_lease(&mut self, subscriber: &Name) -> Result<(), ApplyError> {
        let index = self.index_of(subscriber).ok_or(ApplyError::NoSession(0))?;
        put!(self.writer, self.tables.sessions.at(index), 0_u64, lease_ends_s);
        Ok(())
    }
}

impl Tables {
    /// `started`: when the monotonic clock was 0.
    fn lease(&self, index: u32, started: Duration) -> Option<Lease> {
        let session = self.session(index);
        if session.lease_ends_s == 0 || session.flags & map_abi::flags::MAC_KNOWN == 0 {
            return None;
        }
        let mac = Mac::new(session.mac).ok()?;
        Some(Lease { mac, expires_s: started.as_secs().saturating_add(session.lease_ends_s) })
    }
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// The clock that programs in the kernel go by.
fn monotonic() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: room for the answer.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}
