//! The least HTTP/1.1 that a client can do with, so that it takes little of the machine that is measured.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::net::UnixStream,
    path::Path,
};

use anyhow::{Context as _, Result, ensure};

pub(crate) struct Client(BufReader<UnixStream>);

impl Client {
    pub(crate) fn connect(socket: &Path) -> Result<Self> {
        Ok(Self(BufReader::new(UnixStream::connect(socket).context("connecting to the controller")?)))
    }

    /// Posts JSON, and wants that status.
    pub(crate) fn post(&mut self, path: &str, body: &str, wanted: u16) -> Result<String> {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: wirecenter\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        self.exchange(&[head.as_bytes(), body.as_bytes()].concat(), wanted)
    }

    pub(crate) fn get(&mut self, path: &str) -> Result<String> {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: wirecenter\r\n\r\n").as_bytes(), 200)
    }

    /// One of the controller's own figures.
    pub(crate) fn metric(&mut self, name: &str) -> Result<u64> {
        let text = self.get("/metrics")?;
        let figure = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        figure
            .with_context(|| format!("the controller has no {name}"))?
            .trim()
            .parse()
            .context(name.to_owned())
    }

    fn exchange(&mut self, request: &[u8], wanted: u16) -> Result<String> {
        self.0.get_mut().write_all(request).context("sending a request")?;
        let status = self.line()?;
        let status: u16 = status.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status")?;
        let mut length = 0;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().context("an answer's length")?;
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).context("reading an answer")?;
        let body = String::from_utf8(body).context("an answer is not text")?;
        ensure!(status == wanted, "the controller answered {status}: {body}");
        Ok(body)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).context("reading an answer")?;
        ensure!(line.ends_with('\n'), "the controller hung up");
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}
