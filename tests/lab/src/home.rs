//! A subscriber's home: an ordinary Linux host with an ordinary DHCP client.

use std::{
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use net_types::Mac;
use serde_json::Value;

use crate::{
    config::{DhcpClient, HomeConfig},
    shell,
    state::Lab,
};

/// The home's interface towards the office.
pub(crate) const WAN: &str = "wan0";

/// What a home's DHCP client set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub address: Ipv4Addr,
    pub prefix_len: u8,
    pub router: Ipv4Addr,
}

/// What a home's web client got.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// HTTP status.
    pub status: u16,
    pub body: String,
    pub bytes: u64,
    pub seconds: f64,
}

/// A locally administered address for the home with this index.
pub(crate) fn mac(index: usize) -> Result<Mac> {
    let low = u16::try_from(index).context("too many homes")?.to_be_bytes();
    Ok(Mac::new([0x02, 0x00, 0x00, 0x01, low[0], low[1]])?)
}

/// Files that `ip netns exec` shows in place of the machine's own below /etc.
pub(crate) fn etc(namespace: &str) -> PathBuf {
    Path::new("/etc/netns").join(namespace)
}

/// Keeps the home's DHCP client away from the machine's resolv.conf.
pub(crate) fn prepare(lab: &Lab, home: &HomeConfig) -> Result<()> {
    let etc = etc(&lab.box_of(&home.name)?);
    let hooks = etc.join("dhcp/dhclient-enter-hooks.d");
    fs::create_dir_all(&hooks).context("making the home's /etc")?;
    fs::write(etc.join("resolv.conf"), "").context("writing the home's resolv.conf")?;
    // The stock script replaces the file by renaming, which a bind mount does not allow.
    fs::write(hooks.join("resolv-conf"), DHCLIENT_HOOK).context("writing the home's dhclient hook")?;
    fs::write(etc.join("dhcp/dhclient.conf"), DHCLIENT_CONF).context("writing the home's dhclient.conf")
}

const DHCLIENT_HOOK: &str = "make_resolv_conf() {
    for server in $new_domain_name_servers; do echo \"nameserver $server\"; done > /etc/resolv.conf
}
";

const DHCLIENT_CONF: &str = "request subnet-mask, broadcast-address, routers, domain-name-servers, interface-mtu;
timeout 60;
retry 2;
initial-interval 1;
backoff-cutoff 2;
";

pub(crate) fn start_client(lab: &mut Lab, home: &HomeConfig) -> Result<()> {
    let namespace = lab.box_of(&home.name)?;
    let files = lab.config.state_dir.join(format!("dhclient-{}", home.name)).display().to_string();
    let client: Vec<String> = match home.client {
        DhcpClient::Udhcpc => ["udhcpc", "-f", "-t", "3", "-T", "1", "-A", "1", "-i", WAN].map(String::from).into(),
        DhcpClient::Dhclient => {
            ["dhclient", "-4", "-d", "-lf", &format!("{files}.leases"), "-pf", &format!("{files}.pid"), WAN]
                .map(String::from)
                .into()
        }
    };
    let mut argv = ["ip", "netns", "exec", &namespace].map(String::from).to_vec();
    argv.extend(client);
    lab.start_here(&client_name(&home.name), &argv)
}

fn client_name(home: &str) -> String {
    format!("{home}/dhcp")
}

impl Lab {
    /// Waits until a home's DHCP client has set up an address and a default route.
    pub fn lease(&self, home: &str, limit: Duration) -> Result<Lease> {
        let begun = Instant::now();
        loop {
            if let Some(lease) = self.lease_now(home)? {
                return Ok(lease);
            }
            if begun.elapsed() > limit {
                let log = self.log_tail(&client_name(home).replace('/', "-"));
                bail!("{home} has no lease after {} s; its client's log ends with\n{log}", limit.as_secs());
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// The home's lease, if it has one.
    pub fn lease_now(&self, home: &str) -> Result<Option<Lease>> {
        let addresses: Value = self.json(home, &["ip", "-j", "-4", "address", "show", "dev", WAN])?;
        let routes: Value = self.json(home, &["ip", "-j", "-4", "route", "show", "default"])?;
        let address = &addresses[0]["addr_info"][0];
        let parse = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
        let (Some(local), Some(router)) = (parse(&address["local"]), parse(&routes[0]["gateway"])) else {
            return Ok(None);
        };
        let prefix_len = address["prefixlen"].as_u64().and_then(|len| u8::try_from(len).ok()).unwrap_or(32);
        Ok(Some(Lease { address: local, prefix_len, router }))
    }

    fn json(&self, host: &str, argv: &[&str]) -> Result<Value> {
        let output = self.exec(host, argv)?;
        Ok(serde_json::from_str(&output.stdout).unwrap_or(Value::Null))
    }

    /// Fetches a page with curl, from a home.
    pub fn fetch(&self, home: &str, url: &str) -> Result<Fetched> {
        let report = "\n%{http_code} %{size_download} %{time_total}";
        let output = self.exec(home, &["curl", "-sS", "--max-time", "60", "-w", report, url])?;
        if output.status != 0 {
            bail!("{home} cannot fetch {url}: {}", output.stderr.trim());
        }
        let (body, figures) = output.stdout.rsplit_once('\n').context("curl printed no figures")?;
        let figures: Vec<_> = figures.split(' ').collect();
        let [status, bytes, seconds] = figures[..] else { bail!("curl printed {figures:?}") };
        Ok(Fetched {
            status: status.parse()?,
            body: body.to_owned(),
            bytes: bytes.parse()?,
            seconds: seconds.parse()?,
        })
    }

    /// Starts a home's DHCP client anew.
    pub fn restart_client(&mut self, home: &str) -> Result<()> {
        let config = self.config.homes.iter().find(|config| config.name == home).cloned();
        let config = config.with_context(|| format!("no home {home:?} in this lab"))?;
        if let Ok(client) = self.process(&client_name(home)) {
            client.stop()?;
        }
        shell::inside(&self.box_of(home)?, &format!("ip address flush dev {WAN}"))?;
        start_client(self, &config)
    }
}
