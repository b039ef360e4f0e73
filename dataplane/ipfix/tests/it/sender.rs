//! Onto the network, to collectors that are there and that are not.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    process::Command,
    time::Duration,
};

use ipfix::{Config, Exporter, Progress, Sender};
use nix::sched::{CloneFlags, unshare};

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
        for event in &events {
            exporter.push(event);
        }
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
    in_a_namespace(|| {
        run("ip link add wc-here type veth peer name wc-there");
        run("ip address add 192.0.2.1/24 dev wc-here");
        run("ip link set wc-here up");
        let collector = SocketAddr::from(([192, 0, 2, 2], 4739));
        let mut sender = Sender::new(collector).expect("there is a way to it");
        let mut exporter = Exporter::new(Config::new(7));
        run("ip link delete wc-here");
        for event in some(5) {
            exporter.push(&event);
        }
        exporter.flush();
        let mut errors = Vec::new();
        while let Err(error) = sender.send_due(&mut exporter, NOW) {
            errors.push(error.to_string());
        }
        // Templates, the exporter's own record, and the events.
        assert_eq!(errors, ["sending NAT events to the collector at 192.0.2.2:4739"; 3]);
        assert_eq!(exporter.statistics().failed, 6);
    });
}

#[test]
fn a_full_socket_loses_nothing() {
    in_a_namespace(|| {
        let collector = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
        let mut sender = Sender::new(collector.local_addr().expect("its address")).expect("a socket");
        let mut exporter = Exporter::new(Config::new(7));
        assert_eq!(sender.send_due(&mut exporter, NOW).expect("it is sent"), Progress::Done);
        // A kilobyte a second, and more room than the socket has.
        run("tc qdisc add dev lo root tbf rate 8kbit burst 2000 limit 10000000");
        let event = some(1)[0];
        while sender.send_due(&mut exporter, NOW).expect("it is sent or waits") == Progress::Done {
            exporter.push(&event);
            exporter.flush();
        }
        let held = exporter.statistics().records - 1;
        run("tc qdisc del dev lo root");
        assert_eq!(sender.send_due(&mut exporter, NOW).expect("there is room again"), Progress::Done);
        assert_eq!(exporter.statistics().failed, 0);
        let mut reader = Collector::default();
        let mut buffer = [0; 2000];
        let mut next = || {
            let len = collector.recv(&mut buffer).expect("a datagram");
            u64::from(reader.read(&buffer[..len]).sequence)
        };
        while next() != held {}
    });
}

/// Runs a test on a thread in a network namespace of its own, whose loopback is up.
fn in_a_namespace(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace: run the tests as root");
            run("ip link set lo up");
            test();
        });
        thread.join().expect("the test on its thread");
    });
}

fn run(line: &str) {
    let (program, arguments) = line.split_once(' ').expect("a program and arguments");
    let output = Command::new(program).args(arguments.split(' ')).output();
    let output = output.expect("iproute2 is installed (apt-get install -y iproute2)");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}
