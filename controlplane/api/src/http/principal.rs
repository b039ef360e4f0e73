//! Who asks, on each request: root by the local socket, everyone else by a token.

use std::sync::Arc;

use access_policy::Principal;
use axum::http::{HeaderMap, Method, header};

use super::{Http, problem::Problem};
use crate::office::{Caller, Origin};

const SCHEME: &str = "bearer";

/// Whose share of requests it is. Root's has no limit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Share {
    User(String),
    Stranger(Origin),
}

/// What anybody may ask without saying who it is.
pub(super) fn is_public(method: &Method, path: &str) -> bool {
    match path {
        "/healthz" | "/readyz" | "/version" | "/openapi.json" => true,
        "/api/v1/login" => method == Method::POST,
        _ => false,
    }
}

/// Who it is; a token goes before what the socket tells, so that root can look at things as somebody else.
pub(super) fn authenticate(http: &Http, origin: Origin, headers: &HeaderMap) -> Result<Caller, Problem> {
    let request = uuid::Uuid::new_v4().to_string();
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        if headers.contains_key(header::AUTHORIZATION) {
            return Err(Problem::unauthorized("there is more than one Authorization header"));
        }
        if origin == Origin::Local(0) {
            return Ok(Caller {
                principal: Principal::RootSocket,
                origin,
                request,
                until: None,
                token: None,
            });
        }
        return Err(Problem::unauthorized("say who you are: Authorization: Bearer wct_…"));
    };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case(SCHEME) {
        return Err(Problem::unauthorized("the Authorization header must be of the form: Bearer wct_…"));
    }
    let (known, key) = http.office().prove(token.trim()).map_err(Problem::unauthorized)?;
    let until = Some(known.expires_at);
    Ok(Caller { principal: Principal::User(known.user), origin, request, until, token: Some(key) })
}

pub(super) fn share(caller: Option<&Arc<Caller>>, origin: Origin) -> Option<Share> {
    match caller {
        Some(caller) if caller.is_root() => None,
        Some(caller) => Some(Share::User(caller.to_string())),
        None if origin == Origin::Local(0) => None,
        None => Some(Share::Stranger(origin.neighbourhood())),
    }
}
