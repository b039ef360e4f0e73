//! One-time secrets by which nodes join.

use intent_store::{Stopped, Table};
use jiff::{SignedDuration, Timestamp};
use net_types::Name;
use ring::{digest, rand::SecureRandom};
use serde::{Deserialize, Serialize};
use xos_model::KindName;

use super::{Office, Rejection, object_key};

/// How long a token can be used.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
const SECRET_BYTES: usize = 32;

/// A node's pending token. The secret itself is nowhere: whoever reads the disk cannot join.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Pending {
    sha256: String,
    expires_at: Timestamp,
}

/// Why a secret does not let a node join.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    #[error("the token is wrong, or has been used")]
    Refused,
    /// Only whoever has the secret is told so.
    #[error("the token has expired")]
    Expired,
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

pub(super) fn key(node: &Name) -> String {
    format!("join/{node}")
}

impl Office {
    /// Makes a secret with which `node` can join once, in place of an earlier one.
    pub(crate) async fn issue_join_secret(
        &self,
        node: Name,
    ) -> Result<Result<(String, Timestamp), Rejection>, Stopped> {
        let mut secret = [0; SECRET_BYTES];
        if ring::rand::SystemRandom::new().fill(&mut secret).is_err() {
            tracing::error!("the system gives no random numbers");
            return Err(Stopped);
        }
        let secret = hex(&secret);
        let pending = Pending { sha256: sha256(&secret), expires_at: super::now() + LIFETIME };
        let expires_at = pending.expires_at;
        let outcome = self.admit(false, move |admission| {
            if !admission.txn.contains(Table::Objects, &object_key(KindName::Node, &node)) {
                return Err(Rejection::not_found(KindName::Node, node.as_str()));
            }
            let value = serde_json::to_vec(&pending).expect("two plain fields");
            admission.txn.put(Table::Claims, key(&node), value);
            admission.act("create", "nodes/join-token", node.as_str());
            Ok(())
        });
        Ok(outcome.await?.map(|()| (secret, expires_at)))
    }

    /// Uses a secret up; when this returns, it is durable that it cannot be used again.
    pub async fn redeem_join_secret(&self, node: &Name, secret: &str) -> Result<(), JoinError> {
        let (key, given) = (key(node), sha256(secret));
        let outcome = self.admit(false, move |admission| {
            let Some(record) = admission.txn.get(Table::Claims, &key) else {
                return Ok(Err(JoinError::Refused));
            };
            let pending: Pending =
                serde_json::from_slice(&record.value).map_err(|error| Rejection::damaged(&key, &error))?;
            // Hashes are compared, so that the time this takes tells nothing about the secret.
            if pending.sha256 != given {
                return Ok(Err(JoinError::Refused));
            }
            if pending.expires_at <= admission.now {
                return Ok(Err(JoinError::Expired));
            }
            admission.txn.delete(Table::Claims, &key);
            Ok(Ok(()))
        });
        outcome.await?.unwrap_or(Err(JoinError::Refused))
    }
}

fn sha256(text: &str) -> String {
    hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).expect("four bits"));
        }
    }
    text
}

#[cfg(test)]
mod tests;
