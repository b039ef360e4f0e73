//! Answers to packets that the fast path hands over: DHCP of both families, neighbour discovery, ICMP on behalf of the
//! office's gateways, and the web of sessions that are in the walled garden.

use std::{
    collections::HashMap,
    hash::RandomState,
    net::{Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use access_protocols::{
    ETHERTYPE_IPV6, Frame, Tag, Tags, TokenBucket,
    dhcp4::{self, Binding, BindingChange, Context, Event},
    dhcp6, icmp, icmp6, nd, portal,
};
use fastpath::{Punt, PuntReason};
use net_types::{IfName, Mac, Name, Tpid, Vid};
use node_state::{NodeState, Port, PortRole, Session};

use crate::{
    devices::{self, DeviceCounts, DeviceServer},
    effects::Effects,
    extended,
    store::{Leases, Store},
};

/// ICMP messages of a port (RFC 1812, section 4.3.2.8): at once, and one more each interval.
const ICMP_BURST: u32 = 100;
const ICMP_INTERVAL: Duration = Duration::from_millis(2);

/// Answers of the portal on a port: at once, and one more each interval. Each subscriber has its own limit in the fast path;
/// this one leaves the agent time for DHCP when all of a port are suspended.
const PORTAL_BURST: u32 = 2000;
const PORTAL_INTERVAL: Duration = Duration::from_micros(200);

/// Makes answers, within limits.
pub(crate) struct Answerer {
    /// By port, as many as there are ports.
    icmp: HashMap<IfName, TokenBucket>,
    portal: HashMap<IfName, TokenBucket>,
    devices: DeviceServer,
    /// Connections to the portal are known by it. They do not outlive the agent.
    key: RandomState,
}

/// An answer that may be sent once all bindings are on the disk.
struct Answer {
    port: IfName,
    frame: Vec<u8>,
}

impl Answerer {
    pub(crate) fn new() -> Self {
        Self {
            icmp: HashMap::new(),
            portal: HashMap::new(),
            devices: DeviceServer::default(),
            key: RandomState::new(),
        }
    }

    /// Answers a batch with one write to the disk. `now`: since 1970.
    pub(crate) async fn answer(
        &mut self,
        punts: Vec<Punt>,
        now: Duration,
        (desired, leases, store): (&NodeState, &mut Leases, &Store),
        effects: &mut impl Effects,
    ) {
        let mut answers = Vec::new();
        let mut changes: Vec<(Name, BindingChange)> = Vec::new();
        let mut changes6: Vec<(Name, dhcp6::Bindings)> = Vec::new();
        for punt in punts {
            let Some(port) = punt.port.as_ref().and_then(|port| desired.ports.get(port)) else { continue };
            let subscriber = effects.subscriber(punt.session);
            let session = subscriber.and_then(|name| desired.sessions.get(&name));
            let Some(port_mac) = effects.port_mac(&port.name).await else { continue };
            let frame = match (punt.reason, session) {
                (PuntReason::Dhcp, Some(session)) if session.has_devices() => {
                    self.devices.answer(session, port_mac, &punt.frame, now, &mut leases.devices)
                }
                (PuntReason::Dhcp, Some(session)) => {
                    let kept = leases.v4.get(&session.subscriber).copied();
                    let bound = extended::current(session, kept, effects.lease(&session.subscriber));
                    let context = Context { session, port_mac, bound, now_s: now.as_secs() };
                    let outcome = dhcp4::handle(&context, &punt.frame);
                    log(session, outcome.event);
                    remember(&mut leases.v4, &mut changes, &session.subscriber, outcome.binding);
                    outcome.reply
                }
                (PuntReason::Dhcp6, Some(session)) => {
                    dhcp6(session, port_mac, &punt.frame, now, &mut leases.v6, &mut changes6)
                }
                (PuntReason::NeighbourDiscovery, Some(session)) => {
                    nd::handle(&nd::Context { session, port_mac, mtu: port.mtu }, &punt.frame).reply
                }
                (PuntReason::Web | PuntReason::SecureWeb, Some(session)) => {
                    self.portal(&punt.frame, port, session, desired, now)
                }
                // A line without a session has nothing to be leased, and is in no garden.
                (
                    PuntReason::Dhcp
                    | PuntReason::Dhcp6
                    | PuntReason::NeighbourDiscovery
                    | PuntReason::Web
                    | PuntReason::SecureWeb,
                    None,
                ) => None,
                (reason, session) if is_ipv6(&punt.frame) => {
                    let own = effects.own_address6(&towards_core(port, desired)).await;
                    let line = Line6 { port, session, link_local: port_mac.link_local(), own };
                    self.icmp6(reason, &punt.frame, &line, desired, now)
                }
                (reason, session) => self.icmp(reason, &punt.frame, port, session, desired, now),
            };
            answers.extend(frame.map(|frame| Answer { port: port.name.clone(), frame }));
        }
        let of_devices = self.devices.take_changed(&leases.devices);
        if !changes.is_empty() || !changes6.is_empty() || !of_devices.is_empty() {
            let keep = || store.keep_bindings(&changes, &changes6, &of_devices);
            if let Err(error) = tokio::task::block_in_place(keep) {
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
                    BindingChange::Clear if is_configured() => effects.forget_lease(subscriber),
                    BindingChange::Clear => effects.forget_mac(subscriber),
                    BindingChange::Keep => {}
                }
            }
            for session in of_devices.iter().filter_map(|(name, _)| desired.sessions.get(name)) {
                devices::tell(effects, session, &leases.devices, now);
            }
        }
        for Answer { port, frame } in answers {
            effects.send(&port, &frame).await;
        }
    }

    pub(crate) fn device_counts(&self, desired: &NodeState, leases: &Leases, now: Duration) -> DeviceCounts {
        self.devices.counts(desired, &leases.devices, now)
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
        if !self.may_send(port, now) {
            return None;
        }
        let answer = match reason {
            PuntReason::TtlExpired => icmp::error(frame, icmp::Problem::TimeExceeded, address),
            PuntReason::TooBig => {
                let mtu = next_mtu(port, session, desired)?;
                icmp::error(frame, icmp::Problem::FragmentationNeeded { mtu }, address)
            }
            PuntReason::NoRoute => icmp::error(frame, icmp::Problem::NetUnreachable, address),
            PuntReason::GatewayEcho => icmp::echo_reply(frame, address),
            PuntReason::Dhcp
            | PuntReason::Dhcp6
            | PuntReason::NeighbourDiscovery
            | PuntReason::Web
            | PuntReason::SecureWeb => return None,
        };
        answer.inspect_err(|silence| tracing::debug!(port = %port.name, ?silence, "no ICMP answer")).ok()
    }

    /// The same for IPv6. The gateway's address on a line is a link-local one, which a home's router would not pass on to its
    /// hosts (RFC 4291, section 2.5.6), so that errors come from an address of the node's own if it has one.
    fn icmp6(
        &mut self,
        reason: PuntReason,
        frame: &[u8],
        line: &Line6<'_>,
        desired: &NodeState,
        now: Duration,
    ) -> Option<Vec<u8>> {
        let Line6 { port, session, link_local, own } = *line;
        let source = match port.role {
            PortRole::Access { .. } => own.unwrap_or(link_local),
            PortRole::Core => own?,
        };
        if !self.may_send(port, now) {
            return None;
        }
        let problem = match reason {
            PuntReason::GatewayEcho => None,
            PuntReason::TtlExpired => Some(icmp6::Problem::TimeExceeded),
            PuntReason::TooBig => {
                let mtu = next_mtu(port, session, desired)?.into();
                Some(icmp6::Problem::PacketTooBig { mtu })
            }
            PuntReason::NoRoute => Some(icmp6::Problem::Unreachable(icmp6::Unreachable::NoRoute)),
            PuntReason::Dhcp
            | PuntReason::Dhcp6
            | PuntReason::NeighbourDiscovery
            | PuntReason::Web
            | PuntReason::SecureWeb => return None,
        };
        let answer = match problem {
            Some(problem) => icmp6::error(frame, problem, source),
            None => icmp6::echo_reply(frame, link_local),
        };
        answer.inspect_err(|silence| tracing::debug!(port = %port.name, ?silence, "no ICMPv6 answer")).ok()
    }

    /// The session may have become another meanwhile: who is in no garden any more is not to be sent away.
    fn portal(
        &mut self,
        frame: &[u8],
        port: &Port,
        session: &Session,
        desired: &NodeState,
        now: Duration,
    ) -> Option<Vec<u8>> {
        let garden = desired.garden.as_ref().filter(|_| session.is_in_garden())?;
        let bucket = self.portal.entry(port.name.clone());
        if !bucket.or_insert_with(|| TokenBucket::new(PORTAL_BURST, PORTAL_INTERVAL, now)).take(now) {
            return None;
        }
        let context = portal::Context { portal: &garden.portal, key: &self.key };
        let answer = portal::answer(&context, frame);
        let subscriber = &session.subscriber;
        answer
            .inspect_err(|silence| tracing::debug!(%subscriber, %silence, "the portal does not answer"))
            .ok()
    }

    fn may_send(&mut self, port: &Port, now: Duration) -> bool {
        let bucket = self.icmp.entry(port.name.clone());
        bucket.or_insert_with(|| TokenBucket::new(ICMP_BURST, ICMP_INTERVAL, now)).take(now)
    }

    /// Tells the lines that have IPv6 that their router is still there.
    pub(crate) async fn advertise(&mut self, desired: &NodeState, effects: &mut impl Effects) {
        for session in desired.sessions.values().filter(|session| session.ipv6.is_some()) {
            let Some(port) = desired.ports.get(&session.port) else { continue };
            let PortRole::Access { outer_tpid, .. } = port.role else { continue };
            let Some(port_mac) = effects.port_mac(&port.name).await else { continue };
            let tags = tags(session, outer_tpid);
            let context = nd::Context { session, port_mac, mtu: port.mtu };
            if let Some(frame) = nd::router_advertisement(&context, tags, None) {
                effects.send(&port.name, &frame).await;
            }
        }
    }
}

/// The tags that frames to a session carry.
fn tags(session: &Session, outer_tpid: Tpid) -> Tags {
    let tag = |tpid: Tpid, vid: Vid| Tag { tpid: tpid.ethertype(), tci: vid.get() };
    match (session.tags.s_vid, session.tags.c_vid) {
        (Some(s_vid), Some(c_vid)) => Tags::two(tag(outer_tpid, s_vid), tag(Tpid::Dot1q, c_vid)),
        (None, Some(c_vid)) => Tags::one(tag(Tpid::Dot1q, c_vid)),
        (_, None) => Tags::default(),
    }
}

fn is_ipv6(frame: &[u8]) -> bool {
    Frame::parse(frame).is_ok_and(|frame| frame.ethertype == ETHERTYPE_IPV6)
}

/// The answer to a DHCPv6 message; what becomes of the line's leases is seen by later messages of the batch.
fn dhcp6(
    session: &Session,
    port_mac: Mac,
    frame: &[u8],
    now: Duration,
    leases: &mut HashMap<Name, dhcp6::Bindings>,
    changes: &mut Vec<(Name, dhcp6::Bindings)>,
) -> Option<Vec<u8>> {
    let none = dhcp6::Bindings::default();
    let bound = leases.get(&session.subscriber).unwrap_or(&none);
    let context = dhcp6::Context { session, port_mac, bound, now_s: now.as_secs() };
    let outcome = dhcp6::handle(&context, frame);
    let subscriber = &session.subscriber;
    match &outcome.event {
        event @ dhcp6::Event::Ignored(_) => tracing::debug!(%subscriber, %event, "DHCPv6 message ignored"),
        event => tracing::info!(%subscriber, %event, "DHCPv6"),
    }
    if let dhcp6::BindingChange::Set(bindings) = outcome.bindings {
        leases.insert(subscriber.clone(), bindings.clone());
        changes.push((subscriber.clone(), bindings));
    }
    outcome.reply
}

/// Where a packet of IPv6 came in, and the office's addresses there.
struct Line6<'a> {
    port: &'a Port,
    session: Option<&'a Session>,
    link_local: Ipv6Addr,
    /// That all the Internet may know.
    own: Option<Ipv6Addr>,
}

/// The ports whose addresses are fit to answer from what came in by this one, the best first.
fn towards_core(port: &Port, desired: &NodeState) -> Vec<IfName> {
    let is_core = |port: &&Port| port.role == PortRole::Core;
    let others = desired.ports.values().filter(|other| other.name != port.name);
    Some(port).into_iter().chain(others).filter(is_core).map(|port| port.name.clone()).collect()
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
