//! What other people's programs make of the answers.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use access_protocols::{
    dhcp6::{Duid, Event, Exchange, Refusal},
    nd,
};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use node_state::Ipv6Line;
use tempfile::TempDir;
use tokio::process::Child;

use crate::line::{HOME, Line, MTU, at_home, ip, ipv6, mac, office, portal, run, start};

#[test]
fn linux_configures_itself() {
    at_home(ipv6(), async |line| {
        let own = mac(0xaa).link_local().to_string();
        line.wait_for_address(&own).await;
        // SLAAC: the interface identifier is that of the link-local address.
        line.wait_for_address("2001:db8:0:7:0:ff:fe00:aa/64").await;
        let gateway = office().to_string();
        let routes = ip("-6 route show").await;
        assert!(routes.contains(&format!("default via {gateway} dev {HOME} proto ra")), "{routes}");
        assert!(routes.contains("2001:db8:0:7::/64 dev home0 proto kernel"), "{routes}");
        let mtu = fs::read_to_string("/proc/sys/net/ipv6/conf/home0/mtu");
        assert_eq!(mtu.expect("readable").trim(), MTU.to_string());
        // The advertisement has told where the office is; asked again, it says so itself.
        ip(&format!("-6 neigh flush dev {HOME}")).await;
        run("ping", &["-6", "-c", "3", "-i", "0.2", &format!("{gateway}%{HOME}")], "iputils-ping").await;
        let neighbour = ip(&format!("-6 neigh show {gateway} dev {HOME}")).await;
        assert!(neighbour.contains("02:00:00:00:00:01 router"), "{neighbour}");
        let journal = line.journal();
        assert!(journal.nd.contains(&nd::Event::Advertised) && journal.nd.contains(&nd::Event::Answered));
    });
}

/// Linux, asked to use the office's address, gives it up.
#[test]
fn a_duplicate_of_the_offices_address_is_found() {
    at_home(ipv6(), async |line| {
        let gateway = office();
        ip(&format!("-6 addr add {gateway}/64 dev {HOME}")).await;
        line.wait_for("duplicate", async |_| {
            let shown = ip(&format!("-6 -o addr show dev {HOME} dadfailed")).await;
            shown.contains(&gateway.to_string()).then_some(())
        })
        .await;
        assert!(line.journal().nd.contains(&nd::Event::Defended));
    });
}

#[test]
fn rdisc6_and_ndisc6_read_the_answers() {
    let stateful = Ipv6Line { autonomous: false, ..ipv6() };
    at_home(stateful, async |line| {
        line.wait_for_address("fe80::").await;
        let shown = run("rdisc6", &["-1", HOME], "ndisc6").await;
        let said: Vec<String> =
            shown.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        let gateway = office();
        for expected in [
            "Hop limit : 64 ( 0x40)",
            "Stateful address conf. : Yes",
            "Stateful other conf. : Yes",
            "Router lifetime : 1800 (0x00000708) seconds",
            "Reachable time : unspecified (0x00000000)",
            "Retransmit time : unspecified (0x00000000)",
            "Source link-layer address: 02:00:00:00:00:01",
            &format!("MTU : {MTU} bytes (valid)"),
            "Prefix : 2001:db8:0:7::/64",
            "On-link : Yes",
            "Autonomous address conf.: No",
            "Valid time : 3600 (0x00000e10) seconds",
            "Pref. time : 1800 (0x00000708) seconds",
            "Recursive DNS server : 2001:db8::53",
            "DNS server lifetime : 1800 (0x00000708) seconds",
            &format!("from {gateway}"),
        ] {
            assert!(said.iter().any(|line| line == expected), "{expected}\n{shown}");
        }
        let found = run("ndisc6", &["-1", &gateway.to_string(), HOME], "ndisc6").await;
        assert!(found.contains("Target link-layer address: 02:00:00:00:00:01"), "{found}");
    });
}

/// A folder with a hook that writes down each of its environments.
struct Hook {
    folder: TempDir,
}

