//! An office with alice, as the host, the kernel and user space see it.

use access_protocols::{
    Frame, Ipv4, Udp,
    dhcp4::{self, Binding, BindingChange, Context},
};
use dhcproto::{Decodable, Decoder, v4};
use fastpath::{Fastpath, Inspector, PuntReason, Punts};
use net_types::Mac;
use node_state::{NodeState, Session};
use packet_logic::HostTables;

use super::message::Message;
use crate::{
    fixtures::ADDRESSES,
    frames::assert_checksums,
    runner::{Host, Kernel, Outcome, Runner},
    snapshot::snapshot,
    world::{ACCESS_MAC, ALICE_MAC, World, desired_but, settle},
};

const NOW_S: u64 = 1_000_000;

/// Both homes with two resolvers.
pub(super) fn with_resolvers() -> NodeState {
    desired_but(|text| text.replace("\"dnsServers\":[]", "\"dnsServers\":[\"9.9.9.9\",\"149.112.112.112\"]"))
}

pub(super) struct Office<'w> {
    world: &'w World,
    pub(super) fastpath: Fastpath,
    punts: Punts,
    pub(super) inspector: Inspector,
    host: Host<'w>,
    alice: Session,
}

impl<'w> Office<'w> {
    pub(super) fn open(world: &'w World, desired: &NodeState) -> Self {
        let mut fastpath = world.office(desired);
        let punts = fastpath.punts().expect("not taken yet");
        let inspector = Inspector::open(&world.pin_dir).expect("pinned");
        let host = host(world);
        let alice = alice(desired);
        Self { world, fastpath, punts, inspector, host, alice }
    }

    pub(super) fn settle(&mut self, desired: &NodeState) {
        settle(&mut self.fastpath, desired);
        self.alice = alice(desired);
        self.renew_host();
    }

    /// The host's tables are as the kernel's are by now.
    pub(super) fn renew_host(&mut self) {
        self.forget_punts();
        self.host = host(self.world);
    }

    pub(super) fn tables(&self) -> &HostTables {
        &self.host.tables
    }

    fn kernel(&mut self) -> Kernel<'_> {
        let Self { world, fastpath, punts, inspector, .. } = self;
        Kernel { world, fastpath, inspector, punts }
    }

    pub(super) fn runners(&mut self) -> [Box<dyn Runner + '_>; 2] {
        let Self { world, fastpath, punts, inspector, host, .. } = self;
        [Box::new(HostRef(host)), Box::new(Kernel { world, fastpath, inspector, punts })]
    }

    /// What the host and the kernel make of a frame, which is the same; neither has been asked for long.
    pub(super) fn run(&mut self, frame: &[u8]) -> Outcome {
        self.host.tables.advance_ns(10_000_000_000);
        self.forget_punts();
        let on_host = self.host.up(frame);
        let in_kernel = self.kernel().up(frame);
        assert_eq!(on_host, in_kernel, "host and kernel");
        in_kernel
    }

    /// As if no packet had gone to user space for long.
    fn forget_punts(&mut self) {
        let sessions = aya::maps::MapData::from_pin(self.world.pin_dir.join("SESSIONS")).expect("pinned");
        let mut sessions: aya::maps::Array<_, [u8; size_of::<map_abi::Session>()]> =
            aya::maps::Array::try_from(aya::maps::Map::Array(sessions)).expect("an array");
        let index = self.fastpath.index_of(&self.alice.subscriber).expect("a session");
        let mut session = sessions.get(&index, 0).expect("every index");
        let at = core::mem::offset_of!(map_abi::Session, punt_arrival_q6);
        session[at..at + 8].fill(0);
        let at = core::mem::offset_of!(map_abi::Session, broadcast_arrival_q6);
        session[at..at + 8].fill(0);
        sessions.set(index, session, 0).expect("writes");
    }

    /// What user space answers, and whether that gives a lease.
    pub(super) fn reference(&self, frame: &[u8]) -> (Option<Vec<u8>>, bool) {
        let bound = Binding { mac: Mac::new(ALICE_MAC).expect("unicast"), expires_s: NOW_S + 600 };
        let port_mac = Mac::new(ACCESS_MAC).expect("unicast");
        let context = Context { session: &self.alice, port_mac, bound: Some(bound), now_s: NOW_S };
        let outcome = dhcp4::handle(&context, frame);
        (outcome.reply, matches!(outcome.binding, BindingChange::Set(_)))
    }

    pub(super) fn assert_answered(&mut self, why: &str, message: &Message) {
        let frame = message.frame();
        let Outcome::Redirect(answer) = self.run(&frame) else { panic!("{why}: no answer") };
        self.assert_as_user_space(why, &frame, &answer);
    }

    /// The answer is user space's, option for option.
    pub(super) fn assert_as_user_space(&self, why: &str, frame: &[u8], answer: &[u8]) {
        let reply = self.reference(frame).0.unwrap_or_else(|| panic!("{why}: user space does not answer"));
        let (ours, theirs) = (Read::new(answer), Read::new(&reply));
        assert_eq!(ours, theirs, "{why}");
    }

    pub(super) fn assert_handed_over(&mut self, why: &str, message: &Message) {
        assert_eq!(self.run(&message.frame()), Outcome::Punt(PuntReason::Dhcp), "{why}");
    }
}

