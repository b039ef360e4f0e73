//! Homes with several devices: what DHCP leases to each, and which of them the fast path knows.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use access_protocols::dhcp4::{
    Event, Ignored, Refusal,
    devices::{Change, Context, Leases, handle},
};
use fastpath::LeasedDevice;
use net_types::{Mac, Name};
use node_state::{NodeState, Session};
use serde::Serialize;

use crate::effects::Effects;

/// Of homes with several devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceCounts {
    /// Homes that may have several, and have had one.
    pub(crate) homes: usize,
    /// Devices that have leases.
    pub(crate) leased: usize,
    /// DHCP messages since the agent began of devices that were too many for their home.
    pub(crate) over_limit: u64,
}

/// The DHCP server of such homes.
#[derive(Debug, Default)]
pub(crate) struct DeviceServer {
    over_limit: u64,
    /// Homes that have been said to have too many devices, until a lease changes.
    told: HashSet<Name>,
    /// Homes whose leases are to be kept, and told to the fast path.
    changed: HashSet<Name>,
}

impl DeviceServer {
    /// The answer to a message; what becomes of the home's leases is seen by later messages of the batch.
    pub(crate) fn answer(
        &mut self,
        session: &Session,
        port_mac: Mac,
        frame: &[u8],
        now: Duration,
        leases: &mut HashMap<Name, Leases>,
    ) -> Option<Vec<u8>> {
        let subscriber = &session.subscriber;
        let of_home = leases.entry(subscriber.clone()).or_default();
        let context = Context { session, port_mac, leases: of_home, now_s: now.as_secs() };
        let outcome = handle(&context, frame);
        of_home.change(outcome.change, now.as_secs());
        let client = outcome.client.map(tracing::field::display);
        match (outcome.event, outcome.change) {
            (
                Event::Ignored(Ignored::DeviceLimit(limit)) | Event::Refused(Refusal::DeviceLimit(limit)),
                _,
            ) => {
                self.over_limit += 1;
                if self.told.insert(subscriber.clone()) {
                    tracing::warn!(%subscriber, client, limit, "a home has more devices than it may have");
                }
            }
            (Event::Ignored(reason), _) => {
                tracing::debug!(%subscriber, client, %reason, "DHCP message ignored");
            }
            (
                event,
                Change::Bind { address, .. } | Change::End { address } | Change::SetAside { address },
            ) => {
                tracing::info!(%subscriber, client, %address, %event, "DHCP");
            }
            (event, _) => tracing::info!(%subscriber, client, %event, "DHCP"),
        }
        if outcome.change.is_kept() {
            self.told.remove(subscriber);
            self.changed.insert(subscriber.clone());
        }
        outcome.reply
    }

    /// The homes whose leases have changed since this was asked last, with what they are.
    pub(crate) fn take_changed(&mut self, leases: &HashMap<Name, Leases>) -> Vec<(Name, Leases)> {
        let changed = self.changed.drain();
        changed.filter_map(|name| leases.get(&name).cloned().map(|leases| (name, leases))).collect()
    }

    pub(crate) fn counts(
        &self,
        desired: &NodeState,
        leases: &HashMap<Name, Leases>,
        now: Duration,
    ) -> DeviceCounts {
        let mut counts = DeviceCounts { over_limit: self.over_limit, ..DeviceCounts::default() };
        for (name, leases) in leases {
            if let Some(session) = desired.sessions.get(name).filter(|session| session.has_devices()) {
                counts.homes += 1;
                counts.leased += leases.live(session, now.as_secs()).count();
            }
        }
        counts
    }
}

/// Tells the fast path of the devices of a home that have leases now, if it may have several.
pub(crate) fn tell(
    effects: &mut impl Effects,
    session: &Session,
    leases: &HashMap<Name, Leases>,
    now: Duration,
) {
    if !session.has_devices() {
        return;
    }
    let live =
        leases.get(&session.subscriber).into_iter().flat_map(|leases| leases.live(session, now.as_secs()));
    let device = |(address, bound): (_, access_protocols::dhcp4::Binding)| LeasedDevice {
        address,
        mac: bound.mac,
        lease_ends_s: bound.expires_s,
    };
    effects.set_devices(&session.subscriber, &live.map(device).collect::<Vec<_>>());
}
