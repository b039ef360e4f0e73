//! An optical line terminal as the lab needs one: it puts two tags on each home's frames, and takes them off again.
//!
//! It works on packet sockets, so it needs no 802.1Q devices, which the machine's kernel may lack.

mod home;
mod option82;
mod tags;

use std::{collections::HashMap, sync::Arc};

use anyhow::{Context, Result};
use linux_node::PacketSocket;

use home::Arguments;
use tags::TagPair;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let Arguments { uplink, outer_tpid, homes } = Arguments::from_command_line()?;
    let uplink = Arc::new(open(&uplink)?);
    let mut by_tags = HashMap::new();
    for home in homes {
        let socket = Arc::new(open(&home.interface)?);
        let tags = TagPair { s_vid: home.s_vid.get(), c_vid: home.c_vid.get() };
        by_tags.insert(tags, Arc::clone(&socket));
        let uplink = Arc::clone(&uplink);
        tokio::spawn(async move {
            let mut buffer = vec![0; PacketSocket::BUFFER_LEN];
            loop {
                let Some(frame) = received(socket.recv(&mut buffer).await) else { continue };
                let marked = if home.option82 { option82::insert(frame, &home.interface) } else { None };
                let tagged = tags.push(outer_tpid, marked.as_deref().unwrap_or(frame));
                sent(uplink.send(&tagged).await);
            }
        });
    }
    let mut buffer = vec![0; PacketSocket::BUFFER_LEN];
    loop {
        let Some(frame) = received(uplink.recv(&mut buffer).await) else { continue };
        let Some((tags, untagged)) = tags::pop(frame) else { continue };
        if let Some(home) = by_tags.get(&tags) {
            sent(home.send(&untagged).await);
        }
    }
}

fn open(interface: &str) -> Result<PacketSocket> {
    // Not from /sys, which may show the devices of another namespace.
    let ifindex = nix::net::if_::if_nametoindex(interface).with_context(|| format!("no interface {interface}"))?;
    PacketSocket::open(ifindex).with_context(|| format!("opening {interface}"))
}

/// A wire loses frames now and then and goes down and up; an OLT says so and goes on.
fn received(result: std::io::Result<&[u8]>) -> Option<&[u8]> {
    result.inspect_err(|error| eprintln!("receiving: {error}")).ok()
}

fn sent(result: std::io::Result<()>) {
    if let Err(error) = result {
        eprintln!("sending: {error}");
    }
}
