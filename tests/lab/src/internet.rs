//! The upstream router, and a host on the Internet.

use anyhow::Result;

use crate::{shell::inside, state::Lab};

pub(crate) const UPSTREAM: &str = "upstream";
pub(crate) const HOST: &str = "inet";

/// The Internet host's address.
const HOST_ADDRESS: &str = "192.0.2.66";

impl Lab {
    /// A page that says who asked; `/bytes/N` is N bytes long.
    pub fn page(&self) -> String {
        format!("http://{HOST_ADDRESS}/")
    }

    pub fn internet_address(&self) -> &'static str {
        HOST_ADDRESS
    }
}

pub(crate) fn address(lab: &Lab) -> Result<()> {
    let (upstream, host) = (lab.box_of(UPSTREAM)?, lab.box_of(HOST)?);
    inside(&upstream, "sysctl -qw net.ipv4.ip_forward=1")?;
    inside(&upstream, "ip address add 192.0.2.1/30 dev node0")?;
    inside(&upstream, "ip address add 192.0.2.65/30 dev inet0")?;
    for prefix in &lab.config.routed_to_node {
        inside(&upstream, &format!("ip route add {prefix} via 192.0.2.2"))?;
    }
    inside(&host, &format!("ip address add {HOST_ADDRESS}/30 dev eth0"))?;
    inside(&host, "ip route add default via 192.0.2.65").map(drop)
}

pub(crate) fn start(lab: &mut Lab) -> Result<()> {
    let program = vec!["python3".into(), "-u".into(), "-c".into(), SERVER.into(), HOST_ADDRESS.into()];
    lab.start(HOST, program)
}

const SERVER: &str = r#"
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Page(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/bytes/") and self.path[7:].isdigit():
            body = bytes(min(int(self.path[7:]), 1 << 28))
        else:
            body = ("%s %d\n" % self.client_address).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer((sys.argv[1], 80), Page).serve_forever()
"#;
