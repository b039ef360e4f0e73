//! The protocol between controller and agent: both ends, one contract, one conformance test.
//!
//! ```text
//! controller                                                        agent
//! Authority ── certificate ◄── Join(token, CSR) · Renew(CSR) ─────── Link::run
//! NodeTable ── what differs, then what changes ── Session (mTLS) ──► Node::apply
//! Office   ◄── Report: connected, applied or refused per resource ── results
//! NodeTable::counters ◄── now and then, if the controller says that it takes them ── Node::counters
//! ```
//!
//! The agent says what it holds, as pairs of key and version; the controller sends only what differs. So neither side
//! keeps a history, and a stream can break at any point: the next one compares again. A node only moves to a higher
//! generation. Every limit on what a peer may send is in `limits`.

mod authority;
mod limits;
mod link;
mod node;
mod office;
mod outcome;
mod request;
mod serve;
mod table;
mod tls;
mod token;
mod wire;

pub use authority::{Authority, AuthorityError};
pub use link::{Link, LinkConfig};
pub use node::{Chunk, Holdings, Identity, LinkState, Node, Received};
pub use office::{JoinRefused, Office, Report};
pub use outcome::{Outcome, REMOVED};
pub use request::{RequestError, SigningRequest};
pub use serve::{ServeError, serve};
pub use table::{Change, NodeTable};
pub use tls::{TlsError, api_server_config};
pub use token::{JoinToken, TokenError};
