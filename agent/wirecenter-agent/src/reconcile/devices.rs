//! Homes with several devices: the fast path knows those that have leases, and no others.

use std::time::Duration;

use net_types::Name;

use super::{Reconciler, since_1970};
use crate::{devices, effects::Effects};

impl<E: Effects> Reconciler<E> {
    /// Tells of the devices of some sessions, which may have been made anew.
    pub(super) fn tell_devices<'n>(
        &mut self,
        subscribers: impl IntoIterator<Item = &'n Name>,
        now: Duration,
    ) {
        for session in subscribers.into_iter().filter_map(|name| self.desired.sessions.get(name)) {
            devices::tell(&mut self.effects, session, &self.leases.devices, now);
        }
    }

    /// The same of all. Where nothing has changed, nothing is written.
    pub(super) fn tell_all_devices(&mut self, now: Duration) {
        for session in self.desired.sessions.values() {
            devices::tell(&mut self.effects, session, &self.leases.devices, now);
        }
    }

    /// Has the fast path forget those whose leases have ended.
    pub(super) fn end_leases(&mut self, now: Duration) {
        let homes: Vec<Name> = self.leases.devices.keys().cloned().collect();
        self.tell_devices(&homes, now);
    }

    pub(super) fn count_devices(&mut self) {
        let counts = self.answerer.device_counts(&self.desired, &self.leases, since_1970());
        self.status.devices(counts);
    }

    /// Leases of a home with one device are kept apart from those of one with several: who becomes the other asks anew.
    pub(super) fn forget_leases_of_the_other_kind(&mut self, subscriber: &Name) {
        match self.desired.sessions.get(subscriber) {
            Some(session) if session.has_devices() => {
                self.leases.v4.remove(subscriber);
                if let Some(leases) = self.leases.devices.get_mut(subscriber) {
                    leases.keep_only_of(session);
                }
            }
            Some(_) | None => drop(self.leases.devices.remove(subscriber)),
        }
    }
}
