//! The OLT: gives each home's frames its two tags, and takes them off again on the way back.

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, Result};
use linux_node::{Netlink, PacketSocket};
use net_types::{IfName, Tpid, Vid};
use serde::{Deserialize, Serialize};

use crate::option82;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OltConfig {
    /// The interface towards the node.
    pub trunk: IfName,
    pub outer_tpid: Tpid,
    pub lines: Vec<Line>,
}

/// A home's line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    pub interface: IfName,
    pub s_vid: Vid,
    pub c_vid: Vid,
    pub option82: Option<Option82>,
}

/// Relay agent information (RFC 3046), as an access node inserts it (TR-101 issue 2, section 3.9.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Option82 {
    /// Sub-option 1, such as `olt eth 1/3:100.7`.
    pub circuit_id: String,
    /// Sub-option 2.
    pub remote_id: String,
}

/// The inner tag's, on every access network (TR-101 issue 2, section 2.5.1.1).
const INNER_TPID: u16 = 0x8100;
const ADDRESSES_LEN: usize = 12;
const TAGS_LEN: usize = 8;

/// Carries frames until it fails.
pub async fn run(config: OltConfig) -> Result<()> {
    let netlink = Netlink::connect()?;
    // The node's program answers some frames with XDP_TX, which come through only to an interface with a program.
    netlink.attach_xdp_pass(interface(&netlink, &config.trunk).await?).await?;
    let trunk = Arc::new(open(&netlink, &config.trunk).await?);
    let mut lines = HashMap::new();
    let mut tasks = tokio::task::JoinSet::new();
    for line in config.lines {
        let socket = Arc::new(open(&netlink, &line.interface).await?);
        lines.insert((line.s_vid.get(), line.c_vid.get()), (Arc::clone(&socket), line.option82.is_some()));
        tasks.spawn(upstream(socket, Arc::clone(&trunk), line, config.outer_tpid));
    }
    tasks.spawn(downstream(trunk, lines, config.outer_tpid));
    println!("{}", crate::process::READY);
    tasks.join_next().await.context("there is always the trunk")??
}

async fn interface(netlink: &Netlink, name: &IfName) -> Result<u32> {
    let found = netlink.interface(name).await?.with_context(|| format!("there is no interface {name}"))?;
    Ok(found.index)
}

async fn open(netlink: &Netlink, name: &IfName) -> Result<PacketSocket> {
    let index = interface(netlink, name).await?;
    PacketSocket::open(index).with_context(|| format!("open a packet socket on {name}"))
}

async fn upstream(home: Arc<PacketSocket>, trunk: Arc<PacketSocket>, line: Line, outer: Tpid) -> Result<()> {
    let mut buffer = vec![0; PacketSocket::BUFFER_LEN];
    let tags =
        [outer.ethertype(), line.s_vid.get(), INNER_TPID, line.c_vid.get()].map(u16::to_be_bytes).concat();
    loop {
        let frame = received(home.recv(&mut buffer).await, &line.interface)?;
        let Some(frame) = frame.filter(|frame| frame.len() > ADDRESSES_LEN) else {
            continue;
        };
        let relayed = line.option82.as_ref().and_then(|option| option82::insert(frame, option));
        let (addresses, rest) = relayed.as_deref().unwrap_or(frame).split_at(ADDRESSES_LEN);
        forward(&trunk, &[addresses, &tags, rest].concat()).await;
    }
}

async fn downstream(
    trunk: Arc<PacketSocket>,
    lines: HashMap<(u16, u16), (Arc<PacketSocket>, bool)>,
    outer: Tpid,
) -> Result<()> {
    let mut buffer = vec![0; PacketSocket::BUFFER_LEN];
    let name = "the trunk".to_owned();
    loop {
        let Some(frame) = received(trunk.recv(&mut buffer).await, &name)? else {
            continue;
        };
        let Some((line, untagged)) = untag(frame, outer) else {
            continue;
        };
        if let Some((home, relays)) = lines.get(&line) {
            let stripped = if *relays { option82::remove(&untagged) } else { None };
            forward(home, stripped.as_deref().unwrap_or(&untagged)).await;
        }
    }
}

/// The tags' identifiers, and the frame without them.
fn untag(frame: &[u8], outer: Tpid) -> Option<((u16, u16), Vec<u8>)> {
    let (addresses, rest) = frame.split_at_checked(ADDRESSES_LEN)?;
    let (tags, rest) = rest.split_at_checked(TAGS_LEN)?;
    let word = |at: usize| u16::from_be_bytes([tags[at], tags[at + 1]]);
    if word(0) != outer.ethertype() || word(4) != INNER_TPID {
        return None;
    }
    Some(((word(2) & 0xfff, word(6) & 0xfff), [addresses, rest].concat()))
}

/// An interface that is down for a moment is no reason to end.
fn received<'a>(
    result: std::io::Result<&'a [u8]>,
    name: &impl std::fmt::Display,
) -> Result<Option<&'a [u8]>> {
    match result {
        Ok(frame) => Ok(Some(frame)),
        Err(e) if e.kind() == std::io::ErrorKind::NetworkDown => Ok(None),
        Err(e) => Err(e).with_context(|| format!("receive from {name}")),
    }
}

/// A frame that cannot be sent is lost, as on any wire.
async fn forward(to: &PacketSocket, frame: &[u8]) {
    if let Err(error) = to.send(frame).await {
        eprintln!("a frame of {} bytes was not sent: {error}", frame.len());
    }
}
