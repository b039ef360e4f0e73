//! Telephone calls of a home whose line is flooded.

use serde_json::{Value, json};

use crate::{
    office::{Office, PATIENCE},
    server::Server,
};

const PLATFORM: &str = "192.0.2.70";
const OUTSIDE: &str = "192.0.2.66";
/// Ports of the platform: one for the call that is flooded, whose server may not be done with it when the next one begins.
const STARVED: &str = "5201";
const KEPT_APART: &str = "5203";

/// An office with a voice platform on the Internet, and bob, of 10 Mbit/s, on line.
fn office() -> (Office, Vec<Server>) {
    let mut office = Office::up("voice", "0x88a8");
    office.provision();
    let here = format!("ip address add {PLATFORM}/32 dev lo");
    assert_eq!(office.exec("inet", &here).0, 0, "{here}");
    let there = format!("ip route add {PLATFORM}/32 via {OUTSIDE}");
    assert_eq!(office.exec("upstream", &there).0, 0, "{there}");
    let iperf = |address, port| ["iperf3", "--server", "--forceflush", "--bind", address, "--port", port];
    let telephones = format!("echo telephones; exec sipp -sn uas -i {PLATFORM} -nostdin");
    let servers = vec![
        Server::start(&mut office, "inet", &iperf(PLATFORM, STARVED), "listening on 5201"),
        Server::start(&mut office, "inet", &iperf(PLATFORM, KEPT_APART), "listening on 5203"),
        Server::start(&mut office, "inet", &iperf(OUTSIDE, "5202"), "listening on 5202"),
        // It says nothing before it ends, and is there long before the first call.
        Server::start(&mut office, "inet", &["sh", "-c", &telephones], "telephones"),
    ];
    office.lab().lease("home2", PATIENCE).expect("a lease");
    (office, servers)
}

/// Packets of a call to the home, of every hundred, that are lost: G.711 in packets of 20 ms (RFC 3551, section 4.5.14). An
/// error, in iperf3's words: the call did not come about.
fn lost(office: &mut Office, port: &str) -> Result<f64, String> {
    let call = format!(
        "timeout 20 iperf3 --client {PLATFORM} --port {port} --udp --reverse --bitrate 69k --length 172 --time 3 --json"
    );
    let (status, said) = office.exec("home2", &call);
    // iperf3 waits for its server's word for ever.
    if status == 124 {
        return Err("it has not ended after 20 seconds".to_owned());
    }
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    if let Some(error) = said["error"].as_str() {
        return Err(error.to_owned());
    }
    Ok(said["end"]["sum"]["lost_percent"].as_f64().unwrap_or_else(|| panic!("{said}")))
}

/// Messages that had to be sent again in twenty calls; `None`: some of them failed.
fn sent_again(office: &mut Office) -> Option<u64> {
    let calls = format!("sipp -sn uac {PLATFORM} -m 20 -r 10 -d 100 -timeout 20s -nostdin");
    let (status, said) = office.exec("home2", &calls);
    if status != 0 {
        return None;
    }
    let (_, table) = said.rsplit_once("Retrans").unwrap_or_else(|| panic!("{said}"));
    let again = table.lines().filter_map(|line| {
        let (_, numbers) = line.split_once("-->").or_else(|| line.split_once("<--"))?;
        // How many there were, and how many of them again.
        numbers.split_whitespace().filter_map(|word| word.parse::<u64>().ok()).nth(1)
    });
    Some(again.sum())
}

#[test]
fn calls_go_on_while_the_line_is_flooded() {
    let (mut office, _servers) = office();
    let quiet = lost(&mut office, STARVED);
    assert!(quiet.as_ref().is_ok_and(|lost| *lost < 0.1), "nothing is in its way: {quiet:?} % lost");
    let flood = ["iperf3", "--client", OUTSIDE, "--port", "5202", "--udp", "--reverse", "--bitrate", "60M"];
    let flood = [&flood[..], &["--time", "600", "--forceflush"]].concat();
    let _flood = Server::start(&mut office, "home2", &flood, "Mbits/sec");
    // A call that does not even come about is starved as much as one that loses its packets.
    let before = lost(&mut office, STARVED);
    assert!(
        before.as_ref().map_or(true, |lost| *lost > 20.0),
        "the flood takes what there is: {before:?} % lost"
    );

    let node = office.wcctl(&["get", "node", "node1", "-o", "json"]);
    let mut node: Value = serde_json::from_str(&node).expect("JSON");
    node["spec"]["voice"] = json!({"platforms": [format!("{PLATFORM}/32")]});
    office.apply(&json!({"kind": "Node", "metadata": {"name": "node1"}, "spec": node["spec"]}));
    office.change("bob", |spec| spec["bundle"]["voice"] = json!({}));
    let lost = lost(&mut office, KEPT_APART);
    assert!(lost.as_ref().is_ok_and(|lost| *lost < 0.1), "{lost:?} % lost");
    assert_eq!(sent_again(&mut office), Some(0));
    let sessions = office.wcnode(&["sessions", "bob"]);
    let session = sessions.as_array().map_or(&sessions, |list| &list[0]);
    for way in ["up", "down"] {
        let packets = session["voice"][way]["packets"].as_u64().expect("a count");
        assert!(packets >= 60, "twenty calls are sixty messages at least each way: {session}");
    }
    assert!(office.drops("rate_down") > 1000);
}
