//! Limits on what a client may ask for.

use std::time::Duration;

/// Bytes of a request's body that holds one object.
pub(super) const OBJECT_BYTES_MAX: usize = 256 << 10;
/// Bytes of a transaction's body.
pub(super) const TRANSACTION_BYTES_MAX: usize = 32 << 20;
/// Bytes of all bodies that are held at once, and how long one waits for room among them.
pub(super) const BODIES_BYTES_MAX: usize = 64 << 20;
pub(super) const BODIES_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes that are read of a body that is too long.
pub(super) const DRAINED_BYTES_MAX: usize = 64 << 20;
pub(super) const OPERATIONS_MAX: usize = 20_000;
/// Faults that one answer names.
pub(super) const FAULTS_MAX: usize = 100;

pub(super) const PAGE_DEFAULT: usize = 500;
pub(super) const PAGE_MAX: usize = 1000;
/// Objects that a page looks at under one lock, of which a selector may pick few.
pub(super) const SCAN: usize = 1000;

/// Of a field selector.
pub(super) const FIELD_SELECTOR_BYTES_MAX: usize = 2 << 10;
pub(super) const FIELD_TERMS_MAX: usize = 16;

pub(super) const WATCHERS_MAX: usize = 256;
/// Changes that a watch takes at a time.
pub(super) const WATCH_CHUNK: usize = 256;
/// How often a watch without changes says how far it is.
pub(super) const BOOKMARK_PERIOD: Duration = Duration::from_secs(30);
/// How long a watch of server-sent events may be quiet: proxies end connections that are (HTML Living Standard,
/// section 9.2.7).
pub(super) const HEARTBEAT_PERIOD: Duration = Duration::from_secs(15);

pub(super) const CONNECTIONS_MAX: usize = 512;
/// Of those, how many may be from elsewhere than this machine.
pub(super) const REMOTE_CONNECTIONS_MAX: usize = 448;
pub(super) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
pub(super) const HEADERS_MAX: usize = 64;
/// Bytes of the read buffer, after which a request's head that is not complete is refused. With the last read it may
/// have grown longer: never to twice as much.
pub(super) const HEAD_BYTES_MAX: usize = 64 << 10;
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// From the head of a request to the head of its answer, the body's arrival included.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests may go on when the server ends.
pub(super) const GRACE: Duration = Duration::from_secs(5);

/// Answers to requests with an idempotency key that are kept: beyond either limit the oldest goes.
pub(super) const ANSWERS_MAX: usize = 10_000;
pub(super) const ANSWERS_BYTES_MAX: usize = 32 << 20;
pub(super) const IDEMPOTENCY_KEY_BYTES_MAX: usize = 255;

/// Hashes of passwords that are computed at a time, and how long one waits for its turn.
pub(super) const HASHING_MAX: usize = 2;
pub(super) const HASHING_TIMEOUT: Duration = Duration::from_secs(10);

/// Refusals that wait to be written to the audit log.
pub(super) const REFUSALS_MAX: usize = 1024;
pub(super) const AUDIT_PAGE_DEFAULT: usize = 100;
pub(super) const EVENTS_PAGE_DEFAULT: usize = 100;

/// Who is told apart at a time by the limit on requests.
pub(super) const PRINCIPALS_MAX: usize = 4096;