impl Hook {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log");
        let script = format!("#!/bin/sh\n{{ env; echo; }} >> {}\n", log.display());
        let path = folder.path().join("hook");
        fs::write(&path, script).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        // dhcpcd's hook has another user's rights.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("open to all");
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("UTF-8").to_owned()
    }

    /// Starts ISC's client, which wants an address and a prefix, and keeps what it has to know in the folder.
    fn dhclient(&self) -> Child {
        let arguments = self.dhclient_arguments();
        start("dhclient", &arguments.iter().map(String::as_str).collect::<Vec<_>>(), "isc-dhcp-client")
    }

    fn dhclient_arguments(&self) -> Vec<String> {
        let (script, leases, pid) = (self.path("hook"), self.path("leases"), self.path("pid"));
        let line = format!("-6 -P -N -cf /dev/null -sf {script} -lf {leases} -pf {pid} -d {HOME}");
        line.split(' ').map(str::to_owned).collect()
    }

    fn log(&self) -> String {
        fs::read_to_string(Path::new(&self.path("log"))).unwrap_or_default()
    }

    /// Waits until the hook was told all of these.
    async fn wait_for(&self, line: &Line, told: &[&str]) {
        for one in told {
            line.wait_for(one, async |_| self.log().lines().any(|said| said == *one).then_some(())).await;
        }
    }
}

async fn wait_for_lease(line: &Line, exchange: Exchange) {
    line.wait_for("lease", async |line| {
        let leased = |event: &Event| {
            matches!(event, Event::Leased { exchange: by, address: true, prefix: true, .. } if *by == exchange)
        };
        line.journal().dhcp6.iter().any(leased).then_some(())
    })
    .await;
}

async fn wait_for_release(line: &Line) {
    line.wait_for("release", async |line| {
        let journal = line.journal();
        let none_left = journal.bindings.address.is_none() && journal.bindings.prefix.is_none();
        (none_left && journal.dhcp6.contains(&Event::Released)).then_some(())
    })
    .await;
}

fn no_message_was_malformed(line: &Line) {
    let journal = line.journal();
    let ignored = journal.dhcp6.iter().find(|event| matches!(event, Event::Ignored(_)));
    assert_eq!(ignored, None);
}

/// Both leases, a renewal, a restart, and the end of both, by ISC's client.
#[test]
fn dhclient_leases_renews_rebinds_and_releases() {
    // Half of the preferred time is that to renewal.
    at_home(Ipv6Line { preferred_seconds: 4, ..ipv6() }, async |line| {
        line.wait_for_address("fe80::").await;
        let hook = Hook::new();
        let mut client = hook.dhclient();
        wait_for_lease(&line, Exchange::Request).await;
        let told = [
            "new_ip6_address=2001:db8:0:7::2",
            "new_ip6_prefix=2001:db8:700::/56",
            "new_dhcp6_name_servers=2001:db8::53",
        ];
        hook.wait_for(&line, &told).await;
        wait_for_lease(&line, Exchange::Renew).await;
        hook.wait_for(&line, &["reason=RENEW6"]).await;
        // Ended without a word, and started again with what it has written down.
        client.kill().await.expect("killed");
        let mut client = hook.dhclient();
        wait_for_lease(&line, Exchange::Rebind).await;
        hook.wait_for(&line, &["reason=REBIND6"]).await;
        let arguments = hook.dhclient_arguments();
        let mut release: Vec<&str> = arguments.iter().map(String::as_str).collect();
        release.insert(0, "-r");
        run("dhclient", &release, "isc-dhcp-client").await;
        wait_for_release(&line).await;
        client.wait().await.expect("the client has ended");
        no_message_was_malformed(&line);
    });
}

/// A client that has lost its leases to another is told so when it renews them, and takes them over again.
#[test]
fn dhclient_takes_over_what_it_has_lost() {
    at_home(Ipv6Line { preferred_seconds: 4, ..ipv6() }, async |line| {
        line.wait_for_address("fe80::").await;
        let hook = Hook::new();
        let _client = hook.dhclient();
        wait_for_lease(&line, Exchange::Request).await;
        let other = Duid::link_layer(mac(0xbb));
        {
            let bindings = &mut line.journal().bindings;
            for binding in [&mut bindings.address, &mut bindings.prefix] {
                binding.as_mut().expect("leased").client = other.clone();
            }
        }
        line.wait_for("refusal", async |line| {
            let refused = Event::Refused(Refusal::HeldBy(other.clone()));
            line.journal().dhcp6.contains(&refused).then_some(())
        })
        .await;
        line.wait_for("takeover", async |line| {
            let takes_over = |event: &Event| matches!(event, Event::Leased { displaced: Some(from), .. } if *from == other);
            line.journal().dhcp6.iter().any(takes_over).then_some(())
        })
        .await;
        no_message_was_malformed(&line);
    });
}

