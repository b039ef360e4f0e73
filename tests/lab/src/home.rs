//! What a home sees.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use linux_node::NetNs;

use crate::{
    Lab, LabError,
    addresses::HOME_PORT,
    command::{Result, ip},
    http,
};

/// What DHCP gave a home, as its kernel and its resolver have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub address: Ipv4Addr,
    pub prefix_len: u8,
    pub router: Ipv4Addr,
    pub dns_servers: Vec<Ipv4Addr>,
}

/// A page that a home got.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    pub status: u16,
    pub body: String,
    /// Length of the body.
    pub bytes: u64,
    /// From the connection's first packet to the answer's last.
    pub seconds: f64,
}

const POLL: Duration = Duration::from_millis(50);
const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
const ANSWER_PATIENCE: Duration = Duration::from_mins(1);

pub(crate) fn lease(lab: &Lab, home: &str, patience: Duration) -> Result<Lease> {
    let start = Instant::now();
    loop {
        if let Some(lease) = current_lease(&lab.namespace(home))? {
            return Ok(lease);
        }
        if start.elapsed() > patience {
            let log = lab.log(&format!("dhcp-{home}"));
            let text = format!("{home} has no lease after {patience:?}: see {}", log.display());
            return Err(LabError::State(text));
        }
        thread::sleep(POLL);
    }
}

fn current_lease(namespace: &str) -> Result<Option<Lease>> {
    let json = |line: &str| -> Result<serde_json::Value> {
        let text = ip(&format!("-j -n {namespace} {line}"))?;
        serde_json::from_str(&text).map_err(|e| LabError::State(format!("ip {line}: {e}")))
    };
    let addresses = json(&format!("-4 addr show dev {HOME_PORT}"))?;
    let routes = json("-4 route show default")?;
    let parsed = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<Ipv4Addr>().ok());
    let found = &addresses[0]["addr_info"][0];
    let prefix_len = found["prefixlen"].as_u64().and_then(|len| u8::try_from(len).ok());
    let (Some(address), Some(prefix_len), Some(gateway)) =
        (parsed(&found["local"]), prefix_len, parsed(&routes[0]["gateway"]))
    else {
        return Ok(None);
    };
    let resolver =
        fs::read_to_string(Path::new("/etc/netns").join(namespace).join("resolv.conf")).unwrap_or_default();
    let dns_servers = resolver
        .lines()
        .filter_map(|line| line.strip_prefix("nameserver ").and_then(|address| address.trim().parse().ok()));
    Ok(Some(Lease { address, prefix_len, router: gateway, dns_servers: dns_servers.collect() }))
}

pub(crate) fn fetch(lab: &Lab, home: &str, url: &str) -> Result<Fetched> {
    let bad = || LabError::Config(format!("{url:?} is not of the form http://192.0.2.1:80/page"));
    let rest = url.strip_prefix("http://").ok_or_else(bad)?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let address: SocketAddr =
        if host.contains(':') { host.parse() } else { format!("{host}:80").parse() }.map_err(|_| bad())?;
    let path = if path.is_empty() { "/" } else { path };
    let start = Instant::now();
    let get = || {
        let stream = TcpStream::connect_timeout(&address, CONNECT_PATIENCE)?;
        stream.set_read_timeout(Some(ANSWER_PATIENCE))?;
        stream.set_write_timeout(Some(ANSWER_PATIENCE))?;
        http::request(stream, "GET", host, path, None)
    };
    let run = || NetNs::named(&lab.namespace(home))?.run(get)?;
    let response = run().map_err(LabError::io(format!("{home} gets {url}")))?;
    let seconds = start.elapsed().as_secs_f64();
    let bytes = response.body.len() as u64;
    Ok(Fetched { status: response.status, body: response.body, bytes, seconds })
}
