use std::{net::SocketAddrV4, path::Path};

use fastpath::Losses;
use node_state::{Resource, ResourceKey};

use super::*;
use crate::reconcile::fakes::{Fake, session};

const NOW: Duration = Duration::from_secs(1_700_000_000);

fn log(collector: &str, per_flow: bool) -> node_state::NatLog {
    let collector = collector.parse().expect("a collector");
    node_state::NatLog { collector, observation_domain: 7, per_flow }
}

/// A session with the `block`th block of 64 ports of 198.51.100.1.
fn with_block(subscriber: &str, number: u8, block: u16) -> Resource {
    let Resource::Session(mut session) = session(subscriber, number) else { panic!("a session") };
    let first_port = 1024 + 64 * block;
    session.nat = Some(node_state::Nat { address: [198, 51, 100, 1].into(), first_port, ports: 64 });
    Resource::Session(session)
}

/// The agent's part of the log: its disk, and the node.
struct Agent {
    store: Store,
    log: NatLog,
    fake: Fake,
}

impl Agent {
    fn start(dir: &Path, fake: &Fake, wanted: node_state::NatLog) -> Self {
        let (store, kept) = Store::open(dir).expect("opens");
        let mut log = NatLog::new(kept.told);
        log.configure(Some(wanted), &store, fake);
        Self { store, log, fake: fake.clone() }
    }

    /// The kernel has these sessions and no others.
    fn have(&mut self, sessions: &[Resource]) {
        let maps = sessions.iter().map(|session| (session.key(), session.clone())).collect();
        self.fake.world().maps = maps;
        let names: Vec<Name> = sessions.iter().filter_map(|session| session.key().subscriber()).collect();
        self.log.compare_all(names.iter(), &self.fake, NOW);
    }

    fn pump(&mut self) {
        self.log.pump(&self.store, &mut self.fake, NOW);
    }

    /// What the collector is told.
    fn told(&mut self) -> Vec<String> {
        self.log.finish(&self.store, &mut self.fake, NOW);
        let sent = std::mem::take(&mut self.fake.world().exported);
        sent.iter().flat_map(|datagram| records(datagram)).collect()
    }

    fn fails(&mut self, end: Option<(usize, Result<Progress, String>)>) {
        self.fake.world().export_ends = end;
        // As if the pause were over.
        self.log.exporting.as_mut().expect("it tells somebody").pause = None;
    }
}

/// A session with all of a public address.
fn with_address(subscriber: &str, number: u8) -> Resource {
    let Resource::Session(mut session) = session(subscriber, number) else { panic!("a session") };
    session.nat_address = Some([203, 0, 113, number].into());
    Resource::Session(session)
}

/// The records of addresses, of blocks and of sessions in a message, in the order of the fields of RFC 8158.
fn records(message: &[u8]) -> Vec<String> {
    let mut records = Vec::new();
    let mut rest = &message[16..];
    while let [a, b, c, d, ..] = *rest {
        let (id, len) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        let set;
        (set, rest) = rest.split_at(len.into());
        let record_len = match id {
            257 => 35,
            259 => 17,
            260 => 25,
            _ => continue,
        };
        records.extend(set[4..].chunks(record_len).map(|record| text(id, record)));
    }
    records
}

fn text(template: u16, record: &[u8]) -> String {
    let at = u64::from_be_bytes(record[..8].try_into().expect("eight bytes"));
    let ago = NOW.as_millis() - u128::from(at);
    let event = record[8];
    let address =
        |at: usize| <[u8; 4]>::try_from(&record[at..at + 4]).map(std::net::Ipv4Addr::from).expect("four");
    let port = |at: usize| u16::from_be_bytes([record[at], record[at + 1]]);
    let what = if template == 259 {
        format!("{} is {}", address(9), address(13))
    } else if template == 260 {
        format!("{} has {}:{}-{}", address(9), address(13), port(17), port(19))
    } else {
        let (inside, outside) = (address(9), address(13));
        let (protocol, from, by, to) = (record[17], port(18), port(20), address(22));
        format!("{protocol}: {inside}:{from} by {outside}:{by} to {to}:{}", port(30))
    };
    format!("{event} {what}, {ago} ms ago")
}

fn block(event: u8, number: u8, block: u16) -> String {
    let first = 1024 + 64 * block;
    format!("{event} 100.64.0.{number} has 198.51.100.1:{first}-{}, 0 ms ago", first + 63)
}

