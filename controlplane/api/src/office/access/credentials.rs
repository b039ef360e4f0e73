//! What proves who somebody is: tokens and passwords of users, of which only hashes are kept.
//!
//! They lie among the store's claims, where no request for objects sees them and every backup has them:
//! `credential/token/HASH`, `credential/of/USER/ID` (which token that is) and `credential/password/USER`.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use credentials::{NoRandom, PasswordHash, Token, TokenError, TokenHash};
use intent_store::{Stopped, Table};
use jiff::{SignedDuration, Timestamp};
use net_types::Name;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use xos_model::{Fault, KindName, Text};

use crate::{
    Rejection,
    office::{Office, admission::new_uid},
};

mod claims;

/// How long what a login gives can be used.
pub(crate) const LOGIN_LIFETIME: SignedDuration = SignedDuration::from_hours(12);
/// How long a token can be used if nothing is said, and at most.
pub(crate) const LIFETIME: SignedDuration = SignedDuration::from_hours(24 * 90);
const LIFETIME_MAX: SignedDuration = SignedDuration::from_hours(24 * 366);
/// Of one user, those that have not expired.
const TOKENS_MAX: usize = 64;
/// Times of use that are remembered.
const USES_MAX: usize = 10_000;

/// What is stored of a token, and shown of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct KnownToken {
    pub(crate) id: String,
    pub(crate) user: Name,
    pub(crate) name: Text<255>,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Timestamp,
    /// It came of a login.
    pub(crate) login: bool,
}

pub(crate) struct IssuedToken {
    pub(crate) token: Token,
    pub(crate) known: KnownToken,
}

/// Why something proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Proof {
    #[error(transparent)]
    Form(#[from] TokenError),
    /// The same for one that never was, one that was revoked and one that has expired.
    #[error("the token is not valid: it may have been revoked, or have expired")]
    Unknown,
    #[error("the token's user is disabled or gone")]
    User,
}

/// What is remembered of tokens since the start: by their ids, when they were last used.
#[derive(Default)]
pub(crate) struct Uses {
    last: Mutex<HashMap<String, Timestamp>>,
    /// Turns when tokens are revoked, so that what goes on by them ends.
    revoked: watch::Sender<()>,
}

impl Uses {
    fn note(&self, id: &str) {
        let mut uses = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if uses.len() >= USES_MAX && !uses.contains_key(id) {
            uses.clear();
        }
        uses.insert(id.to_owned(), Timestamp::now());
    }

    pub(crate) fn of(&self, id: &str) -> Option<Timestamp> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).get(id).copied()
    }
}

fn token_key(hash: TokenHash) -> String {
    format!("credential/token/{hash}")
}

fn tokens_of(user: &Name) -> String {
    format!("credential/of/{user}/")
}

fn password_key(user: &Name) -> String {
    format!("credential/password/{user}")
}

impl Office {
    /// Whose token it is, and the claim by which it is known.
    pub(crate) fn prove(&self, text: &str) -> Result<(KnownToken, String), Proof> {
        let token: Token = text.parse()?;
        let key = token_key(token.hash());
        let known = self.known_token(&key).ok_or(Proof::Unknown)?;
        self.rights.now(&self.store).policy.check_user(&known.user).map_err(|_| Proof::User)?;
        self.uses.note(&known.id);
        Ok((known, key))
    }

    /// A token that is stored and has not expired.
    pub(crate) fn known_token(&self, key: &str) -> Option<KnownToken> {
        let record = self.store.get(Table::Claims, key)?;
        let known: KnownToken = serde_json::from_slice(&record.value).ok()?;
        (Timestamp::now() < known.expires_at).then_some(known)
    }

    pub(crate) fn revocations(&self) -> watch::Receiver<()> {
        self.uses.revoked.subscribe()
    }

    pub(crate) fn last_use(&self, id: &str) -> Option<Timestamp> {
        self.uses.of(id)
    }

