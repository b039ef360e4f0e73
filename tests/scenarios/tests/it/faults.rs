//! Killing what may be killed, with packets on the way.

use std::{
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::office::{Office, PATIENCE};

/// Packets that flow while something is done to the office: 20 ms apart, each wanted back.
struct Flow(Child);

impl Flow {
    const PACKETS: u32 = 300;

    fn start(office: &mut Office, home: &str) -> Self {
        let namespace = office.lab().box_of(home).expect("a home");
        let ping = Command::new("ip")
            .args(["netns", "exec", &namespace, "ping", "-n", "-q", "-i", "0.02", "-W", "2", "-c"])
            .args([&Self::PACKETS.to_string(), "192.0.2.66"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("ping starts");
        thread::sleep(Duration::from_millis(500));
        Self(ping)
    }

    fn nothing_was_lost(self) {
        let output = self.0.wait_with_output().expect("ping ends");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(&format!("{0} packets transmitted, {0} received", Self::PACKETS)), "{said}");
    }
}

fn served(name: &str) -> Office {
    let mut office = Office::up(name, "0x88a8");
    office.provision();
    for home in ["home1", "home2", "home3"] {
        office.lab().lease(home, PATIENCE).expect("a lease");
        // The homes' and the routers' neighbour tables fill.
        assert!(office.pings(home, "192.0.2.66"));
    }
    office
}

#[test]
fn killing_the_controller_loses_no_packet() {
    let mut office = served("controller-killed");
    let (natted, routed) = (Flow::start(&mut office, "home1"), Flow::start(&mut office, "home3"));
    office.lab().kill_controller().expect("killed");
    thread::sleep(Duration::from_secs(1));
    // Who was provisioned before is served from nothing: a new lease with the controller gone.
    office.lab().restart_client("home2").expect("restarts");
    office.lab().lease("home2", PATIENCE).expect("a lease with the controller gone");
    assert!(office.pings("home2", "192.0.2.66"));
    office.lab().start_controller().expect("starts");
    natted.nothing_was_lost();
    routed.nothing_was_lost();
    // And the office goes on where it was.
    office.change("alice", |spec| spec["bundle"]["rateUp"] = serde_json::json!("30M"));
}

#[test]
fn killing_the_agent_loses_no_packet() {
    let mut office = served("agent-killed");
    let (natted, routed) = (Flow::start(&mut office, "home1"), Flow::start(&mut office, "home3"));
    office.lab().kill_agent().expect("killed");
    let sessions = office.wcnode(&["sessions"]);
    assert!(sessions.to_string().contains("alice"), "diagnostics work with the agent down: {sessions}");
    let stages = office.wcnode(&["stages"]);
    for (one, next) in [(0, 1), (1, 2), (3, 4), (4, 5)] {
        assert_eq!(
            stages[one]["out"], stages[next]["in"],
            "what leaves a stage comes into the next: {stages}"
        );
    }
    assert!(stages[0]["in"].as_u64() > Some(0) && stages[5]["out"].as_u64() > Some(0), "{stages}");
    let nothing = serde_json::json!({"steps": [], "problems": []});
    assert_eq!(office.wcnode(&["diff"]), nothing);
    let (status, said) = office.exec("node1", "ip link del wc-lo0");
    assert_eq!(status, 0, "{said}");
    let difference = office.wcnode(&["diff"]);
    let first = &difference["steps"][0];
    assert_eq!(
        (&first["what"], &first["why"]),
        (&"make bridge wc-lo0 with MTU 1500".into(), &"for link/wc-lo0".into()),
        "{difference}"
    );
    thread::sleep(Duration::from_secs(1));
    office.lab().start_agent().expect("starts");
    natted.nothing_was_lost();
    routed.nothing_was_lost();
    assert_eq!(office.wcnode(&["diff"]), nothing, "the agent has done it");
    office.change("bob", |spec| spec["bundle"]["rateUp"] = serde_json::json!("3M"));
    office.lab().restart_client("home2").expect("restarts");
    office.lab().lease("home2", PATIENCE).expect("a lease from the new agent");
}

#[test]
fn a_node_that_starts_without_its_controller_serves_what_it_last_knew() {
    let mut office = served("node-alone");
    office.lab().kill_controller().expect("killed");
    office.lab().kill_agent().expect("killed");
    // What a reboot loses: everything in the kernel.
    std::fs::remove_dir_all(office.lab().pin_dir()).expect("pins are removed");
    // The kernel takes a program off its device some time after its last pin is gone.
    let silent = (0..100).any(|_| {
        thread::sleep(Duration::from_millis(50));
        !office.pings("home1", "192.0.2.66")
    });
    assert!(silent, "without programs nothing passes");
    office.lab().start_agent().expect("starts");
    let status = office.until_programmed(3);
    assert_eq!(status["agent"]["status"]["connected"], false, "the controller is gone: {status}");
    for home in ["home1", "home2", "home3"] {
        assert!(office.pings(home, "192.0.2.66"), "{home} with the lease that it had");
    }
}
