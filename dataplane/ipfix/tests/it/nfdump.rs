use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use ipfix::{Config, Event, Exporter, Progress, Sender};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::events::some;

const MISSING: &str = "apt-get install -y nfdump";
const PATIENCE: Duration = Duration::from_secs(60);

struct Nfcapd {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Nfcapd {
    fn start() -> Self {
        let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.local_addr());
        let port = port.expect("a free port").port();
        let folder = tempfile::tempdir().expect("a folder");
        let child = Command::new("nfcapd")
            .args(["-4", "-b", "127.0.0.1", "-B", "4000000", "-p", &port.to_string(), "-w"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .spawn()
            .expect(MISSING);
        let mut this = Self { child, port, folder };
        this.until("it listens", |socket| socket.is_some());
        this
    }
    fn until(&mut self, what: &str, is: impl Fn(Option<(u64, u64)>) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is(queued_and_lost(self.port)) {
            assert!(self.child.try_wait().expect("a child").is_none(), "nfcapd ended before {what}");
            assert!(Instant::now() < deadline, "still not: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    fn stop(mut self) -> String {
        self.until("it has read all", |socket| socket == Some((0, 0)));
        kill(Pid::from_raw(self.child.id() as i32), Signal::SIGTERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        let out = Command::new("nfdump").args(["-R"]).arg(self.folder.path()).args(["-o", "json"]).output().unwrap();
        println!("{}", String::from_utf8_lossy(&out.stdout));
        let out = Command::new("nfdump").args(["-I", "-R"]).arg(self.folder.path()).output().unwrap();
        println!("{}", String::from_utf8_lossy(&out.stdout));
        let out = Command::new("nfdump").args(["-R"]).arg(self.folder.path()).args(["-o", "fmt:T %ts %te %tsr %msec %nevt %evt %pr %sa %sp %da %dp %nsa %nsp %nda %ndp %pbstart %pbend %pbstep %pbsize %odid"]).output().unwrap();
        println!("{}", String::from_utf8_lossy(&out.stdout));
        let out = Command::new("nfdump").args(["-R"]).arg(self.folder.path()).args(["-o", "raw"]).output().unwrap();
        println!("{}", String::from_utf8_lossy(&out.stdout));
        String::new()
    }
}

fn queued_and_lost(port: u16) -> Option<(u64, u64)> {
    let table = fs::read_to_string("/proc/net/udp").expect("/proc is mounted");
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<_> = line.split_whitespace().collect();
        (fields[1].ends_with(&format!(":{port:04X}"))).then(|| {
            let queued = fields[4].split_once(':').unwrap().1;
            (u64::from_str_radix(queued, 16).unwrap(), fields[12].parse().unwrap())
        })
    })
}

#[test]
fn look() {
    let nfcapd = Nfcapd::start();
    let mut sender = Sender::new(SocketAddr::from((Ipv4Addr::LOCALHOST, nfcapd.port))).unwrap();
    let mut exporter = Exporter::new(Config::new(7));
    for event in &some(30) {
        println!("{event:?}");
        exporter.push(event);
    }
    exporter.flush();
    println!("{:?}", sender.send_due(&mut exporter, Duration::from_secs(1_700_000_000)));
    nfcapd.stop();
}
