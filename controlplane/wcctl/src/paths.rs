//! What is asked of the controller beside its objects, with the shapes of requests and answers. Errors are problems
//! (RFC 9457) as everywhere.

use crate::{
    client::escape,
    kinds::{Kind, Reference},
};

/// `GET`, a list (or with `watch=1&resourceVersion=N` a stream) as of objects, oldest first, of
/// `{"kind":"Event","metadata":{"name","resourceVersion","createdAt"},"object":{"kind","name"},
/// "severity":"normal|warning","reason","message","count","lastAt","source"}`. One that happens again is `MODIFIED`,
/// with a greater `count` and a new `lastAt`. `&kind=Subscriber` and `&name=alice` pick those about an object.
pub(crate) const EVENTS: &str = "/api/v1/events";

/// `POST {"verb":"get|list|watch|create|update|patch|delete|bind","kind":"Subscriber","name":"alice"}`, where without a name the
/// whole kind is meant; the answer is `{"allowed":true,"why":"…"}`, about who asks.
pub(crate) const ACCESS_REVIEWS: &str = "/api/v1/access-reviews";

/// `GET`: `{"user":"ann","via":"socket|token","bindings":[{"role","scope":{"kind","name"},"grantOption","expiresAt"}]}`;
/// the scope `{"kind":"Office"}` has no name.
pub(crate) const WHOAMI: &str = "/api/v1/whoami";

/// `POST {"path":"/…"}`, a new file on the controller's machine; the answer is 201 with
/// `{"path","revision","objects","bytes","createdAt"}`.
pub(crate) const BACKUPS: &str = "/api/v1/backups";

/// `POST {"path":"/…"}`; the answer is as of [`BACKUPS`], or 422 with what is wrong with the file.
pub(crate) const BACKUP_VERIFY: &str = "/api/v1/backups/verify";

/// `POST {"path":"/…"}`; the answer is as of [`BACKUPS`], when the office's intent is what the backup holds.
pub(crate) const BACKUP_RESTORE: &str = "/api/v1/backups/restore";

/// `GET` with `format=text|json|dot`: text, data or Graphviz, as the body. With a kind and a name, only what leads to
/// or from that object.
pub(crate) fn graph(format: &str, about: Option<&Reference>) -> String {
    format!("/api/v1/graph?format={format}{}", about.map(picks).unwrap_or_default())
}

/// `GET`: `{"sentences":["…"]}`, which say why an object is there and as it is; members beside are shown as data only.
pub(crate) fn explanation(object: &Reference) -> String {
    format!("{}/explanation", object.path())
}

/// The same about what is no object, but follows from the tenancy graph: `private/SLICE`, `attachment/INSTANCE/…`.
pub(crate) fn graph_explanation(thing: &str) -> String {
    format!("/api/v1/graph/explanation?thing={}", escape(thing))
}

/// What picks an object in a query.
pub(crate) fn picks(object: &Reference) -> String {
    format!("{}&name={}", picks_kind(object.kind), object.name)
}

pub(crate) fn picks_kind(kind: Kind) -> String {
    format!("&kind={}", kind.0)
}
