//! The office's objects over HTTP.
//!
//! ```text
//! request ─► http: who asks, limits, JSON, one error mapping ─► Office: admission in one transaction ─► intent-store
//!                                                       rights, references, claims, allocation, chains, audit
//! synchronizer ◄─ Intent: change feed · what became of it ─► status (Ready)       watch, pages ◄── change log, history
//! ```
//!
//! `/api/v1/PLURAL[/NAME]` of each kind with GET (`limit`, `continue`, `labelSelector`,
//! `fieldSelector`; `watch=1&resourceVersion=N`), POST, PUT (creates what is not there), PATCH (RFC 7396) and DELETE, each with
//! `dryRun=All` (nothing is done, and the answer is the plan: each object that would change, with a JSON Patch and the old
//! values, those that follow included); `ETag`, `If-Match`, `If-None-Match`. `POST /api/v1/transactions` with
//! `{"operations":[{"op":"create|update|apply|delete","object":{…}}]}`: all of them or none, 20,000 in 32 MiB. All bodies
//! together have 64 MiB; who finds no room among them for 5 s gets 503 with `Retry-After`.
//! `GET /api/v1/graph?format=text|json|dot`, `…/graph/connectivity` (what follows from it) and `/api/v1/explain/PLURAL/NAME`,
//! `/api/v1/explain/private|shared|gateway|public/NAME`, `/api/v1/explain/attachment/INSTANCE/network|private|shared/NAME`. `POST /api/v1/backups` and
//! `/api/v1/backups/verify` with `{"path":"/…"}`. `POST /api/v1/nodes/NAME/join-token`. `/healthz`, `/readyz`, `/version`, `/metrics`, `/openapi.json` (the API in `OpenAPI` 3.1, made from the list of kinds and the types). Errors are problems (RFC 9457).
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
//! nothing and is not kept. The last 10,000 answers are, within 32 MiB. A backup, and whatever has a Secret in it, refuses such a key:
//! nothing is kept by which a secret could be guessed.
//!
//! A Secret is sent as `{"data":{KEY:VALUE}}`, which is then all of it, and served as `{"keys":[KEY]}`, never with values.
//! `keys` that are sent stand for the values that are stored: what was served can be put back and changes nothing, a key
//! left out goes, and `data` beside `keys` adds or replaces. So does PATCH with `data`, in which null takes a key away.
//! The store has secrets sealed only; `DATA/keys/office` opens them. A backup has the store, that file and the office's
//! authority (`DATA/ca`), for without them no secret opens and no node is known: whoever has a backup has the office. To
//! verify one is to look that its authority is whole and its keys open its secrets.
//!
//! # Tenancies of subscribers
//!
//! They are Tenants like others to whoever reads, and stored nowhere: named `SUBSCRIBER-SERVICE`, with the subscriber's
//! revision, labels and times, owned by the Subscriber and by the Tenants between services that lead to them. Whoever writes one is
//! told (409) what to change instead. A list has the stored Tenants first and then these, each by name. A change of a
//! subscriber gives several events of one revision, of which server-sent events give the id with the last; whoever reads lines
//! and breaks off between them resumes at the revision before. A change of the graph that leads chains another way ends all
//! watches of tenants with 410 (`chains-changed`). `GET /api/v1/subscribers/NAME/chain` lists one subscriber's, each after its tenant.
//!
//! # Who asks
//!
//! Root on the local socket may do everything, for recovery at three in the morning: it is `uid:0` in the audit log.
//! Everyone else, there or over TLS, sends `Authorization: Bearer wct_…`, or gets 401; so can root, to ask as somebody else.
//! `/healthz`, `/readyz`, `/version`, `/openapi.json` (it says nothing of data) and the login are for anybody. Every user, and every origin without one, has a
//! share of requests; beyond it there is 429 with `Retry-After`. Each answer has an `x-request-id`.
//!
//! `POST`, `GET /api/v1/users/NAME/tokens` (`{"name","expiresAt"}`: 90 days if nothing is said, a year at most; shown
//! once), `DELETE …/tokens/ID`; `PUT /api/v1/users/NAME/password`; `POST /api/v1/login` with `{"user","password"}` gives a
//! token for 12 hours. Only hashes are stored, beside the objects, and so in every backup. A user who is disabled or gone
//! is refused from the next request on. At an office's first start there is a user `admin`, whose token is shown
//! once; no later start shows another.
//!
//! # What one may do
//!
//! Every request is judged by roles that are bound to the user over scopes (`access_policy`); in which scopes an object
//! lies, `office::access::scopes` says. The built-in roles are known by their names and are not objects: bindings name
//! them, no Role can have such a name, `GET /api/v1/built-in-roles` lists them. Lists and watches show what may be seen;
//! a watch ends with 403 or 401 when its right or token does, and with 410 (`rights-changed`) when what may be seen has
//! changed otherwise. What may not be seen is refused with 403, in the same words, whether or not it is there; names
//! are one space for the whole office, so that making what exists elsewhere is a conflict. An object that moves is judged
//! where it was and where it will be (not by the scope that it is itself), and what an object brings into its scope by naming
//! it (a service its controller, say) needs the right to update that. A change of nothing but a subscriber's
//! `bundle.dns` is one of `subscribers/features`. In which order one sees one's own views is nobody else's to allow. Of
//! several operations together, one that may not be done is told of before one that cannot be. What is no object is judged in the whole office: `get metrics`,
//! `create backups` (to verify one, too), `list audit`; the graph by `list` of all kinds that it shows; a join token by
//! `update` of `nodes/join-token`. `GET /api/v1/whoami`, `POST /api/v1/access-reviews` with `{"verb","kind","name"}`.
//!
//! # What is told
//!
//! `GET /api/v1/events` (`kind`, `name`, `severity`, `limit`, `continue`; `watch=1&resourceVersion=SEQUENCE`): what has happened
//! that nobody asked for, the last 10,000: what a back end refused, and took after all; nodes that come and go. Who may get
//! an object hears of it.
//!
//! `GET /api/v1/audit` (`since`, `until`, `user`, `kind`, `name`, `limit`, `continue`), the newest first: every change that
//! came by a request, with what it was before, in the transaction that made it; every 401 and 403, and what was refused of
//! changes, written beside the requests: 50 at once and one a second of each origin and user, 500 and five of all. How many
//! were left out, the next one says. Nothing secret is in it.

mod http;
mod office;
mod vault;

pub use http::{Counted, Http, Listeners, NodeCounters, RateLimit, TokenText, serve};
pub use office::{
    CHAIN, CHAINS, FirstError, Intent, IntentFeed, JoinError, NodeReport, Office, POOL, Rejection,
    RejectionKind, RotationError, SecretError, object_key, read_object,
};
pub use vault::Vault;
