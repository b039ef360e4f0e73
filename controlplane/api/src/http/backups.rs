//! Backups, taken while the controller goes on. To restore one, a controller is started with it.

use std::path::PathBuf;

use access_policy::Verb;
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use intent_store::{BackupError, Manifest};
use serde::{Deserialize, Serialize};
use xos_model::{Fault, KindName};

use super::{
    Http,
    access::Access,
    graph::blocking,
    idempotency::refuse_key,
    limits::OBJECT_BYTES_MAX,
    objects::read_body,
    problem::Problem,
    query::{NoQuery, Parameters},
};
use crate::{Rejection, office::check_secret};

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

fn unfit(error: impl std::fmt::Display) -> Rejection {
    Rejection::fault("/path", error)
}

pub(super) async fn create(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Parameters(_): Parameters<NoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Backup>), Problem> {
    access.check(Verb::Create, BACKUPS)?;
    refuse_key(&headers, "a backup is of the moment at which it is made: repeating it makes another")?;
    let path = place(body).await?;
    access.office().tell("create", BACKUPS, &path.to_string_lossy()).await??;
    let (store, vault) = (access.office().store().clone(), http.0.vault.clone());
    let backup = blocking(move || {
        let files = vault.read().map_err(unfit)?;
        match store.backup(&path, &files) {
            Ok(manifest) => Ok(Backup { path, manifest }),
            Err(error @ (BackupError::Busy | BackupError::Exists(_))) => {
                Err(Rejection::conflict("/path", error))
            }
            Err(error) => Err(unfit(error)),
        }
    });
    Ok((StatusCode::CREATED, Json(backup.await?)))
}

pub(super) async fn verify(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Parameters(_): Parameters<NoQuery>,
    body: Body,
) -> Result<Json<Backup>, Problem> {
    // Whatever file is named is read: that is for who may write one.
    access.check(Verb::Create, BACKUPS)?;
    let path = place(body).await?;
    let vault = http.0.vault.clone();
    let backup = blocking(move || {
        let secrets_begin = format!("{}/", KindName::Secret.plural());
        let mut secrets = Vec::new();
        let mut keep = |key: &str, value: &[u8]| {
            if key.starts_with(&secrets_begin) {
                secrets.push((key.to_owned(), value.to_owned()));
            }
        };
        let (manifest, files) = intent_store::inspect(&path, &mut keep).map_err(unfit)?;
        let keyring = vault.open(&files).map_err(unfit)?;
        for (key, value) in &secrets {
            check_secret(&keyring, key, value).map_err(unfit)?;
        }
        Ok(Backup { path, manifest })
    });
    Ok(Json(backup.await?))
}