    /// Makes a token for a user; with `login`, whatever the caller may.
    pub(crate) async fn issue_token(
        &self,
        user: Name,
        name: Text<255>,
        expires_at: Option<Timestamp>,
        login: bool,
    ) -> Result<Result<IssuedToken, Rejection>, Stopped> {
        let token = Token::generate().map_err(no_random)?;
        let hash = token.hash();
        let outcome = self.admit(false, move |admission| {
            let subject = admission.user_subject(&user)?;
            if !login {
                admission.judge_credentials(&subject)?;
            }
            let now = admission.now;
            let expires_at = lifetime(now, expires_at)?;
            let id = new_uid();
            let known = KnownToken { id, user, name, created_at: Timestamp::now(), expires_at, login };
            admission.put_token(hash, &known)?;
            let what = if login { "login" } else { "create" };
            admission.act(what, "users/tokens", &format!("{}/{}", known.user, known.id));
            Ok(known)
        });
        Ok(outcome.await?.map(|known| IssuedToken { token, known }))
    }

    /// A user's tokens that have not expired, the oldest first.
    pub(crate) async fn tokens(&self, user: Name) -> Result<Result<Vec<KnownToken>, Rejection>, Stopped> {
        let outcome = self.admit(true, move |admission| {
            admission.judge_own(&user)?;
            let mut tokens: Vec<_> = admission.tokens(&user).into_iter().map(|(_, known)| known).collect();
            tokens.retain(|known| admission.now < known.expires_at);
            tokens.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
            Ok(tokens)
        });
        outcome.await
    }

    pub(crate) async fn revoke_token(
        &self,
        user: Name,
        id: String,
    ) -> Result<Result<(), Rejection>, Stopped> {
        let outcome = self.admit(false, move |admission| {
            admission.judge_own(&user)?;
            let found = admission.tokens(&user).into_iter().find(|(_, known)| known.id == id);
            let Some((hash, known)) = found else {
                let mut rejection = Rejection::not_found(KindName::User, user.as_str());
                rejection.detail = format!("user {user} has no such token");
                rejection.faults.clear();
                return Err(rejection);
            };
            admission.remove_token(&user, &hash, &known.id);
            admission.act("delete", "users/tokens", &format!("{user}/{}", known.id));
            Ok(())
        });
        let outcome = outcome.await;
        self.uses.revoked.send_replace(());
        outcome
    }

    /// Stores a password's hash; sessions that began with the one before end.
    pub(crate) async fn set_password(
        &self,
        user: Name,
        hash: PasswordHash,
    ) -> Result<Result<(), Rejection>, Stopped> {
        let outcome = self.admit(false, move |admission| {
            let subject = admission.user_subject(&user)?;
            admission.judge_credentials(&subject)?;
            for (hash, known) in admission.tokens(&user).into_iter().filter(|(_, known)| known.login) {
                admission.remove_token(&user, &hash, &known.id);
            }
            let value = serde_json::to_vec(&hash).expect("a text");
            admission.txn.put(Table::Claims, password_key(&user), value);
            admission.act("update", "users/password", user.as_str());
            Ok(())
        });
        let outcome = outcome.await;
        self.uses.revoked.send_replace(());
        outcome
    }

    /// Whether the caller could make credentials for the user: before anything costly is done.
    pub(crate) async fn may_set_password(&self, user: Name) -> Result<Result<(), Rejection>, Stopped> {
        let outcome = self.admit(true, move |admission| {
            let subject = admission.user_subject(&user)?;
            admission.judge_credentials(&subject)
        });
        outcome.await
    }

    /// The password of a user who may log in.
    pub(crate) fn password(&self, user: &Name) -> Option<PasswordHash> {
        self.rights.now(&self.store).policy.check_user(user).ok()?;
        let record = self.store.get(Table::Claims, &password_key(user))?;
        serde_json::from_slice(&record.value).ok()
    }
}

fn lifetime(now: Timestamp, expires_at: Option<Timestamp>) -> Result<Timestamp, Rejection> {
    let Some(expires_at) = expires_at else { return Ok(now + LIFETIME) };
    if expires_at > now && expires_at <= now + LIFETIME_MAX {
        return Ok(expires_at);
    }
    let detail = format!("in the future, and no more than {} days ahead", LIFETIME_MAX.as_hours() / 24);
    Err(Rejection::invalid(vec![Fault::new("/expiresAt", detail)]))
}

fn no_random(error: NoRandom) -> Stopped {
    tracing::error!(%error, "no token can be made");
    Stopped
}
