//! Limits on everything that a peer can send, and the times after which it is given up.

use std::time::Duration;

/// Protocol version; both ends must say the same.
pub(crate) const PROTOCOL: u32 = 1;
/// Largest message, in bytes, encoded.
pub(crate) const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Bytes of keys and bodies after which a chunk is full: far below `MESSAGE_BYTES_MAX`.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;
/// Items of a chunk.
pub(crate) const CHUNK_ITEMS_MAX: usize = 2048;
/// Chunks under way that the agent has not answered.
pub(crate) const WINDOW_CHUNKS: usize = 4;
/// Bytes of a resource's key.
pub(crate) const KEY_BYTES_MAX: usize = 128;
/// Bytes of an encoded resource.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 10;
/// Resources that an agent can say it holds: the largest node's sessions and room.
pub(crate) const INVENTORY_MAX: usize = 2_000_000;
/// Bytes of an error in words; what is longer is cut off.
pub(crate) const ERROR_BYTES_MAX: usize = 512;
/// Counters that a node has, and bytes of the name of one.
pub(crate) const COUNTERS_MAX: usize = 1024;
pub(crate) const COUNTER_NAME_BYTES_MAX: usize = 128;
/// How often an agent tells its counters.
pub(crate) const COUNTERS_EVERY: Duration = Duration::from_secs(10);
/// Bytes of an agent's version.
pub(crate) const AGENT_VERSION_BYTES_MAX: usize = 64;
/// Bytes of a join token; of the secret in it, so that any secret fits into one; of a certificate signing request.
pub(crate) const TOKEN_BYTES_MAX: usize = 512;
pub(crate) const SECRET_BYTES_MAX: usize = 256;
pub(crate) const CSR_BYTES_MAX: usize = 4096;
/// Removals that a table remembers for streams that lag behind.
pub(crate) const TOMBSTONES_MAX: usize = 65_536;
/// Bytes of a stream under way, HTTP/2's flow control: some chunks, so that a long way does not slow them down.
pub(crate) const STREAM_WINDOW_BYTES: u32 = 1 << 20;
/// Connections at a time, joining ones included.
pub(crate) const CONNECTIONS_MAX: usize = 4096;

/// Time for a TLS handshake, and for each message until the inventory is complete.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
pub(crate) const GREETING: Duration = Duration::from_mins(1);
/// HTTP/2 pings, both ways: a dead peer is found out within their sum.
pub(crate) const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(15);
/// Time for connections to end when the controller's end closes.
pub(crate) const CLOSING: Duration = Duration::from_secs(3);
