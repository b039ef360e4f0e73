//! A node with many virtual networks: how long its plan takes, and its kernel's way from nothing to what it should be and
//! from there back to the same. The bare minimum beside it: the same links and entries by `ip -batch` and `bridge -batch`.

use std::{
    io::Write,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use linux_node::{NetNs, Netlink};
use net_types::Mac;
use node_plan::kernel::plan;
use node_state::{BridgePort, Link, LinkKind, NodeState, Resource, Station, VXLAN_PORT};
use tempfile::NamedTempFile;

use crate::figure::Figure;

const NETWORKS: u32 = 1000;
const STATIONS_EACH: u32 = 10;
/// Of an office of eight nodes, the others.
const PEERS: u8 = 7;
const ROUNDS: usize = 3;

pub(crate) fn run() -> Result<Vec<Figure>> {
    let desired = state()?;
    let (mut plans, mut empty, mut correct, mut bare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    // The kernel takes long to remove a namespace with so many links, and lets nobody change links meanwhile.
    let mut kept = Vec::new();
    for _ in 0..ROUNDS {
        let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
        let (ours, theirs) = (NetNs::unnamed()?, NetNs::unnamed()?);
        let times = ours.run(|| runtime()?.block_on(converge(&desired)))??;
        plans.push(times.plan);
        empty.push(times.empty);
        correct.push(times.correct);
        bare.push(theirs.run(by_iproute2)??);
        kept.extend([ours, theirs]);
    }
    let seconds = |times: Vec<Duration>| times.iter().map(Duration::as_secs_f64).collect::<Vec<_>>();
    Ok(vec![
        Figure::of("networks.node_plan_s.1k", "s", seconds(plans)),
        Figure::of("networks.converge_s.empty", "s", seconds(empty)),
        Figure::of("networks.converge_s.correct", "s", seconds(correct)),
        Figure::of("networks.iproute2_s.empty", "s", seconds(bare)),
    ])
}

struct Times {
    plan: Duration,
    empty: Duration,
    correct: Duration,
}

async fn converge(desired: &NodeState) -> Result<Times> {
    let netlink = Netlink::connect()?;
    let start = Instant::now();
    let observed = netlink.observe_for(desired).await?;
    let planning = Instant::now();
    let steps = plan(&observed, desired);
    let plan_took = planning.elapsed();
    let outcomes = netlink.execute(&steps).await;
    let empty = start.elapsed();
    ensure!(outcomes.is_ok(), "{:?}", outcomes.resources.values().find(|one| one.is_err()));
    let start = Instant::now();
    let again = plan(&netlink.observe_for(desired).await?, desired);
    let correct = start.elapsed();
    ensure!(again.is_empty(), "there is something left to do:\n{again}");
    Ok(Times { plan: plan_took, empty, correct })
}

fn state() -> Result<NodeState> {
    let mut state = NodeState::default();
    for n in 1..=NETWORKS {
        let (bridge, tunnel) = (format!("wc-br{n}").parse()?, format!("wc-vx{n}").parse()?);
        let kind = LinkKind::Vxlan { vni: n.try_into()?, local: [10, 0, 0, 1].into(), port: VXLAN_PORT };
        let mut link = Link::new(tunnel, kind, 1450);
        link.flood = (0..PEERS).map(|peer| [10, 0, 0, peer + 2].into()).collect();
        for at in 0..STATIONS_EACH {
            let [_, a, b, c] = n.to_be_bytes();
            let [.., host] = at.to_be_bytes();
            state.insert(Resource::Station(Station {
                link: link.name.clone(),
                mac: Mac::new([2, 0, a, b, c, host])?,
                remote: [10, 0, 0, 2 + host % PEERS].into(),
                addresses: [[10, b, c, host + 2].into()].into(),
            }));
        }
        link.bridge = Some(BridgePort { learning: false, ..BridgePort::of(bridge) });
        let bridge = link.bridge.as_ref().context("just given")?.bridge.clone();
        state.insert(Resource::Link(Link::new(bridge, LinkKind::Bridge, 1450)));
        state.insert(Resource::Link(link));
    }
    Ok(state)
}

/// The same by hand, as fast as iproute2 can.
fn by_iproute2() -> Result<Duration> {
    let (mut links, mut entries, mut neighbours) = (Vec::new(), Vec::new(), Vec::new());
    for n in 1..=NETWORKS {
        links.push(format!("link add br{n} mtu 1450 type bridge mcast_snooping 0"));
        links.push(format!(
            "link add vx{n} mtu 1450 master br{n} type vxlan id {n} local 10.0.0.1 dstport 4789 nolearning"
        ));
        links.push(format!("link set br{n} up"));
        links.push(format!("link set vx{n} up"));
        let all = (0..PEERS).map(|peer| (String::from("00:00:00:00:00:00"), peer));
        let [_, a, b, c] = n.to_be_bytes();
        let stations = (0..STATIONS_EACH).map(|at| (format!("02:00:{a:02x}:{b:02x}:{c:02x}:{at:02x}"), 0));
        for (mac, peer) in all.chain(stations) {
            entries.push(format!("fdb append {mac} dev vx{n} dst 10.0.0.{}", peer + 2));
        }
        for at in 0..STATIONS_EACH {
            neighbours.push(format!(
                "neigh replace 10.{b}.{c}.{} lladdr 02:00:{a:02x}:{b:02x}:{c:02x}:{at:02x} dev br{n} nud permanent",
                at + 2
            ));
        }
    }
    let start = Instant::now();
    batch("ip", &links)?;
    batch("bridge", &entries)?;
    batch("ip", &neighbours)?;
    Ok(start.elapsed())
}

fn batch(program: &str, lines: &[String]) -> Result<()> {
    let mut file = NamedTempFile::new()?;
    file.write_all((lines.join("\n") + "\n").as_bytes())?;
    let done = Command::new(program).arg("-batch").arg(file.path()).output();
    let done = done.with_context(|| format!("{program} (apt-get install iproute2)"))?;
    ensure!(done.status.success(), "{program} -batch: {}", String::from_utf8_lossy(&done.stderr));
    Ok(())
}
