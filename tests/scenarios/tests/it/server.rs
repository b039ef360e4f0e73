//! Programs on the lab's hosts that others talk to.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::office::Office;

/// Ends with the test.
pub(crate) struct Server {
    child: Child,
    /// Kept open, for who cannot write what it has to say may end.
    output: BufReader<ChildStdout>,
}

/// A web server on port 8080 that says who asks, for `python3 -c`.
const WHO_ASKS: &str = r#"
from http.server import BaseHTTPRequestHandler, HTTPServer
class Who(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.client_address[0].encode())
server = HTTPServer(("", 8080), Who)
print("ready", flush=True)
server.serve_forever()
"#;

impl Server {
    /// Starts a program, and waits until it says that it is ready.
    pub(crate) fn start(office: &mut Office, host: &str, argv: &[&str], ready: &str) -> Self {
        let namespace = office.lab().box_of(host).expect("a host");
        let mut child = Command::new("ip")
            .args(["netns", "exec", &namespace, "sh", "-c", "exec \"$@\" 2>&1", "sh"])
            .args(argv)
            .stdout(Stdio::piped())
            .spawn()
            .expect("ip starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut server = Self { child, output };
        let mut said = String::new();
        while server.output.read_line(&mut said).expect("text") > 0 {
            if said.contains(ready) {
                return server;
            }
        }
        panic!(
            "{} does not start: {said}; apt-get install -y dnsmasq-base python3-minimal sip-tester iperf3",
            argv[0]
        );
    }

    /// A web server on port 8080 that says who asks.
    pub(crate) fn who_asks(office: &mut Office, host: &str) -> Self {
        Self::start(office, host, &["python3", "-c", WHO_ASKS], "ready")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().expect("ours");
        self.child.wait().expect("ends");
    }
}