fn host(world: &World) -> Host<'_> {
    Host { world, tables: snapshot(&world.pin_dir, [world.access, world.core], &ADDRESSES) }
}

fn alice(desired: &NodeState) -> Session {
    desired.sessions.values().find(|session| session.subscriber.as_str() == "alice").expect("alice").clone()
}

struct HostRef<'a, 'w>(&'a mut Host<'w>);

impl Runner for HostRef<'_, '_> {
    fn up(&mut self, frame: &[u8]) -> Outcome {
        self.0.up(frame)
    }

    fn down(&mut self, frame: &[u8]) -> Outcome {
        self.0.down(frame)
    }
}

/// An answer taken apart: all of it but the order of its options, what follows them, and the checksums, which are right.
#[derive(Debug, PartialEq)]
struct Read {
    stations: Vec<u8>,
    addresses: Vec<u8>,
    ports: Vec<u8>,
    fixed: Vec<u8>,
    /// Code and data, sorted.
    options: Vec<(u8, Vec<u8>)>,
    /// By somebody else's decoder.
    message: v4::Message,
    len: usize,
}

impl Read {
    fn new(bytes: &[u8]) -> Self {
        let frame = Frame::parse(bytes).expect("a frame");
        assert_checksums(frame.payload);
        let ip = Ipv4::parse(&frame).expect("IPv4");
        assert_eq!(ip.packet.len(), frame.payload.len(), "nothing follows the packet");
        let udp = Udp::parse(&ip).expect("UDP");
        assert_ne!(ip.payload[6..8], [0, 0], "there is a checksum");
        let (fixed, mut field) = udp.payload.split_at(240);
        let mut options = Vec::new();
        while let [code @ ..=254, len, rest @ ..] = field {
            let (data, rest) = rest.split_at(usize::from(*len));
            options.push((*code, data.to_vec()));
            field = rest;
        }
        assert_eq!(field[0], 255, "the end option");
        assert!(field[1..].iter().all(|byte| *byte == 0), "nothing but padding after it");
        let position = |code| options.iter().position(|(other, _)| *other == code);
        if let Some(relay) = position(82) {
            assert_eq!(relay, options.len() - 1, "the relay's is the last (RFC 3046)");
        }
        if let (Some(mask), Some(router)) = (position(1), position(3)) {
            assert!(mask < router, "the mask precedes the router (RFC 2132)");
        }
        options.sort();
        // The header without its checksum.
        let header = [&ip.packet[..10], &ip.packet[12..20]].concat();
        Self {
            stations: bytes[..bytes.len() - frame.payload.len()].to_vec(),
            addresses: header,
            ports: ip.payload[..6].to_vec(),
            fixed: fixed.to_vec(),
            options,
            message: v4::Message::decode(&mut Decoder::new(udp.payload)).expect("DHCP"),
            len: udp.payload.len(),
        }
    }
}
