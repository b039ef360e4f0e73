//! As much of an HTTP/1.1 client as asking for a page takes.

use std::io::{self, Read, Write};

/// What an answer may hold.
const RESPONSE_LEN_MAX: u64 = 16 << 20;

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Sends one request and reads the answer to the end of the connection.
pub(crate) fn request(
    mut stream: impl Read + Write,
    method: &str,
    host: &str,
    path: &str,
    json: Option<&str>,
) -> io::Result<Response> {
    let body = json.unwrap_or_default();
    let kind = if json.is_some() { "content-type: application/json\r\n" } else { "" };
    let len = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{kind}content-length: {len}\r\n\r\n{body}"
    )?;
    let mut bytes = Vec::new();
    match stream.take(RESPONSE_LEN_MAX).read_to_end(&mut bytes) {
        // A server that did not care for the body closes with it unread: after the answer, that is no error.
        Err(e) if e.kind() == io::ErrorKind::ConnectionReset && !bytes.is_empty() => {}
        read => drop(read?),
    }
    parse(&bytes).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a whole HTTP response"))
}

fn parse(bytes: &[u8]) -> Option<Response> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let (first, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let status = first.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let body = &bytes[end + 4..];
    let chunked = headers.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { join_chunks(body)? } else { body.to_vec() };
    let announced = headers.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    if announced.is_some_and(|len| len != body.len()) {
        return None;
    }
    Some(Response { status, body: String::from_utf8_lossy(&body).into_owned() })
}

fn join_chunks(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = rest.windows(2).position(|window| window == b"\r\n")?;
        let len = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?.trim(), 16).ok()?;
        if len == 0 {
            return Some(whole);
        }
        let chunk = rest.get(line + 2..)?;
        whole.extend_from_slice(chunk.get(..len)?);
        rest = chunk.get(len + 2..)?;
    }
}
