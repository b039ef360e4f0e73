//! What the OLT does with frames, seen from the node's access port and from a home.

use std::time::Duration;

use linux_node::{NetNs, Netlink, PacketSocket};
use net_types::{IfName, Tpid};

use crate::support::Network;

const PATIENCE: Duration = Duration::from_secs(30);

/// Runs `work` with a packet socket on an interface in a namespace.
fn with_socket<T: Send, F: Future<Output = T>>(
    namespace: &str,
    interface: &str,
    work: impl FnOnce(PacketSocket) -> F + Send,
) -> T {
    let inside = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let name: IfName = interface.parse().expect("a name");
            let netlink = Netlink::connect().expect("netlink");
            // The agent is not there to do it.
            assert!(
                std::process::Command::new("ip")
                    .args(["link", "set", interface, "mtu", "1508", "up"])
                    .status()
                    .is_ok_and(|s| s.success())
            );
            let found = netlink.interface(&name).await.expect("asked").expect("it is there");
            let socket = PacketSocket::open(found.index).expect("a packet socket");
            tokio::time::timeout(PATIENCE, work(socket)).await.expect("it happens")
        })
    };
    NetNs::named(namespace).expect("the namespace is there").run(inside).expect("entered")
}

/// The first frame for which `wanted` gives something.
async fn find<T>(socket: &PacketSocket, wanted: impl Fn(&[u8]) -> Option<T>) -> T {
    let mut buffer = vec![0; PacketSocket::BUFFER_LEN];
    loop {
        if let Some(found) = wanted(socket.recv(&mut buffer).await.expect("received")) {
            return found;
        }
    }
}

fn contains(frame: &[u8], text: &[u8]) -> bool {
    frame.windows(text.len()).any(|window| window == text)
}

fn tags(tpid: Tpid, c_vid: u8) -> Vec<u8> {
    [&tpid.ethertype().to_be_bytes()[..], &[0, 100, 0x81, 0, 0, c_vid]].concat()
}

/// A DHCPDISCOVER or REQUEST of the home on that C-VLAN, as it comes in at the node.
fn dhcp_of_line(frame: &[u8], tpid: Tpid, c_vid: u8) -> Option<Vec<u8>> {
    let is_line = frame.get(12..20)? == tags(tpid, c_vid);
    // IPv4, UDP from 68 to 67.
    let is_dhcp = frame.get(20..22)? == [8, 0] && frame.get(42..46)? == [0, 68, 0, 67];
    (is_line && is_dhcp).then(|| frame.to_vec())
}

#[test]
fn homes_frames_reach_the_node_with_both_tags_and_relay_information() {
    for tpid in [Tpid::Dot1ad, Tpid::Dot1q] {
        let network = Network::up(tpid);
        let node = network.namespace("node1");
        let (udhcpc, dhclient) = with_socket(&node, "access0", async |socket| {
            let udhcpc = find(&socket, |frame| dhcp_of_line(frame, tpid, 1)).await;
            (udhcpc, find(&socket, |frame| dhcp_of_line(frame, tpid, 2)).await)
        });
        assert!(contains(&udhcpc, b"\x52\x1a\x01\x11olt eth 1/1:100.1\x02\x05home1"), "{udhcpc:02x?}");
        assert!(!contains(&dhclient, b"olt eth"), "{dhclient:02x?}");
    }
}

#[test]
fn nodes_frames_reach_the_home_of_their_tags_without_them() {
    for tpid in [Tpid::Dot1ad, Tpid::Dot1q] {
        let network = Network::up(tpid);
        let (node, home) = (network.namespace("node1"), network.namespace("home3"));
        // Experimental EtherType (IEEE 802), and as long a frame as an MTU of 1500 allows.
        let frame = |c_vid: u8, marker: u8| {
            [&[0xff; 6][..], &[2, 0, 0, 0, 0, 9], &tags(tpid, c_vid), &[0x88, 0xb5], &[marker; 1500]].concat()
        };
        let got = with_socket(&home, "eth0", async |at_home| {
            let send = || {
                with_socket(&node, "access0", async |access| {
                    // Another home's, another S-VLAN's, and this home's.
                    let mut stranger = frame(3, 2);
                    stranger[15] = 101;
                    for frame in [&frame(2, 1), &stranger, &frame(3, 3)] {
                        access.send(frame).await.expect("sent");
                    }
                });
            };
            std::thread::scope(|scope| scope.spawn(send).join().expect("sender"));
            find(&at_home, |frame| (frame[12..14] == [0x88, 0xb5]).then(|| frame.to_vec())).await
        });
        assert_eq!(got.len(), 14 + 1500);
        assert_eq!(got[14..], [3; 1500], "the first frame to come is this home's own");
    }
}

#[test]
fn a_burst_of_thousands_of_frames_loses_none() {
    const FRAMES: u16 = 5000;
    let network = Network::up(Tpid::Dot1ad);
    let (node, home) = (network.namespace("node1"), network.namespace("home3"));
    let received = with_socket(&node, "access0", async |access| {
        let sender = std::thread::spawn(move || {
            with_socket(&home, "eth0", async |socket| {
                for number in 0..FRAMES {
                    let head = [&[0xff; 6][..], &[2, 0, 0, 0, 0, 9, 0x88, 0xb5]].concat();
                    let frame = [&head[..], &number.to_be_bytes(), &[0; 84]].concat();
                    socket.send(&frame).await.expect("sent");
                    // Some thousands a second, not as fast as memory goes.
                    if number % 16 == 0 {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                }
            });
        });
        let number = |frame: &[u8]| {
            (frame.get(20..22)? == [0x88, 0xb5]).then(|| u16::from_be_bytes([frame[22], frame[23]]))
        };
        let mut received = Vec::new();
        while received.len() < usize::from(FRAMES) {
            received.push(find(&access, number).await);
        }
        sender.join().expect("sender");
        received
    });
    assert!(received.iter().copied().eq(0..FRAMES), "all, once, and in order");
}
