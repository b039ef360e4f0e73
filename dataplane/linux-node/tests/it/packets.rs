//! Whole frames, with tags wherever the kernel had put them.

use std::time::Duration;

use linux_node::{Feature, Netlink, PacketSocket, set_features};
use net_types::IfName;

use crate::support::{in_new_namespace, ip};

const PATIENCE: Duration = Duration::from_secs(10);

async fn open(name: &str) -> PacketSocket {
    let netlink = Netlink::connect().expect("connected");
    let name: IfName = name.parse().expect("legal");
    let found = netlink.interface(&name).await.expect("asked").expect("it is there");
    PacketSocket::open(found.index).expect("opened")
}

/// The next frame with our EtherType for experiments (IEEE 802) right after its tags.
async fn receive(socket: &PacketSocket) -> Vec<u8> {
    let mut buffer = vec![0; PacketSocket::BUFFER_LEN];
    let next = async {
        loop {
            let frame = socket.recv(&mut buffer).await.expect("received");
            if frame.windows(2).any(|two| two == [0x88, 0xb5]) {
                return frame.to_vec();
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await.expect("it comes")
}

#[test]
fn frames_arrive_as_they_were_sent_whatever_their_tags() {
    in_new_namespace(async || {
        ip("link add name a type veth peer name b");
        ip("link set dev a mtu 1508 up");
        ip("link set dev b mtu 1508 up");
        let (a, b) = (open("a").await, open("b").await);
        let tags: [&[u8]; 6] = [
            &[],
            &[0x81, 0, 0, 7],
            &[0x88, 0xa8, 0, 100],
            &[0x88, 0xa8, 0x60, 100, 0x81, 0, 0, 7],
            &[0x81, 0, 0x30, 100, 0x81, 0, 0, 7],
            // A priority tag: VLAN 0 is a tag too.
            &[0x81, 0, 0xe0, 0],
        ];
        for tag in tags {
            for len in [46, 1500] {
                let addresses = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
                let frame = [&addresses[..], tag, &[0x88, 0xb5], &vec![0x55; len]].concat();
                a.send(&frame).await.expect("sent");
                assert_eq!(receive(&b).await, frame, "tags {tag:02x?}, {len} bytes");
            }
        }
    });
}

#[test]
fn what_this_host_sends_is_not_received() {
    in_new_namespace(async || {
        ip("link add name a type veth peer name b");
        ip("link set dev a up");
        ip("link set dev b up");
        let (a, also_a, b) = (open("a").await, open("a").await, open("b").await);
        let frame = |last: u8| [&[2; 12][..], &[0x88, 0xb5], &[last; 46]].concat();
        a.send(&frame(1)).await.expect("sent");
        b.send(&frame(2)).await.expect("sent");
        assert_eq!(receive(&also_a).await, frame(2));
        assert_eq!(receive(&b).await, frame(1));
    });
}

#[test]
fn frames_that_do_not_fit_are_left_out() {
    in_new_namespace(async || {
        ip("link add name a type veth peer name b");
        ip("link set dev a up");
        ip("link set dev b up");
        let (a, b) = (open("a").await, open("b").await);
        for len in [1400, 46] {
            a.send(&[&[2; 12][..], &[0x88, 0xb5], &vec![0; len]].concat()).await.expect("sent");
        }
        let mut buffer = [0; 128];
        // The kernel may have its own to say on a new link.
        while b.recv(&mut buffer).await.expect("received").get(12..14) != Some(&[0x88, 0xb5]) {}
        let too_long = a.send(&[0; 4000]).await.expect_err("longer than the MTU");
        assert_eq!(too_long.raw_os_error(), Some(libc::EMSGSIZE));
    });
}

#[test]
fn features_are_switched_and_stay() {
    in_new_namespace(async || {
        ip("link add name a type veth peer name b");
        let name: IfName = "a".parse().expect("legal");
        let ethtool = || {
            let output = std::process::Command::new("ethtool").args(["-k", "a"]).output();
            String::from_utf8(output.expect("apt-get install -y ethtool").stdout).expect("text")
        };
        let all = |on| {
            [Feature::Gro, Feature::TxChecksum, Feature::TxVlan, Feature::TxVlanStag, Feature::RxVlan]
                .map(|feature| (feature, on))
        };
        for (on, word) in [(true, "on"), (false, "off"), (false, "off"), (true, "on")] {
            set_features(&name, &all(on)).expect("switched");
            let seen = ethtool();
            for line in [
                "generic-receive-offload",
                "tx-checksumming",
                "tx-vlan-offload",
                "tx-vlan-stag-hw-insert",
                "rx-vlan-offload",
                "rx-vlan-stag-hw-parse",
            ] {
                assert!(seen.contains(&format!("{line}: {word}")), "{line} {word}:\n{seen}");
            }
        }
        let error = set_features(&"nothing".parse().expect("legal"), &all(true)).expect_err("not there");
        assert!(error.to_string().starts_with("set features of nothing: "), "{error}");
    });
}

#[test]
fn a_program_that_passes_everything_passes_everything() {
    in_new_namespace(async || {
        ip("link add name a type veth peer name b");
        ip("link set dev a mtu 1508 up");
        ip("link set dev b mtu 1508 up");
        let netlink = Netlink::connect().expect("connected");
        let b = netlink.interface(&"b".parse().expect("legal")).await.expect("asked").expect("it is there");
        netlink.attach_xdp_pass(b.index).await.expect("attached");
        assert!(ip("link show dev b").contains("prog/xdp"));
        let (sender, receiver) = (open("a").await, open("b").await);
        let tags = [0x88, 0xa8, 0, 100, 0x81, 0, 0, 7];
        let frame = [&[2; 12][..], &tags, &[0x88, 0xb5], &[0x55; 1500]].concat();
        sender.send(&frame).await.expect("sent");
        assert_eq!(receive(&receiver).await, frame);
    });
}
