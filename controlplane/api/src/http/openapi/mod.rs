//! The API, described by itself: `OpenAPI` 3.1, made from the list of kinds and from the types that are parsed.

#[expect(clippy::needless_pass_by_value, reason = "pieces of a document are written where they are used")]
mod about;
#[expect(clippy::needless_pass_by_value, reason = "pieces of a document are written where they are used")]
mod bodies;
mod events;
mod operations;
mod parameters;
mod responses;
mod schemas;

use std::sync::LazyLock;

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use serde_json::{Value, json};

static DOCUMENT: LazyLock<Bytes> =
    LazyLock::new(|| serde_json::to_vec(&document()).expect("a document of plain values").into());

pub(super) async fn get() -> Response {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], DOCUMENT.clone()).into_response()
}

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wirecenter",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "The objects of a central office. Root on the local socket may do everything; everyone \
                else sends a token, there or over TLS. What one may do follows from role bindings.",
        },
        "servers": [{"url": "/"}],
        // Root on the socket is known by what the kernel tells of the peer, which is no scheme of HTTP's.
        "security": [{"bearer": []}, {}],
        "paths": operations::paths(),
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "description": "A token: wct_…"}},
            "schemas": schemas::all(),
            "parameters": parameters::all(),
            "headers": responses::headers(),
            "responses": responses::problems(),
        },
    })
}

#[cfg(test)]
mod tests;
