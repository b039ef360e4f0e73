//! A client that watches all subscribers, and notes when it hears of which.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use crate::client::Client;

pub(super) struct Watcher {
    heard: Receiver<(u32, Instant)>,
}

impl Watcher {
    /// Watches from now on, until the controller ends.
    pub(super) fn start(socket: &Path) -> Result<Self> {
        let revision = Client::connect(socket)?.metric("wirecenter_store_revision")?;
        let mut stream = UnixStream::connect(socket).context("connecting to the controller")?;
        let path = format!("/api/v1/subscribers?watch=1&resourceVersion={revision}");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: wirecenter\r\n\r\n").context("asking for a watch")?;
        let mut lines = BufReader::new(stream);
        let mut status = String::new();
        lines.read_line(&mut status).context("the watch's status")?;
        ensure!(status.starts_with("HTTP/1.1 200 "), "the watch was refused: {status}");
        let (sender, heard) = channel();
        thread::spawn(move || listen(lines, &sender));
        Ok(Self { heard })
    }

    /// When each was first heard of, as soon as so many were.
    pub(super) fn seen(self, many: usize, patience: Duration) -> Result<HashMap<u32, Instant>> {
        let mut seen = HashMap::new();
        while seen.len() < many {
            let (number, at) = self.heard.recv_timeout(patience).context("the watch misses a change")?;
            seen.entry(number).or_insert(at);
        }
        Ok(seen)
    }
}

/// Lines of events lie between the lines that say how long a chunk is.
fn listen(lines: BufReader<UnixStream>, heard: &Sender<(u32, Instant)>) {
    for line in lines.lines().map_while(Result::ok) {
        let now = Instant::now();
        let number =
            line.split_once(r#""name":"sub-"#).and_then(|(_, rest)| rest.split('"').next()?.parse().ok());
        if let Some(number) = number
            && heard.send((number, now)).is_err()
        {
            return;
        }
    }
}
