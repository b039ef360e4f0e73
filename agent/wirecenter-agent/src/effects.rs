//! Everything that the agent does to the node, behind one trait, so that its decisions are tested without a kernel.

mod addresses;
mod frames;
mod neighbours;
mod node;
mod routes;

use std::{
    future::Future,
    net::{Ipv6Addr, SocketAddr},
    time::Duration,
};

use access_protocols::dhcp4::Binding;
use fastpath::{Extension, KernelEvent, Losses, Migration, NatBlock, Punt, Tally};
use ipfix::{Exporter, Progress};
use net_types::{IfName, Mac, Name};
use node_state::{Blocked, NodeState, ResourceKey};

pub(crate) use node::Node;

/// What came of a comparison or of changes: nothing in here is an error of the whole.
#[derive(Debug, Default)]
pub(crate) struct Done {
    /// In words, per resource.
    pub(crate) results: Vec<(ResourceKey, Result<(), String>)>,
    /// How many changes were made to the kernel.
    pub(crate) changes: u64,
}

/// Something that the node tells by itself.
#[derive(Debug)]
pub(crate) enum Event {
    /// Interfaces may have come, gone or changed: everything is to be compared.
    Links,
    /// Addresses or routes may have changed.
    Routes,
    /// A gateway may have another Ethernet address. `ask`: there may be gateways that nobody has looked for.
    Neighbours { ask: bool },
    /// Packets for user space.
    Punts(Vec<Punt>),
    /// What the kernel's NAT did.
    Nat(Vec<KernelEvent>),
}

pub(crate) trait Effects: Send + 'static {
    /// Compares ports, links, addresses and routes with the kernel's, and changes what differs.
    fn kernel(&mut self, desired: &NodeState) -> impl Future<Output = Done> + Send;

    /// Compares everything with the fast path's maps, and changes what differs.
    fn fastpath(&mut self, desired: &NodeState) -> Done;

    /// Makes a few changes in the fast path's maps.
    fn fastpath_changes(&mut self, changes: &[fastpath::Change]) -> Done;

    /// Tells the fast path what the kernel knows of gateways. `ask`: also has the kernel look for them.
    fn neighbours(&mut self, ask: bool) -> impl Future<Output = ()> + Send;

    /// Tells the fast path whom DHCP saw.
    fn learn_mac(&mut self, subscriber: &Name, mac: Mac);

    /// Tells the fast path which lists are blocked for the devices of a session from now on.
    fn set_blocked(&mut self, subscriber: &Name, blocked: &Blocked);

    /// Tells the fast path that whom DHCP saw is gone.
    fn forget_mac(&mut self, subscriber: &Name);

    /// The lease that the fast path gave or extended last, with its end even if that is past.
    fn lease(&self, subscriber: &Name) -> Option<Binding>;

    /// All of those.
    fn leases(&self) -> Vec<(Name, Binding)>;

    /// Tells the fast path that the lease that it gave counts no more.
    fn forget_lease(&mut self, subscriber: &Name);

    /// Whose session that is.
    fn subscriber(&self, index: u32) -> Option<Name>;

    /// The ports of a public address that a subscriber has in the fast path, block by block.
    fn nat_blocks(&self, subscriber: &Name) -> Vec<NatBlock>;

    /// Gives a session whose ports are exhausted more of them, if it may have more; whose it is.
    fn extend_nat(&mut self, session: u32) -> Result<Option<(Name, Extension)>, String>;

    /// Takes back what further ports are not used any more; from whom.
    fn reclaim_nat(&mut self) -> Result<Vec<Name>, String>;

    /// What the start carried over from maps that an agent of another version had laid out otherwise.
    fn migration(&self) -> Option<Migration>;

    /// What the fast path could not tell.
    fn losses(&self) -> Losses;

    /// How all frames ended that the node's ports took in; `None`: that cannot be read.
    fn tally(&self) -> Option<Tally>;

    /// Sends what is due at `now`, since 1970, as far as there is room. What could not be sent is lost, and counted.
    fn export(
        &mut self,
        collector: SocketAddr,
        exporter: &mut Exporter,
        now: Duration,
    ) -> Result<Progress, String>;

    /// The address of a port, to send frames from.
    fn port_mac(&mut self, port: &IfName) -> impl Future<Output = Option<Mac>> + Send;

    /// An address of IPv6 of the node's own that answers into the Internet may come from: of the first of these ports that
    /// has one, or of the node's loopback.
    fn own_address6(&mut self, ports: &[IfName]) -> impl Future<Output = Option<Ipv6Addr>> + Send;

    /// Sends a whole frame. One that cannot be sent is lost, as on any link.
    fn send(&mut self, port: &IfName, frame: &[u8]) -> impl Future<Output = ()> + Send;

    /// Waits for the next event. Safe to cancel.
    fn event(&mut self) -> impl Future<Output = Event> + Send;
}
