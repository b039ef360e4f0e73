//! Onto the network, to collectors that are there and that are not.

use std::{
    error::Error,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use ipfix::{Config, Exporter, Progress, Sender};

use crate::{
    decode::Collector,
    events::{expected, some},
};

const NOW: Duration = Duration::from_secs(1_700_000_000);

#[test]
fn records_arrive_over_ipv4_and_ipv6() {
    for address in [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), SocketAddr::from((Ipv6Addr::LOCALHOST, 0))] {
        let socket = UdpSocket::bind(address).expect("a socket");
        let mut sender = Sender::new(socket.local_addr().expect("its address")).expect("a socket");
        let mut exporter = Exporter::new(Config::new(7));
        let events = some(50);
        events.iter().for_each(|event| exporter.push(event));
        exporter.flush();
        assert_eq!(sender.send_due(&mut exporter, NOW).expect("it is sent"), Progress::Done);
        let mut collector = Collector::default();
        let mut buffer = [0; 2000];
        let mut records = Vec::new();
        // The first is of the exporter itself.
        while records.len() < 1 + events.len() {
            let len = socket.recv(&mut buffer).expect("a datagram");
            records.extend(collector.read(&buffer[..len]).records);
        }
        assert!(records[1..].iter().eq(&events.iter().map(expected).collect::<Vec<_>>()));
    }
}

#[test]
fn a_collector_that_is_not_there_yet_holds_nothing_up() {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let address = socket.local_addr().expect("its address");
    drop(socket);
    let mut sender = Sender::new(address).expect("a socket");
    let mut exporter = Exporter::new(Config::new(7));
    for event in some(20) {
        exporter.push(&event);
        exporter.flush();
        assert_eq!(sender.send_due(&mut exporter, NOW).expect("it leaves"), Progress::Done);
    }
    assert_eq!(exporter.statistics().records, 21);
}

#[test]
fn what_cannot_be_sent_is_counted_as_lost() {
    // Longer than the loopback takes without fragments, which UDP makes; longer than 64 KiB it cannot be. So the way
    // out is shut instead: nothing goes to the broadcast address without leave.
    let broadcast = SocketAddr::from((Ipv4Addr::BROADCAST, 4739));
    let error = Sender::new(broadcast).expect_err("not permitted");
    assert_eq!(error.to_string(), "sending NAT events to the collector at 255.255.255.255:4739");
    assert!(error.source().is_some());
}