const CAME: u8 = 16;
const WENT: u8 = 17;

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_told_once_and_what_went_meanwhile_after_a_restart() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let wanted = log("192.0.2.66:4739", false);
    let (alice, bob) = (with_block("alice", 1, 0), with_block("bob", 2, 1));
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    // Who has no NAT has no block.
    agent.have(&[alice.clone(), bob.clone(), session("carol", 3)]);
    assert_eq!(agent.log.wait(NOW), Some(Duration::ZERO));
    assert_eq!(agent.told(), [block(CAME, 1, 0), block(CAME, 2, 1)]);
    agent.have(&[alice.clone(), bob.clone()]);
    assert_eq!(agent.told(), [""; 0]);
    drop(agent);
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    agent.have(&[alice.clone(), bob]);
    assert_eq!(agent.told(), [""; 0]);
    drop(agent);
    // While no agent is there, bob goes, and dora gets his ports.
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    let dora = with_block("dora", 4, 1);
    agent.have(&[alice.clone(), dora.clone()]);
    assert_eq!(agent.told(), [block(WENT, 2, 1), block(CAME, 4, 1)]);
    // Another block for the same subscriber, which another had until just before.
    agent.have(&[with_block("alice", 1, 1), with_block("dora", 4, 0)]);
    let mut told = agent.told();
    told[..2].sort();
    told[2..].sort();
    assert_eq!(told, [block(WENT, 1, 0), block(WENT, 4, 1), block(CAME, 1, 1), block(CAME, 4, 0)]);
    // Nobody is told for a while; then what has changed since.
    agent.log.configure(None, &agent.store, &fake);
    agent.have(&[]);
    assert_eq!((agent.told(), agent.log.wait(NOW)), (vec![], None));
    agent.log.configure(Some(wanted), &agent.store, &fake);
    agent.have(&[dora]);
    assert_eq!(agent.told().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_collector_is_told_of_all() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let sessions = [with_block("alice", 1, 0), with_block("bob", 2, 1)];
    let mut agent = Agent::start(dir.path(), &fake, log("192.0.2.66:4739", false));
    agent.have(&sessions);
    assert_eq!(agent.told().len(), 2);
    // The same one, from now on of each mapping.
    agent.log.configure(Some(log("192.0.2.66:4739", true)), &agent.store, &fake);
    agent.have(&sessions);
    assert_eq!(agent.told(), [""; 0]);
    agent.log.configure(Some(log("192.0.2.67:4739", false)), &agent.store, &fake);
    agent.have(&sessions);
    assert_eq!(agent.told().len(), 2);
    drop(agent);
    let mut agent = Agent::start(dir.path(), &fake, log("192.0.2.67:4739", false));
    agent.have(&sessions);
    assert_eq!(agent.told(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_told_later_and_remembered_as_told_only_then() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let wanted = log("192.0.2.66:4739", false);
    let sessions: Vec<_> = (1..=200).map(|n| with_block(&format!("s{n}"), n, n.into())).collect();
    let unreachable = Err("Network is unreachable".to_owned());
    for end in [unreachable.clone(), Ok(Progress::Blocked)] {
        let mut agent = Agent::start(dir.path(), &fake, wanted);
        agent.have(&sessions);
        for _ in 0..5 {
            agent.fails(Some((0, end.clone())));
            agent.pump();
        }
        assert_eq!(agent.log.error().is_some(), end == unreachable);
        assert!(agent.log.wait(NOW).is_some_and(|wait| !wait.is_zero()), "it does not spin");
        assert_eq!(agent.log.status(0).expect("it has one").waiting, sessions.len());
    }
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    agent.have(&sessions);
    fake.world().export_ends = None;
    assert_eq!(agent.told().len(), sessions.len());
    // Something goes wrong in the middle: what did not go out is told again, behind templates.
    agent.have(&sessions[..100]);
    agent.fails(Some((1, unreachable)));
    agent.pump();
    let first = records(&std::mem::take(&mut fake.world().exported)[0]);
    assert_eq!(agent.log.status(0).expect("it has one").waiting, 100 - first.len());
    agent.fails(None);
    let again = agent.told();
    assert_eq!((first.len(), again.len()), (48, 52));
    assert!(again.iter().all(|told| !first.contains(told)));
    let status = agent.log.status(0).expect("it has one");
    assert_eq!((status.blocks, status.waiting, agent.log.error()), (100, 0, None));
    drop(agent);
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    agent.have(&sessions[..100]);
    assert_eq!(agent.told(), [""; 0]);
}

fn mapping(is_made: bool, age: Duration) -> MappingEvent {
    let end = |address: [u8; 4], port| SocketAddrV4::new(address.into(), port);
    MappingEvent {
        is_made,
        age,
        session: 1,
        protocol: 17,
        inside: end([100, 64, 0, 1], 5000),
        external: end([198, 51, 100, 1], 1042),
        remote: end([192, 0, 2, 66], 53),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mappings_are_told_if_they_are_wanted_with_the_time_of_the_event() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    fake.world().losses = Losses { events: 5, punts: 0 };
    let mut agent = Agent::start(dir.path(), &fake, log("192.0.2.66:4739", false));
    let events = [mapping(false, Duration::from_mins(2)), mapping(true, Duration::from_millis(3))];
    agent.log.mappings(&events, NOW);
    assert_eq!(agent.told(), [""; 0]);
    agent.log.configure(Some(log("192.0.2.66:4739", true)), &agent.store, &fake);
    agent.log.mappings(&events, NOW);
    let flow = "17: 100.64.0.1:5000 by 198.51.100.1:1042 to 192.0.2.66:53";
    assert_eq!(agent.told(), [format!("5 {flow}, 120000 ms ago"), format!("4 {flow}, 3 ms ago")]);
    // Losses from before the agent are not its own.
    let status = agent.log.status(7).expect("it has one");
    assert_eq!((status.dropped, agent.log.status(7).expect("it has one").dropped), (2, 2));
    assert_eq!(fake.world().maps.get(&ResourceKey::nat_log()), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn further_blocks_are_told_of_beside_the_own_one() {
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let wanted = log("192.0.2.66:4739", false);
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    let alice = || [with_block("alice", 1, 0)];
    let further = |ports: &[u16]| {
        let name: Name = "alice".parse().expect("a name");
        fake.world().further = [(name, ports.to_vec())].into();
    };
    agent.have(&alice());
    assert_eq!(agent.told(), [block(CAME, 1, 0)]);
    further(&[65_024]);
    agent.have(&alice());
    assert_eq!(agent.told(), [block(CAME, 1, 1000)]);
    drop(agent);
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    agent.have(&alice());
    assert_eq!((agent.told(), agent.log.status(0).expect("it has one").blocks), (vec![], 2));
    // One goes while another comes, and no agent is there to see it.
    drop(agent);
    further(&[65_088]);
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    agent.have(&alice());
    assert_eq!(agent.told(), [block(WENT, 1, 1000), block(CAME, 1, 1001)]);
    agent.have(&[]);
    assert_eq!(agent.told(), [block(WENT, 1, 0), block(WENT, 1, 1001)]);
    let held = NatBlock {
        inside: [100, 64, 0, 1].into(),
        external: [198, 51, 100, 1].into(),
        first_port: 1024,
        ports: 64,
    };
    agent.log.over_quota(&[held, NatBlock { first_port: 65_024, ..held }], NOW);
    agent.log.finish(&agent.store, &mut agent.fake, NOW);
    let sent = fake.world().exported.pop().expect("a datagram");
    // RFC 8158, section 5.6.11: natEvent 13, natQuotaExceededEvent 3, of 128 ports, by the inside address.
    assert!(sent.windows(4).any(|bytes| bytes == [100, 64, 0, 1]) && sent.contains(&13), "{sent:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_address_is_told_once_when_it_comes_and_when_it_goes() {
    const BOUND: u8 = 14;
    const UNBOUND: u8 = 15;
    let is = |event: u8, number: u8| format!("{event} 100.64.0.{number} is 203.0.113.{number}, 0 ms ago");
    let dir = tempfile::tempdir().expect("directory");
    let (fake, _events) = Fake::new(dir.path());
    let wanted = log("192.0.2.66:4739", false);
    let (alice, bob) = (with_address("alice", 1), with_address("bob", 2));
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    agent.have(&[alice.clone(), bob.clone()]);
    assert_eq!(agent.told(), [is(BOUND, 1), is(BOUND, 2)]);
    agent.have(&[alice.clone(), bob.clone()]);
    assert_eq!(agent.told(), [""; 0]);
    drop(agent);
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    agent.have(&[alice.clone(), bob]);
    assert_eq!(agent.told(), [""; 0], "over a restart");
    drop(agent);
    // While no agent is there, bob goes, and alice gets a share of an address.
    let mut agent = Agent::start(dir.path(), &fake, wanted);
    agent.have(&[with_block("alice", 1, 0)]);
    let mut told = agent.told();
    told[..2].sort();
    assert_eq!(told, [is(UNBOUND, 1), is(UNBOUND, 2), block(CAME, 1, 0)]);
    agent.have(&[alice]);
    assert_eq!(agent.told(), [block(WENT, 1, 0), is(BOUND, 1)]);
}
