//! A subscriber's line: a virtual Ethernet whose one end is the home's and whose other end is the office's.

use std::{
    fmt::Debug,
    hash::{BuildHasherDefault, DefaultHasher},
    net::Ipv6Addr,
    process::{Output, Stdio},
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use access_protocols::{
    dhcp6::{self, BindingChange, Bindings},
    icmp6, nd, portal,
};
use linux_node::{NetNs, Netlink, PacketSocket};
use net_types::{Mac, PortalUrl};
use node_state::{AccessTags, Ipv6Line, Session, SessionState};
use tokio::process::{Child, Command};

/// The home's device. The office's is called office0.
pub(crate) const HOME: &str = "home0";
pub(crate) const MTU: u16 = 1492;

const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);
/// What an access node puts on the line's frames on their way up, and takes off on their way down.
const TAGS: [u8; 8] = [0x88, 0xa8, 0, 100, 0x81, 0, 0, 7];
const TAGS_OFFSET: usize = 12;

/// What the office has seen and done.
#[derive(Default)]
pub(crate) struct Journal {
    pub(crate) bindings: Bindings,
    pub(crate) nd: Vec<nd::Event>,
    pub(crate) dhcp6: Vec<dhcp6::Event>,
}

pub(crate) struct Line {
    journal: Arc<Mutex<Journal>>,
}

pub(crate) fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last]).expect("a station")
}

/// The office's address on the line.
pub(crate) fn office() -> Ipv6Addr {
    mac(1).link_local()
}

pub(crate) fn ipv6() -> Ipv6Line {
    Ipv6Line {
        link: "2001:db8:0:7::/64".parse().expect("a prefix"),
        address: Some("2001:db8:0:7::2".parse().expect("an address")),
        delegated: Some("2001:db8:700::/56".parse().expect("a prefix")),
        more_networks: Vec::new(),
        autonomous: true,
        dns_servers: vec!["2001:db8::53".parse().expect("an address")],
        preferred_seconds: 1800,
        valid_seconds: 3600,
    }
}

/// Where whoever asks for a web page is sent.
pub(crate) fn portal() -> PortalUrl {
    "http://portal.example/welcome?line=7".parse().expect("a URL")
}

fn session(ipv6: Ipv6Line) -> Session {
    Session {
        subscriber: "alice".parse().expect("a name"),
        port: "office0".parse().expect("a name"),
        tags: AccessTags { s_vid: 100.try_into().ok(), c_vid: 7.try_into().ok() },
        state: SessionState::Active,
        mac: None,
        lease: "100.64.0.2/16".parse().expect("an address"),
        gateway: "100.64.0.1".parse().expect("an address"),
        network: "100.64.0.2/32".parse().expect("a prefix"),
        dns_servers: vec![],
        lease_seconds: 3600,
        nat: None,
        nat_overflow: None,
        nat_address: None,
        nat_exempt: false,
        more_networks: Vec::new(),
        nat_filtering: node_state::NatFiltering::default(),
        rate_up: None,
        rate_down: None,
        committed_up: None,
        committed_down: None,
        firewall: None,
        firewall_rules: Vec::new(),
        port_forwards: Vec::new(),
        voice: None,
        parental_control: None,
        ipv6: Some(ipv6),
    }
}

/// Runs a test in a home whose line has the office at its other end.
pub(crate) fn at_home(ipv6: Ipv6Line, test: impl AsyncFnOnce(Line) + Send) {
    let namespace = NetNs::unnamed().expect("a network namespace: run the tests as root");
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let line = Line { journal: Arc::default() };
            let office = lay(session(ipv6), Arc::clone(&line.journal)).await;
            tokio::select! {
                () = office => unreachable!("the office stays"),
                () = test(line) => {}
            }
        });
    };
    namespace.run(work).expect("the namespace was just made");
}