/// Rapid commit, by the client that most small routers of today are built on.
#[test]
fn dhcpcd_leases_at_once_and_releases() {
    at_home(Ipv6Line { autonomous: false, ..ipv6() }, async |line| {
        line.wait_for_address("fe80::").await;
        let hook = Hook::new();
        let (script, configuration) = (hook.path("hook"), hook.path("dhcpcd.conf"));
        let text = "duid\nipv6only\noption dhcp6_rapid_commit\noption dhcp6_name_servers\n\
                    interface home0\nia_na 1\nia_pd 2 -\n";
        fs::write(&configuration, text).expect("written");
        run("dhcpcd", &["--version"], "dhcpcd-base").await;
        // It keeps leases and process numbers in places of the machine, which are its own here.
        let own = "mount -t tmpfs none /run && mount -t tmpfs none /var/lib/dhcpcd && exec \"$@\"";
        let dhcpcd = ["dhcpcd", "-B", "-f", &configuration, "-c", &script, HOME];
        let arguments = [&["--mount", "sh", "-c", own, "sh"], &dhcpcd[..]].concat();
        let mut client = start("unshare", &arguments, "dhcpcd-base");
        wait_for_lease(&line, Exchange::RapidCommit).await;
        let told = [
            "new_dhcp6_ia_na1_ia_addr1=2001:db8:0:7::2",
            "new_dhcp6_ia_pd1_prefix1=2001:db8:700::",
            "new_dhcp6_ia_pd1_prefix1_length=56",
            "new_dhcp6_name_servers=2001:db8::53",
        ];
        hook.wait_for(&line, &told).await;
        line.wait_for_address("2001:db8:0:7::2/").await;
        let pid = client.id().and_then(|id| i32::try_from(id).ok()).expect("it runs");
        // It gives back what it has (dhcpcd(8)).
        kill(Pid::from_raw(pid), Signal::SIGALRM).expect("signalled");
        wait_for_release(&line).await;
        client.wait().await.expect("the client has ended");
        no_message_was_malformed(&line);
    });
}

/// Linux's own TCP: what is asked is answered, and no connection is left behind.
#[test]
fn curl_is_redirected_in_both_families_and_refused_by_https() {
    at_home(ipv6(), async |line| {
        line.wait_for_address("2001:db8:0:7:").await;
        ip(&format!("addr add 100.64.0.2/16 dev {HOME}")).await;
        ip(&format!("neigh add 100.64.0.1 lladdr {} dev {HOME}", mac(1))).await;
        ip("route add default via 100.64.0.1").await;
        let expected = format!(
            "HTTP/1.1 302 Found\r\nLocation: {}\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n",
            portal()
        );
        // More than the office says that it takes at once.
        let long = "x".repeat(20_000);
        let always = ["--silent", "--show-error", "--include", "--max-time", "10", "--globoff"];
        for host in ["192.0.2.66", "[2001:db8:66::66]"] {
            let url = format!("http://{host}/some/page?not=repeated");
            for how in [&["--get"][..], &["--head"], &["--data", &long]] {
                let said = run("curl", &[&always[..], how, &[&url]].concat(), "curl").await;
                assert_eq!(said, expected, "{how:?}");
            }
            let secure = format!("https://{host}/");
            let refused = tokio::process::Command::new("curl").args(always).arg(&secure).output().await;
            let refused = refused.expect("curl runs");
            let said = String::from_utf8_lossy(&refused.stderr);
            assert!(refused.status.code() == Some(7) && said.contains("Couldn't connect"), "{said}");
        }
        line.wait_for("end of all connections", async |_| {
            run("ss", &["-Htan"], "iproute2").await.is_empty().then_some(())
        })
        .await;
    });
}
