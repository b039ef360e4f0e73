//! What is asked of the controller beside its objects, with the shapes of requests and answers. Errors are problems
//! (RFC 9457) as everywhere.

use crate::client::escape;

/// `POST {"path":"/…"}`, a new file on the controller's machine; the answer is 201 with
/// `{"path","revision","objects","bytes",…}`.
pub(crate) const BACKUPS: &str = "/api/v1/backups";

/// `POST {"path":"/…"}`; the answer is as of [`BACKUPS`], or 422 with what is wrong with the file.
pub(crate) const BACKUP_VERIFY: &str = "/api/v1/backups/verify";

/// `GET` with `format=text|json|dot`: text, data or Graphviz, as the body.
pub(crate) fn graph(format: &str) -> String {
    format!("/api/v1/graph?format={format}")
}

/// `GET`: `{"sentences":["…"]}`, which say why something of the tenancy graph is there and as it is: `service/NAME`,
/// `private/SLICE`, `attachment/INSTANCE/…`.
pub(crate) fn explanation(thing: &str) -> String {
    format!("/api/v1/graph/explanation?thing={}", escape(thing))
}
