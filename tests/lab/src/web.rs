//! The page on the Internet that tells who asks for it.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// Longest request that is listened to.
const REQUEST_LEN_MAX: u64 = 16 << 10;

/// Most bytes that `/bytes/N` gives.
const BYTES_MAX: usize = 1 << 30;

/// Serves until it fails: `/` answers with the asker's address and port, `/bytes/N` with N zero bytes.
pub async fn run(listen: Vec<SocketAddr>) -> Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    for address in listen {
        let listener = TcpListener::bind(address).await.with_context(|| format!("listen on {address}"))?;
        tasks.spawn(accept(listener));
    }
    println!("{}", crate::process::READY);
    tasks.join_next().await.context("there is an address to listen on")??
}

async fn accept(listener: TcpListener) -> Result<()> {
    loop {
        let (stream, peer) = listener.accept().await.context("accept a connection")?;
        tokio::spawn(async move {
            if let Err(error) = serve(stream, peer).await {
                eprintln!("{peer}: {error}");
            }
        });
    }
}

async fn serve(mut stream: TcpStream, peer: SocketAddr) -> std::io::Result<()> {
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read.take(REQUEST_LEN_MAX)).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    while lines.next_line().await?.is_some_and(|line| !line.is_empty()) {}
    println!("{peer} {first}");
    let path = first.split(' ').nth(1).unwrap_or("/");
    let bytes = path.strip_prefix("/bytes/").and_then(|n| n.parse::<usize>().ok());
    let body = if bytes.is_some() { String::new() } else { format!("{} {}\n", peer.ip(), peer.port()) };
    let (kind, len) = match bytes {
        Some(len) => ("application/octet-stream", len.min(BYTES_MAX)),
        None => ("text/plain", body.len()),
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {len}\r\nconnection: close\r\n\r\n"
    );
    write.write_all(head.as_bytes()).await?;
    write.write_all(body.as_bytes()).await?;
    let zeros = vec![0; 64 << 10];
    let mut left = len - body.len();
    while left > 0 {
        let part = left.min(zeros.len());
        write.write_all(&zeros[..part]).await?;
        left -= part;
    }
    write.shutdown().await
}
