//! Between perfdhcp and the office's access port: each client's messages on the line with its number.

use std::{net::Ipv4Addr, thread::JoinHandle};

use anyhow::{Context, Result};
use linux_node::PacketSocket;
use packet_logic::checksum;
use tokio::sync::oneshot;

use super::{RELAY, perfdhcp::FIRST_MAC};
use crate::{
    namespace::{Namespace, index, run},
    office::tags,
};

/// The office's end of the pair whose other end is in the namespace.
pub(super) const ACCESS: &str = "wc-bench-line";
const TRUNK: &str = "trunk0";

const ADDRESSES: usize = 12;
const TAGS: usize = 8;
const IP: usize = 14;
const UDP: usize = IP + 20;
/// Of the client's Ethernet address (RFC 2131, figure 1).
const CHADDR: usize = UDP + 8 + 28;
/// Of the relay's address.
const GIADDR: usize = UDP + 8 + 24;
const CLIENT_PORT: u16 = 68;
/// Also a relay's.
const SERVER_PORT: u16 = 67;

/// Makes the pair.
pub(super) fn make(namespace: &Namespace) -> Result<()> {
    let pair = ["link", "add", ACCESS, "mtu", "1508", "type", "veth", "peer", "name", TRUNK, "mtu", "1508"];
    run("ip", &[&pair[..], &["netns", namespace.name()]].concat())?;
    namespace.exec("ethtool", &["-K", TRUNK, "gro", "on", "tx", "off"])?;
    namespace.ip(&format!("link set {TRUNK} up"))
}

/// Begins to carry frames, on a thread of its own.
pub(super) fn carry(namespace: &Namespace) -> Carrying {
    let (stop, stopped) = oneshot::channel();
    let name = namespace.name().to_owned();
    let thread = std::thread::spawn(move || {
        Namespace::join(&name)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let perf = PacketSocket::open(index("server0")?).context("a packet socket")?;
            let trunk = PacketSocket::open(index(TRUNK)?).context("a packet socket")?;
            tokio::select! {
                done = upstream(&perf, &trunk) => done,
                done = downstream(&trunk, &perf) => done,
                _ = stopped => Ok(()),
            }
        })
    });
    Carrying { stop, thread }
}

/// Frames are carried until it is told to stop.
pub(super) struct Carrying {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<()>>,
}

impl Carrying {
    pub(super) fn stop(self) -> Result<()> {
        // Who ended by himself says why.
        let _ = self.stop.send(());
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

async fn upstream(perf: &PacketSocket, trunk: &PacketSocket) -> Result<()> {
    let mut buffer = vec![0; PacketSocket::BUFFER_LEN];
    loop {
        let frame = perf.recv(&mut buffer).await?;
        if let Some(frame) = from_client(frame) {
            trunk.send(&frame).await?;
        }
    }
}

async fn downstream(trunk: &PacketSocket, perf: &PacketSocket) -> Result<()> {
    let mut buffer = vec![0; PacketSocket::BUFFER_LEN];
    loop {
        let frame = trunk.recv(&mut buffer).await?;
        if let Some(frame) = to_relay(frame) {
            perf.send(&frame).await?;
        }
    }
}

/// A message as the client itself would send it on its line: nothing in it says that it came by a relay.
fn from_client(frame: &[u8]) -> Option<Vec<u8>> {
    if frame.get(ADDRESSES..IP)? != [8, 0] || frame.get(IP + 9)? != &17 {
        return None;
    }
    let mac: [u8; 6] = frame.get(CHADDR..CHADDR + 6)?.try_into().ok()?;
    let number = |mac: [u8; 6]| u32::from_be_bytes([mac[2], mac[3], mac[4], mac[5]]);
    let (s_vid, c_vid) = tags(number(mac).checked_sub(number(FIRST_MAC))?);
    let mut out = [[0xff; 6], mac].concat();
    for word in [0x88a8, s_vid, 0x8100, c_vid] {
        out.extend(word.to_be_bytes());
    }
    out.extend(&frame[ADDRESSES..]);
    let udp = UDP + TAGS;
    out[udp..udp + 2].copy_from_slice(&CLIENT_PORT.to_be_bytes());
    // No checksum.
    out[udp + 6..udp + 8].fill(0);
    let giaddr = GIADDR + TAGS;
    out.get_mut(giaddr..giaddr + 4)?.fill(0);
    Some(out)
}

/// The reverse: what is said to a client, as a relay would be told.
fn to_relay(frame: &[u8]) -> Option<Vec<u8>> {
    let mut out = [&[2, 0xfd, 0, 0, 0, 1, 2, 0xfd, 0, 0, 0, 2], frame.get(ADDRESSES + TAGS..)?].concat();
    if out.get(IP + 9)? != &17 || out.len() < UDP + 8 {
        return None;
    }
    out[IP + 16..IP + 20].copy_from_slice(&RELAY.parse::<Ipv4Addr>().ok()?.octets());
    out[IP + 10..IP + 12].fill(0);
    let check = checksum(&out[IP..UDP]);
    out[IP + 10..IP + 12].copy_from_slice(&check.to_ne_bytes());
    out[UDP + 2..UDP + 4].copy_from_slice(&SERVER_PORT.to_be_bytes());
    out[UDP + 6..UDP + 8].fill(0);
    Some(out)
}