/// Makes the line; what it gives back is the office at work.
async fn lay(session: Session, journal: Arc<Mutex<Journal>>) -> impl Future<Output = ()> {
    let (home_mac, office_mac) = (mac(0xaa), mac(1));
    ip(&format!("link add name {HOME} address {home_mac} type veth peer name office0 address {office_mac}"))
        .await;
    // The office's end is the functions', and not the kernel's.
    std::fs::write("/proc/sys/net/ipv6/conf/office0/disable_ipv6", "1").expect("IPv6 switched off");
    ip("link set dev office0 up").await;
    let netlink = Netlink::connect().expect("connected");
    let port = netlink.interface(&session.port).await.expect("asked").expect("it is there");
    let socket = PacketSocket::open(port.index).expect("opened");
    ip("link set dev lo up").await;
    ip(&format!("link set dev {HOME} up")).await;
    async move {
        let start = Instant::now();
        let mut buffer = vec![0; PacketSocket::BUFFER_LEN];
        loop {
            let bare = socket.recv(&mut buffer).await.expect("received");
            let mut frame = bare.to_vec();
            frame.splice(TAGS_OFFSET..TAGS_OFFSET, TAGS);
            let reply = answer(&session, &mut journal.lock().expect("sound"), start.elapsed(), &frame);
            if let Some(mut reply) = reply {
                assert_eq!(reply.drain(TAGS_OFFSET..TAGS_OFFSET + TAGS.len()).as_slice(), TAGS);
                socket.send(&reply).await.expect("sent");
            }
        }
    }
}

/// As the agent does, by what the frame is.
fn answer(session: &Session, journal: &mut Journal, at: Duration, frame: &[u8]) -> Option<Vec<u8>> {
    let port_mac = mac(1);
    let outcome = nd::handle(&nd::Context { session, port_mac, mtu: MTU }, frame);
    if !matches!(outcome.event, nd::Event::Ignored(nd::Ignored::Packet(_) | nd::Ignored::HopLimit(_))) {
        journal.nd.push(outcome.event);
        return outcome.reply;
    }
    if let Ok(reply) = icmp6::echo_reply(frame, office()) {
        return Some(reply);
    }
    let context = portal::Context { portal: &portal(), key: &BuildHasherDefault::<DefaultHasher>::default() };
    match portal::answer(&context, frame) {
        Ok(reply) => return Some(reply),
        Err(portal::Silence::Malformed(_)) => {}
        Err(_) => return None,
    }
    let now_s = 1_000_000 + at.as_secs();
    let bound = journal.bindings.clone();
    let outcome = dhcp6::handle(&dhcp6::Context { session, port_mac, bound: &bound, now_s }, frame);
    let elsewhere = matches!(
        outcome.event,
        dhcp6::Event::Ignored(dhcp6::Ignored::Packet(_) | dhcp6::Ignored::NotForServer)
    );
    if !elsewhere {
        journal.dhcp6.push(outcome.event);
    }
    if let BindingChange::Set(bindings) = outcome.bindings {
        journal.bindings = bindings;
    }
    outcome.reply
}

impl Line {
    pub(crate) fn journal(&self) -> MutexGuard<'_, Journal> {
        self.journal.lock().expect("sound")
    }

    /// Waits for what `look` looks for; `what` it is, for who reads that it has not come.
    pub(crate) async fn wait_for<T>(&self, what: &str, mut look: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = look(self).await {
                return found;
            }
            let journal = || {
                let journal = self.journal();
                let nd: Vec<_> = journal.nd.iter().map(ToString::to_string).collect();
                let dhcp6: Vec<_> = journal.dhcp6.iter().map(ToString::to_string).collect();
                format!("{nd:#?}\n{dhcp6:#?}")
            };
            assert!(start.elapsed() < PATIENCE, "no {what}; the office has seen:\n{}", journal());
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until the home has an address that starts so and that nobody else has.
    pub(crate) async fn wait_for_address(&self, start: &str) -> String {
        let what = format!("address {start}…");
        self.wait_for(&what, async |_| {
            let shown = ip(&format!("-6 -o addr show dev {HOME} -tentative")).await;
            let address = |line: &str| Some(line.split_whitespace().nth(3)?.to_owned());
            shown.lines().filter_map(address).find(|address| address.starts_with(start))
        })
        .await
    }
}

pub(crate) async fn ip(line: &str) -> String {
    let arguments: Vec<&str> = line.split_whitespace().collect();
    run("ip", &arguments, "iproute2").await
}

/// Runs a program to its end; a failure is the test's.
pub(crate) async fn run(program: &str, arguments: &[&str], package: &str) -> String {
    let output = Command::new(program).args(arguments).kill_on_drop(true).output();
    let Output { status, stdout, stderr } = present(output.await, package);
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{program} {arguments:?}: {status}\n{stdout}\n{stderr}");
    stdout.into_owned()
}

/// Starts a program, which ends with the test at the latest.
pub(crate) fn start(program: &str, arguments: &[&str], package: &str) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    present(command.kill_on_drop(true).spawn(), package)
}

fn present<T>(started: Result<T, impl Debug>, package: &str) -> T {
    started.unwrap_or_else(|error| panic!("{error:?}: apt-get install -y {package}"))
}
