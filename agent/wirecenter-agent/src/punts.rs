//! Answers to packets that the fast path hands over: DHCP, and ICMP on behalf of the office's gateways.

use std::{collections::HashMap, net::Ipv4Addr, time::Duration};

use access_protocols::{
    TokenBucket,
    dhcp4::{self, Binding, BindingChange, Context, Event},
    icmp,
};
use fastpath::{Punt, PuntReason};
use net_types::{IfName, Name};
use node_state::{NodeState, Port, PortRole, Session};

use crate::{effects::Effects, store::Store};

/// ICMP messages of a port (RFC 1812, section 4.3.2.8): at once, and one more each interval.
const ICMP_BURST: u32 = 100;
const ICMP_INTERVAL: Duration = Duration::from_millis(2);

/// Makes answers, within limits.
pub(crate) struct Answerer {
    /// By port, as many as there are ports.
    icmp: HashMap<IfName, TokenBucket>,
}

/// An answer that may be sent once all bindings are on the disk.
struct Answer {
    port: IfName,
    frame: Vec<u8>,
}

impl Answerer {
    pub(crate) fn new() -> Self {
        Self { icmp: HashMap::new() }
    }

    /// Answers a batch with one write to the disk. `now`: since 1970.
    pub(crate) async fn answer(
        &mut self,
        punts: Vec<Punt>,
        now: Duration,
        (desired, bindings, store): (&NodeState, &mut HashMap<Name, Binding>, &Store),
        effects: &mut impl Effects,
    ) {
        let mut answers = Vec::new();
        let mut changes: Vec<(Name, BindingChange)> = Vec::new();
        for punt in punts {
            let Some(port) = punt.port.as_ref().and_then(|port| desired.ports.get(port)) else { continue };
            let subscriber = effects.subscriber(punt.session);
            let session = subscriber.and_then(|name| desired.sessions.get(&name));
            let frame = match (punt.reason, session) {
                (PuntReason::Dhcp, Some(session)) => {
                    let Some(port_mac) = effects.port_mac(&port.name).await else { continue };
                    let bound = bindings.get(&session.subscriber).copied();
                    let context = Context { session, port_mac, bound, now_s: now.as_secs() };
                    let outcome = dhcp4::handle(&context, &punt.frame);
                    log(session, outcome.event);
                    remember(bindings, &mut changes, &session.subscriber, outcome.binding);
                    outcome.reply
                }
                // A line without a session has nothing to be leased.
                (PuntReason::Dhcp, None) => None,
                (reason, session) => self.icmp(reason, &punt.frame, port, session, desired, now),
            };
            answers.extend(frame.map(|frame| Answer { port: port.name.clone(), frame }));
        }
        if !changes.is_empty() {
            if let Err(error) = tokio::task::block_in_place(|| store.keep_bindings(&changes)) {
                // A lease that may be forgotten is better not given: the clients ask again.
                tracing::error!(%error, "leases cannot be kept");
                return;
            }
            for (subscriber, change) in &changes {
                // A configured address is not DHCP's to take away.
                let is_configured =
                    || desired.sessions.get(subscriber).is_some_and(|session| session.mac.is_some());
                match change {
                    BindingChange::Set(binding) => effects.learn_mac(subscriber, binding.mac),
                    BindingChange::Clear if !is_configured() => effects.forget_mac(subscriber),
                    BindingChange::Clear | BindingChange::Keep => {}
                }
            }
        }
        for Answer { port, frame } in answers {
            effects.send(&port, &frame).await;
        }
    }

    fn icmp(
        &mut self,
        reason: PuntReason,
        frame: &[u8],
        port: &Port,
        session: Option<&Session>,
        desired: &NodeState,
        now: Duration,
    ) -> Option<Vec<u8>> {
        let address = own_address(port, session)?;
        let bucket = self.icmp.entry(port.name.clone());
        let bucket = bucket.or_insert_with(|| TokenBucket::new(ICMP_BURST, ICMP_INTERVAL, now));
        if !bucket.take(now) {
            return None;
        }
        let answer = match reason {
            PuntReason::TtlExpired => icmp::error(frame, icmp::Problem::TimeExceeded, address),
            PuntReason::TooBig => {
                let mtu = next_mtu(port, session, desired)?;
                icmp::error(frame, icmp::Problem::FragmentationNeeded { mtu }, address)
            }
            PuntReason::GatewayEcho => icmp::echo_reply(frame, address),
            PuntReason::Dhcp => return None,
        };
        answer.inspect_err(|silence| tracing::debug!(port = %port.name, ?silence, "no ICMP answer")).ok()
    }
}

/// The office's address on the link that the packet came in by.
fn own_address(port: &Port, session: Option<&Session>) -> Option<Ipv4Addr> {
    match port.role {
        PortRole::Access { .. } => session.map(|session| session.gateway),
        PortRole::Core => port.addresses.first().map(|address| address.address()),
    }
}

/// The largest packet that the way on takes: up, any core port's; down, the session's access port's.
fn next_mtu(port: &Port, session: Option<&Session>, desired: &NodeState) -> Option<u16> {
    match port.role {
        PortRole::Access { .. } => {
            let core = desired.ports.values().filter(|port| port.role == PortRole::Core);
            core.map(|port| port.mtu).min()
        }
        PortRole::Core => {
            let port = session.and_then(|session| desired.ports.get(&session.port));
            let access =
                desired.ports.values().filter(|port| port.role != PortRole::Core).map(|port| port.mtu).min();
            port.map(|port| port.mtu).or(access)
        }
    }
}

/// Later messages of the batch must see what earlier ones have changed.
fn remember(
    bindings: &mut HashMap<Name, Binding>,
    changes: &mut Vec<(Name, BindingChange)>,
    subscriber: &Name,
    change: BindingChange,
) {
    match change {
        BindingChange::Keep => return,
        BindingChange::Set(binding) => drop(bindings.insert(subscriber.clone(), binding)),
        BindingChange::Clear => drop(bindings.remove(subscriber)),
    }
    changes.push((subscriber.clone(), change));
}

fn log(session: &Session, event: Event) {
    let subscriber = &session.subscriber;
    match event {
        Event::Ignored(reason) => tracing::debug!(%subscriber, ?reason, "DHCP message ignored"),
        event => tracing::info!(%subscriber, address = %session.lease, ?event, "DHCP"),
    }
}

#[cfg(test)]
mod tests;
