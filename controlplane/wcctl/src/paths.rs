//! What is asked of the controller beside its objects, with the shapes of requests and answers. Errors are problems
//! (RFC 9457) as everywhere.

use crate::client::escape;

/// `POST {"verb":"get|list|watch|create|update|patch|delete|bind","kind":"Subscriber","name":"alice"}`, where without a name the
/// whole kind is meant; the answer is `{"allowed":true,"why":"…"}`, about who asks.
pub(crate) const ACCESS_REVIEWS: &str = "/api/v1/access-reviews";

/// `GET`: `{"user":"ann","via":"socket|token","bindings":[{"name","role","scope":{"kind","name"},"grantOption","expiresAt"}]}`;
/// the scope `{"kind":"Office"}` has no name.
pub(crate) const WHOAMI: &str = "/api/v1/whoami";

/// `GET`: `{"items":[{"name","description","rules":[{"verbs","kinds"}]}]}`.
pub(crate) const BUILT_IN_ROLES: &str = "/api/v1/built-in-roles";

/// `POST {"user","password"}`; the answer is as of a token that is made.
pub(crate) const LOGIN: &str = "/api/v1/login";

/// `GET`, the newest first, with `since`, `until`, `user`, `kind`, `name`, `limit` and `continue`:
/// `{"metadata":{"continue"},"items":[{"time","request","user","from","outcome":"done|refused","verb","kind","name",
/// "before","after","patch"|"object","status","detail","leftOut"}]}`.
pub(crate) const AUDIT: &str = "/api/v1/audit";

/// `GET`, the newest first, with `kind`, `name`, `severity`, `limit` and `continue`:
/// `{"metadata":{"resourceVersion","continue"},"items":[{"sequence","time","severity":"normal|warning","kind","name","reason",
/// "message","backEnd","attempt"}]}`; with `watch=1&resourceVersion=SEQUENCE` what follows, as of objects.
pub(crate) const EVENTS: &str = "/api/v1/events";

/// `POST {"name","expiresAt"}`, `GET` a list, `DELETE` with an id after it:
/// `{"id","user","name","createdAt","expiresAt","login","lastUsedAt"}`, and `token` in the answer to the first.
pub(crate) fn tokens(user: &str) -> String {
    format!("/api/v1/users/{}/tokens", escape(user))
}

/// `PUT {"password"}`.
pub(crate) fn password(user: &str) -> String {
    format!("/api/v1/users/{}/password", escape(user))
}

/// `POST {"path":"/…"}`, a new file on the controller's machine; the answer is 201 with
/// `{"path","revision","objects","bytes",…}`.
pub(crate) const BACKUPS: &str = "/api/v1/backups";

/// `POST {"path":"/…"}`; the answer is as of [`BACKUPS`], or 422 with what is wrong with the file.
pub(crate) const BACKUP_VERIFY: &str = "/api/v1/backups/verify";

/// `GET` with `format=text|json|dot`: text, data or Graphviz, as the body.
pub(crate) fn graph(format: &str) -> String {
    format!("/api/v1/graph?format={format}")
}

/// The same of what follows from the graph.
pub(crate) fn connectivity(format: &str) -> String {
    format!("/api/v1/graph/connectivity?format={format}")
}

/// `GET`: `{"sentences":["…"],"owners":[…],"references":[…],"referrers":[…]}`, which say why something is there: an object,
/// as `PLURAL/NAME`, or `private/SLICE`, `attachment/INSTANCE/…`.
pub(crate) fn explanation(thing: &str) -> String {
    let parts: Vec<_> = thing.split('/').map(escape).collect();
    format!("/api/v1/explain/{}", parts.join("/"))
}
