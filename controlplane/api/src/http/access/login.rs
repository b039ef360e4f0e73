//! A password for a token that is good for a while.

use std::{num::NonZeroU32, time::Instant};

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use credentials::{Cost, Password, verify};
use jiff::Timestamp;
use net_types::Name;
use serde::Deserialize;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::{
    super::{
        Http,
        limits::{HASHING_MAX, HASHING_TIMEOUT, OBJECT_BYTES_MAX},
        objects::read_body,
        problem::Problem,
        query::{NoQuery, Parameters, check_media_type},
        rate::{Buckets, RateLimit},
    },
    Access,
    tokens::Shown,
};
use crate::office::{Caller, LOGIN_LIFETIME, Origin};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    user: String,
    password: Zeroizing<String>,
}

/// Passwords' hashes are computed beside the server's threads, and few at a time: each takes a core and 19 MiB.
pub(in crate::http) struct Hashing(Semaphore);

impl Default for Hashing {
    fn default() -> Self {
        Self(Semaphore::new(HASHING_MAX))
    }
}

impl Hashing {
    pub(in crate::http) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let busy = || Problem::too_many_requests(HASHING_TIMEOUT);
        let permit = tokio::time::timeout(HASHING_TIMEOUT, self.0.acquire()).await.map_err(|_| busy())?;
        let _permit = permit.map_err(Problem::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
    }
}

/// Tries to log in that failed, by where they came from: for one user, and for all together. Each user has a bucket for
/// each origin, so that nobody locks out another.
pub(in crate::http) struct Failures {
    of_user: Buckets<(Origin, String)>,
    of_origin: Buckets<Origin>,
}

impl Default for Failures {
    fn default() -> Self {
        let limit = |per_second: u32, burst: u32| RateLimit {
            per_second: NonZeroU32::new(per_second).expect("not zero"),
            burst: NonZeroU32::new(burst).expect("not zero"),
        };
        // A minute for each: a rate below one a second is a deep bucket that is drawn on by as much.
        Self { of_user: Buckets::new(limit(1, 5 * WEIGHT)), of_origin: Buckets::new(limit(1, 20 * WEIGHT)) }
    }
}

/// Seconds after which one more try is free.
const WEIGHT: u32 = 30;

impl Failures {
    /// Takes a try, which is given back if it succeeds.
    fn take(&self, origin: Origin, user: &str, now: Instant) -> Result<(), Problem> {
        let (origin, user) = key(origin, user);
        // Of the origin first: nobody fills the other table with names.
        self.of_origin.take_many(origin, WEIGHT, now).map_err(Problem::too_many_requests)?;
        self.of_user.take_many((origin, user), WEIGHT, now).map_err(Problem::too_many_requests)
    }

    fn give_back(&self, origin: Origin, user: &str) {
        let (origin, user) = key(origin, user);
        self.of_origin.give_back(&origin, WEIGHT);
        self.of_user.give_back(&(origin, user), WEIGHT);
    }
}

fn key(origin: Origin, user: &str) -> (Origin, String) {
    (origin.neighbourhood(), user.chars().take(Name::LEN_MAX).collect())
}

pub(in crate::http) async fn post(
    State(http): State<Http>,
    Extension(origin): Extension<Origin>,
    Parameters(_): Parameters<NoQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    check_media_type(&headers, &["application/json"])?;
    let body = Zeroizing::new(read_body(body, OBJECT_BYTES_MAX).await?);
    let Login { user, password } = xos_model::parse(&body)?;
    let wrong = || Problem::unauthorized(format_args!("there is no user {user:.64} with this password"));
    http.0.failures.take(origin, &user, Instant::now())?;
    // What nobody can have chosen is compared all the same: that takes as long.
    let password = Password::given(password).map_err(|_| wrong())?;
    let name: Option<Name> = user.parse().ok();
    let stored = name.as_ref().and_then(|name| http.office().password(name));
    let matches = http.0.hashing.run(move || verify(stored.as_ref(), &password, Cost::OWASP)).await?;
    let Some(name) = name.filter(|_| matches) else { return Err(wrong()) };
    http.0.failures.give_back(origin, &user);
    let caller = Caller {
        principal: access_policy::Principal::User(name.clone()),
        origin,
        request: uuid::Uuid::new_v4().to_string(),
        until: None,
        token: None,
    };
    let access = Access::new(http.office(), caller.into());
    let until = Timestamp::now() + LOGIN_LIFETIME;
    let label = "login".parse().map_err(Problem::internal)?;
    let issued = access.office().issue_token(name, label, Some(until), true).await??;
    Ok((StatusCode::CREATED, Json(Shown::from(issued))).into_response())
}
