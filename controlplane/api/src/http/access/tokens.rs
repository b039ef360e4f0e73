//! A user's tokens and password.

use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use credentials::{Cost, Password};
use jiff::Timestamp;
use net_types::Name;
use serde::{Deserialize, Serialize};
use xos_model::{Fault, KindName, Text};
use zeroize::Zeroizing;

use super::{
    super::{
        Http,
        idempotency::refuse_key,
        limits::OBJECT_BYTES_MAX,
        objects::read_body,
        problem::Problem,
        query::{NoQuery, Parameters, check_media_type},
    },
    Access,
};
use crate::{
    Rejection,
    office::{IssuedToken, KnownToken},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Wish {
    name: Text<255>,
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    password: Zeroizing<String>,
}

/// What is shown of a token; the token itself once, when it is made.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    #[serde(flatten)]
    known: KnownToken,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Zeroizing<String>>,
}

#[derive(Serialize)]
struct List {
    items: Vec<Shown>,
}

impl From<IssuedToken> for Shown {
    fn from(IssuedToken { token, known }: IssuedToken) -> Self {
        Self { known, last_used_at: None, token: Some(Zeroizing::new(token.expose().to_owned())) }
    }
}

fn user(name: &str) -> Result<Name, Problem> {
    name.parse().map_err(|_| Rejection::not_found(KindName::User, name).into())
}

pub(in crate::http) async fn create(
    Extension(access): Extension<Access>,
    Path(name): Path<String>,
    Parameters(_): Parameters<NoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    check_media_type(&headers, &["application/json"])?;
    refuse_key(&headers, "a token is a secret, and not kept: make another")?;
    let user = user(&name)?;
    let Wish { name, expires_at } = xos_model::parse(&read_body(body, OBJECT_BYTES_MAX).await?)?;
    let issued = access.office().issue_token(user, name, expires_at, false).await??;
    Ok((StatusCode::CREATED, Json(Shown::from(issued))).into_response())
}

pub(in crate::http) async fn list(
    Extension(access): Extension<Access>,
    Path(name): Path<String>,
    Parameters(_): Parameters<NoQuery>,
) -> Result<Response, Problem> {
    let known = access.office().tokens(user(&name)?).await??;
    let shown =
        |known: KnownToken| Shown { last_used_at: access.office().last_use(&known.id), known, token: None };
    Ok(Json(List { items: known.into_iter().map(shown).collect() }).into_response())
}

pub(in crate::http) async fn revoke(
    Extension(access): Extension<Access>,
    Path((name, id)): Path<(String, String)>,
    Parameters(_): Parameters<NoQuery>,
) -> Result<StatusCode, Problem> {
    access.office().revoke_token(user(&name)?, id).await??;
    Ok(StatusCode::NO_CONTENT)
}

pub(in crate::http) async fn password(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Path(name): Path<String>,
    Parameters(_): Parameters<NoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    check_media_type(&headers, &["application/json"])?;
    let user = user(&name)?;
    let body = Zeroizing::new(read_body(body, OBJECT_BYTES_MAX).await?);
    let NewPassword { password } = xos_model::parse(&body)?;
    let password =
        Password::choose(password).map_err(|error| Problem::invalid(vec![Fault::new("/password", error)]))?;
    // Who may not has no hash computed.
    access.office().may_set_password(user.clone()).await??;
    let hash = http.0.hashing.run(move || password.hash(Cost::OWASP)).await?.map_err(Problem::internal)?;
    access.office().set_password(user, hash).await??;
    Ok(StatusCode::NO_CONTENT)
}
