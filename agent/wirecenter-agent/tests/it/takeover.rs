//! Agents come and go; the kernel stays as it is.

use agent_link::Report;
use net_types::Generation;
use node_state::Resource;

use crate::{
    namespace::Node,
    office::{TestOffice, until},
};

fn resources() -> Vec<Resource> {
    [
        r#"{"kind":"port","name":"access0","role":{"access":{"outerTpid":"0x88a8"}},"mtu":1500,"addresses":[]}"#,
        r#"{"kind":"port","name":"core0","role":"core","mtu":1500,"addresses":["192.0.2.2/30"]}"#,
        r#"{"kind":"link","name":"wc-lo0","type":"bridge","mtu":1500,"addresses":["192.0.2.129/32"]}"#,
        r#"{"kind":"route","prefix":"0.0.0.0/0","target":{"via":{"gateway":"192.0.2.1","port":"core0"}}}"#,
        r#"{"kind":"route","prefix":"100.64.0.0/16","target":"pool"}"#,
        r#"{"kind":"route","prefix":"198.51.100.0/24","target":"natPool"}"#,
        r#"{"kind":"route6","prefix":"2001:db8:100::/48","target":"pool"}"#,
        r#"{"kind":"session","subscriber":"alice","port":"access0","tags":{"sVid":100,"cVid":7},"state":"active","mac":null,"lease":"100.64.0.2/16","gateway":"100.64.0.1","network":"100.64.0.2/32","dnsServers":["9.9.9.9"],"leaseSeconds":3600,"nat":{"address":"198.51.100.1","firstPort":1024,"ports":256},"rateUp":{"rate":"20M","burstUs":50000},"rateDown":null}"#,
    ]
    .map(|text| Resource::decode(text.as_bytes()).expect("decodes"))
    .to_vec()
}

fn bob() -> Resource {
    let text = r#"{"kind":"session","subscriber":"bob","port":"access0","tags":{"sVid":100,"cVid":8},"state":"active","mac":null,"lease":"100.64.0.3/16","gateway":"100.64.0.1","network":"100.64.0.3/32","dnsServers":[],"leaseSeconds":3600,"nat":null,"rateUp":null,"rateDown":null}"#;
    Resource::decode(text.as_bytes()).expect("decodes")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_agent_leaves_everything_in_place_and_its_successor_finds_nothing_to_do() {
    let (node, office) = (Node::new("takeover"), TestOffice::new());
    let serving = office.serve(&node.netns);
    let mut wanted = resources();
    office.apply(3, &wanted);
    let agent = node.start_agent(&serving.address, Some(&office.token()));
    office.until_programmed(3, &wanted).await;
    // One more session, live.
    wanted.push(bob());
    office.apply(4, &wanted);
    office.until_programmed(4, &[bob()]).await;
    let (access, core) = (node.xdp("access0"), node.xdp("core0"));
    assert!(access.is_some() && core.is_some(), "programs on both ports: {access:?}, {core:?}");
    agent.kill();
    assert_eq!((node.xdp("access0"), node.xdp("core0")), (access, core));
    assert!(node.ip(&["route"]).contains("default via 192.0.2.1 dev core0"));

    office.forget_reports();
    let agent = node.start_agent(&serving.address, None);
    office.until_programmed(4, &wanted).await;
    let connected =
        Report::Connected { agent_version: env!("CARGO_PKG_VERSION").into(), programmed: Generation(4) };
    assert!(office.reports().contains(&connected), "{:#?}", office.reports());
    let pid = agent.pid();
    let mine = || node.status().filter(|status| status["pid"] == pid && status["connected"] == true);
    until(|| mine().is_some(), || format!("{:#?}", node.status())).await;
    let status = mine().expect("just seen");
    assert_eq!((&status["startup"]["kernelSteps"], &status["startup"]["mapWrites"]), (&0.into(), &0.into()));
    assert_eq!((&status["generation"], &status["programmed"]), (&4.into(), &4.into()));
    assert_eq!((&status["resources"]["sessions"], &status["errorCount"]), (&2.into(), &0.into()));
    assert!(node.xdp("access0").is_some() && node.xdp("core0").is_some());
    drop(agent);
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_controller_the_last_state_is_restored_and_drift_repaired() {
    let (node, office) = (Node::new("restore"), TestOffice::new());
    let serving = office.serve(&node.netns);
    let address = serving.address.clone();
    office.apply(1, &resources());
    let agent = node.start_agent(&address, Some(&office.token()));
    office.until_programmed(1, &resources()).await;
    serving.stop().await;
    assert!(agent.terminate(), "told to end, it ends well");
    assert_eq!(node.status().expect("left behind")["running"], false);
    // What a reboot would do to the node.
    node.ip(&["link", "del", "wc-lo0"]);
    node.ip(&["addr", "flush", "dev", "core0"]);
    std::fs::remove_dir_all(node.bpf().join("wirecenter")).expect("removed");
    // The kernel takes a program off its device some time after its last pin is gone.
    let bare = || node.xdp("access0").is_none() && node.xdp("core0").is_none();
    until(bare, || format!("{:?}", (node.xdp("access0"), node.xdp("core0")))).await;
    let agent = node.start_agent(&address, None);
    let in_place = || {
        let routes = node.ip(&["route"]);
        let addresses = node.ip(&["-4", "addr"]);
        routes.contains("default via 192.0.2.1 dev core0")
            && routes.contains("blackhole 100.64.0.0/16")
            && node.ip(&["-6", "route"]).contains("blackhole 2001:db8:100::/48")
            && addresses.contains("192.0.2.129/32")
            && node.xdp("access0").is_some()
            && node.xdp("core0").is_some()
    };
    until(in_place, || node.ip(&["addr"])).await;
    node.ip(&["route", "del", "blackhole", "100.64.0.0/16"]);
    until(in_place, || node.ip(&["route"])).await;
    node.ip(&["-6", "route", "del", "blackhole", "2001:db8:100::/48"]);
    until(in_place, || node.ip(&["-6", "route"])).await;
    let status = node.status().expect("written");
    assert_eq!((&status["connected"], &status["resources"]["sessions"]), (&false.into(), &1.into()));
    drop(agent);
}
