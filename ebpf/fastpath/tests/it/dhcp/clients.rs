//! Other people's clients, whom nobody but the kernel answers.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command},
    time::{Duration, Instant},
};

use fastpath::Inspector;
use tempfile::TempDir;

use super::message::{Message, kind};
use crate::{
    live::Wire,
    world::{World, desired_but, run},
};

/// What a client has told its hook.
struct Hook {
    folder: TempDir,
}

impl Hook {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let hook = Self { folder };
        let log = hook.path("log");
        let script = format!("#!/bin/sh\n{{ echo \"event=$1\"; env; }} >> {}\n", log.display());
        fs::write(hook.path("hook"), script).expect("written");
        fs::set_permissions(hook.path("hook"), fs::Permissions::from_mode(0o755)).expect("executable");
        // dhcpcd's hook has another user's rights.
        fs::set_permissions(hook.folder.path(), fs::Permissions::from_mode(0o777)).expect("open to all");
        hook
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until the client has told all of these.
    fn wait_for(&self, client: &str, told: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            let log = fs::read_to_string(self.path("log")).unwrap_or_default();
            if told.iter().all(|one| log.lines().any(|line| line == *one)) {
                return;
            }
            assert!(Instant::now() < deadline, "{client} has told this only:\n{log}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the client, which tells its hook first, has kept its lease where the next one looks for it.
    fn wait_for_kept_lease(&self, client: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !fs::read_to_string(self.path("leases")).unwrap_or_default().contains("100.64.0.2;") {
            assert!(Instant::now() < deadline, "{client} has kept no lease");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn start(line: &str, package: &str) -> Child {
    let words: Vec<&str> = line.split(' ').collect();
    let started = Command::new(words[0]).args(&words[1..]).spawn();
    started.unwrap_or_else(|error| panic!("{line}: {error}; apt-get install {package}"))
}

/// Asks a client to end, so that it ends its own children too, and ends it if it does not: dhcpcd's processes wait for each
/// other now and then.
fn end(client: &mut Child, package: &str) {
    // SAFETY: the process is this one's child, and has not been waited for.
    assert_eq!(unsafe { libc::kill(client.id().cast_signed(), libc::SIGTERM) }, 0, "{package} runs");
    let deadline = Instant::now() + Duration::from_secs(10);
    while client.try_wait().expect("a child").is_none() {
        if Instant::now() > deadline {
            client.kill().expect("it runs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn real_clients_are_served_by_the_kernel_alone() {
    let world = World::new();
    run("ip link set home0 address 02:a1:00:00:00:01");
    // An untagged line, on which the clients are.
    let mut fastpath = world.office(&desired_but(|text| {
        let text = text.replace(r#""tags":{"sVid":100,"cVid":7}"#, r#""tags":{}"#);
        text.replace("\"dnsServers\":[]", "\"dnsServers\":[\"9.9.9.9\"]")
    }));
    let mut punts = fastpath.punts().expect("not taken yet");
    let inspector = Inspector::open(&world.pin_dir).expect("pinned");
    // dhcpcd keeps leases and process numbers in places of the machine, which are its own here.
    let own_places = "unshare --mount sh -c mount${IFS}-t${IFS}tmpfs${IFS}none${IFS}/run&&mount${IFS}-t${IFS}tmpfs${IFS}none${IFS}/var/lib/dhcpcd&&exec${IFS}\"$@\" sh";
    let lines: [(&str, String, &[&str]); 4] = [
        (
            "udhcpc",
            "udhcpc -f -i home0 -t 5 -T 1 -s HOOK".into(),
            &[
                "event=bound",
                "ip=100.64.0.2",
                "subnet=255.255.0.0",
                "router=100.64.0.1",
                "dns=9.9.9.9",
                "lease=3600",
            ],
        ),
        (
            "isc-dhcp-client",
            "dhclient -4 -d -cf /dev/null -sf HOOK -lf FOLDER/leases -pf FOLDER/pid home0".into(),
            &[
                "reason=BOUND",
                "new_ip_address=100.64.0.2",
                "new_routers=100.64.0.1",
                "new_dhcp_lease_time=3600",
            ],
        ),
        // From the lease that it has kept: INIT-REBOOT.
        (
            "isc-dhcp-client",
            "dhclient -4 -d -cf /dev/null -sf HOOK -lf FOLDER/leases -pf FOLDER/pid home0".into(),
            &["reason=REBOOT", "new_ip_address=100.64.0.2", "new_domain_name_servers=9.9.9.9"],
        ),
        (
            "dhcpcd-base",
            format!("{own_places} dhcpcd -B -4 -A -f /dev/null -c HOOK -o domain_name_servers home0"),
            &[
                "reason=BOUND",
                "new_ip_address=100.64.0.2",
                "new_routers=100.64.0.1",
                "new_domain_name_servers=9.9.9.9",
            ],
        ),
    ];
    let hook = Hook::new();
    let folder = hook.folder.path().display().to_string();
    for (package, line, told) in lines {
        let leased = inspector.summary().dhcp_acks;
        let keeps_lease = line.contains("FOLDER/leases");
        let line = line.replace("HOOK", &format!("{folder}/hook")).replace("FOLDER", &folder);
        fs::write(hook.path("log"), "").expect("written");
        fs::set_permissions(hook.path("log"), fs::Permissions::from_mode(0o666)).expect("open to all");
        let mut client = start(&line, package);
        hook.wait_for(package, told);
        if keeps_lease {
            hook.wait_for_kept_lease(package);
        }
        end(&mut client, package);
        assert!(inspector.summary().dhcp_acks > leased, "{package} has its lease from the kernel");
        assert!(punts.next().is_none(), "{package} needed nobody else");
    }
}

/// A frame is as long as its sender made it, and where a veth hands it on there need be no room behind it.
#[test]
fn an_answer_may_be_longer_than_what_it_answers() {
    let world = World::new();
    let mut fastpath = world.office(&desired_but(|text| {
        text.replace("\"dnsServers\":[]", "\"dnsServers\":[\"9.9.9.9\",\"149.112.112.112\"]")
    }));
    let mut punts = fastpath.punts().expect("not taken yet");
    let home = Wire::on("home0");
    for message in [
        Message::new(kind::DISCOVER).exact(),
        Message::new(kind::DISCOVER).exact().option(61, &[1, 2, 0xa1, 0, 0, 0, 1]),
        Message::new(kind::DISCOVER),
        Message::new(kind::DISCOVER).option(61, &[7; 255]).exact(),
        Message::new(kind::DISCOVER).padded(500),
    ] {
        home.send(&message.frame());
        let offer = home.receive();
        assert!(punts.next().is_none(), "{message:?} is answered by the kernel");
        let offer = offer.expect("an offer");
        // The outer tag is not in the frame that a packet socket shows.
        assert_eq!(offer[12..18], [0x81, 0, 0x60, 7, 8, 0], "{message:?}");
        assert_eq!(offer[18 + 28 + 236..18 + 28 + 243], [99, 130, 83, 99, 53, 1, 2], "{message:?}");
    }
}
