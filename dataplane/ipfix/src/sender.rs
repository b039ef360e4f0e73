//! Datagrams onto the network.

use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use crate::{Datagram, Exporter};

/// A UDP socket towards a collector. It never blocks.
#[derive(Debug)]
pub struct Sender {
    socket: UdpSocket,
    collector: SocketAddr,
    /// What the socket had no room for.
    held: Option<Datagram>,
}

/// How far [`Sender::send_due`] came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Nothing more is due; see [`Exporter::wait`].
    Done,
    /// The socket is full. What is due waits for the next call, some milliseconds later.
    Blocked,
}

/// Why a message was lost here.
#[derive(Debug, thiserror::Error)]
#[error("sending NAT events to the collector at {collector}")]
pub struct SendError {
    collector: SocketAddr,
    source: io::Error,
}

impl Sender {
    /// Sends to `collector`, always from the same port, which the system chooses.
    pub fn new(collector: SocketAddr) -> Result<Self, SendError> {
        let failed = |source| SendError { collector, source };
        let any = match collector {
            SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
            SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
        };
        let socket = UdpSocket::bind(any).map_err(failed)?;
        socket.connect(collector).map_err(failed)?;
        socket.set_nonblocking(true).map_err(failed)?;
        Ok(Self { socket, collector, held: None })
    }

    /// Sends all that is due at `now`, the time since the Unix epoch.
    ///
    /// After an error, the message that could not be sent is counted as lost, and the next call goes on behind it.
    pub fn send_due(&mut self, exporter: &mut Exporter, now: Duration) -> Result<Progress, SendError> {
        while let Some(datagram) = self.held.take().or_else(|| exporter.poll(now)) {
            match self.send(&datagram.bytes) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.held = Some(datagram);
                    return Ok(Progress::Blocked);
                }
                Err(source) => {
                    exporter.not_sent(&datagram);
                    return Err(SendError { collector: self.collector, source });
                }
            }
        }
        Ok(Progress::Done)
    }

    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let sent = match self.socket.send(bytes) {
            // It is about an earlier message that nobody took: this one has not been tried.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => self.socket.send(bytes),
            sent => sent,
        };
        sent.map(|_| ())
    }
}
