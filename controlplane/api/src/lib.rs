//! The office's objects over HTTP.
//!
//! ```text
//! request ─► http: limits, JSON, one error mapping ─► Office: admission in one transaction ─► intent-store
//!                                                       references, claims, allocation, tenants
//! agents' reports ─► Office: status (Ready)          watch, pages ◄── change log, history
//! ```
//!
//! `/api/v1/PLURAL[/NAME]` of each kind with GET (`limit`, `continue`, `labelSelector`,
//! `fieldSelector`; `watch=1&resourceVersion=N`), POST, PUT (creates what is not there), PATCH (RFC 7396) and DELETE, each with
//! `dryRun=All`; `ETag`, `If-Match`, `If-None-Match`. `POST /api/v1/transactions` with
//! `{"operations":[{"op":"create|update|apply|delete","object":{…}}]}`: all of them or none.
//! `GET /api/v1/graph?format=text|json|dot`, `GET /api/v1/graph/explanation?thing=service/NAME`. `POST /api/v1/backups` and
//! `/api/v1/backups/verify` with `{"path":"/…"}`. `POST /api/v1/nodes/NAME/join-token`. `/healthz`, `/readyz`, `/version`, `/metrics`. Errors are problems (RFC 9457).
//!
//! A watch's lines are `{"type":"ADDED|MODIFIED|DELETED|BOOKMARK|ERROR","object":{…}}`. To a watch with selectors there
//! is only what they pick: an object that they begin to pick is `ADDED`, and one that they no longer pick is `DELETED`
//! (with the object as it now is), whether or not it has gone. There may be 256 watches; one more gets 429.
//! With `Accept: text/event-stream` the same comes as server-sent events: the type is the event's, the revision its `id`,
//! the object its data; `Last-Event-ID` resumes. The objects that there are at first have no id: a client that breaks
//! off among them begins again. What is too old is 410, or an event `error` if it becomes so later.
//!
//! A POST of an object or of a transaction with an `Idempotency-Key` is done once: for 24 hours the same request with that
//! key gets the first answer again, after a restart too, and another request with it is 422. What was refused did
//! nothing and is not kept. The last 10,000 answers are, within 32 MiB.
//!
//! A Secret is sent as `{"data":{KEY:VALUE}}`, which is then all of it, and served as `{"keys":[KEY]}`, never with values.
//! `keys` that are sent stand for the values that are stored: what was served can be put back and changes nothing, a key
//! left out goes, and `data` beside `keys` adds or replaces. So does PATCH with `data`, in which null takes a key away.
//! The store, and thereby a backup, has secrets sealed only; `DATA/keys/office` opens them. It is in no backup.
//!
//! Every principal but root has a share of requests; beyond it there is 429 with `Retry-After`.
//!
//! Who can open the socket may do everything: it is root's.

mod http;
mod office;

pub use http::{Http, RateLimit, TokenText, serve};
pub use office::{
    JoinError, NodeReport, Office, Rejection, RejectionKind, RotationError, SecretError, SessionOutcome,
    object_key, read_object,
};
