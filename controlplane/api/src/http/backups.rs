//! Backups, taken while the controller goes on. To restore one, a controller is started with it.

use std::path::PathBuf;

use access_policy::Verb;
use axum::{
    Extension, Json,
    body::Body,
    http::{HeaderMap, StatusCode},
};
use intent_store::{BackupError, Manifest};
use serde::{Deserialize, Serialize};
use xos_model::Fault;

use super::{
    access::Access,
    graph::blocking,
    idempotency::refuse_key,
    limits::OBJECT_BYTES_MAX,
    objects::read_body,
    problem::Problem,
    query::{NoQuery, Parameters},
};
use crate::Rejection;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    path: PathBuf,
}

#[derive(Serialize)]
pub(super) struct Backup {
    path: PathBuf,
    #[serde(flatten)]
    manifest: Manifest,
}

/// What stands in a right to make them.
const BACKUPS: &str = "backups";

/// A file on the controller's machine.
async fn place(body: Body) -> Result<PathBuf, Problem> {
    let Place { path } = xos_model::parse(&read_body(body, OBJECT_BYTES_MAX).await?)?;
    if path.is_absolute() {
        return Ok(path);
    }
    let detail = "an absolute path, on the controller's machine";
    Err(Problem::invalid(vec![Fault::new("/path", detail)]))
}

pub(super) async fn create(
    Extension(access): Extension<Access>,
    Parameters(_): Parameters<NoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Backup>), Problem> {
    access.check(Verb::Create, BACKUPS)?;
    refuse_key(&headers, "a backup is of the moment at which it is made: repeating it makes another")?;
    let path = place(body).await?;
    access.office().tell("create", BACKUPS, &path.to_string_lossy()).await??;
    let store = access.office().store().clone();
    let backup = blocking(move || match store.backup(&path) {
        Ok(manifest) => Ok(Backup { path, manifest }),
        Err(error @ (BackupError::Busy | BackupError::Exists(_))) => Err(Rejection::conflict("/path", error)),
        Err(error) => Err(Rejection::invalid(vec![Fault::new("/path", error)])),
    });
    Ok((StatusCode::CREATED, Json(backup.await?)))
}

pub(super) async fn verify(
    Extension(access): Extension<Access>,
    Parameters(_): Parameters<NoQuery>,
    body: Body,
) -> Result<Json<Backup>, Problem> {
    // Whatever file is named is read: that is for who may write one.
    access.check(Verb::Create, BACKUPS)?;
    let path = place(body).await?;
    let backup = blocking(move || match intent_store::verify(&path) {
        Ok(manifest) => Ok(Backup { path, manifest }),
        Err(error) => Err(Rejection::invalid(vec![Fault::new("/path", error)])),
    });
    Ok(Json(backup.await?))
}
