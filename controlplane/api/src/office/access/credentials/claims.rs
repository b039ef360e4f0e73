//! How tokens and passwords lie among the store's claims.

use access_policy::Verb as Right;
use credentials::TokenHash;
use intent_store::Table;
use net_types::Name;
use xos_model::{KindName, UserSpec};

use super::{KnownToken, LIFETIME, TOKENS_MAX, password_key, token_key, tokens_of};
use crate::{
    Rejection,
    office::{Admission, Target, access::Subject, admission::new_uid},
};

impl Admission<'_, '_> {
    pub(crate) fn act(&mut self, verb: &str, kind: &str, name: &str) {
        if let Some(trail) = &mut self.trail {
            trail.act(verb, kind, name);
        }
    }

    /// A user; to who may not see it, there is none that could be told from one that is not there.
    pub(super) fn user_subject(&self, user: &Name) -> Result<Subject, Rejection> {
        if let Some(found) = self.load::<UserSpec>(user)? {
            return Ok(Subject::of(&found));
        }
        let target = Target { kind: KindName::User, name: user.clone() };
        self.judge_right(Right::Get, &Subject::named(target))?;
        Err(Rejection::not_found(KindName::User, user.as_str()))
    }

    /// A user may look after its own credentials, and who may change it may too.
    pub(super) fn judge_own(&self, user: &Name) -> Result<(), Rejection> {
        let subject = self.user_subject(user)?;
        let is_own = self.judge.as_ref().is_some_and(|judge| judge.caller.user() == Some(user));
        if is_own { Ok(()) } else { self.judge_right(Right::Update, &subject) }
    }

    pub(super) fn put_token(&mut self, hash: TokenHash, known: &KnownToken) -> Result<(), Rejection> {
        let tokens = self.tokens(&known.user);
        let (kept, expired): (Vec<_>, Vec<_>) =
            tokens.into_iter().partition(|(_, known)| self.now < known.expires_at);
        for (hash, old) in expired {
            self.remove_token(&known.user, &hash, &old.id);
        }
        if kept.len() >= TOKENS_MAX {
            // Sessions make room for sessions: nobody revokes those by hand.
            let oldest = kept.iter().filter(|(_, old)| old.login).min_by_key(|(_, old)| old.created_at);
            match oldest {
                Some((hash, old)) if known.login => self.remove_token(&known.user, hash, &old.id),
                _ => {
                    let detail = format!("a user has at most {TOKENS_MAX} tokens: revoke one");
                    return Err(Rejection::conflict("/name", detail));
                }
            }
        }
        let value = serde_json::to_vec(known).expect("plain fields");
        self.txn.put(Table::Claims, token_key(hash), value);
        self.txn.put(Table::Claims, tokens_of(&known.user) + &known.id, hash.to_string().into_bytes());
        Ok(())
    }

    /// With the claims by which they are known.
    pub(super) fn tokens(&self, user: &Name) -> Vec<(String, KnownToken)> {
        let prefix = tokens_of(user);
        let claims = self.txn.prefixed(Table::Claims, &prefix);
        let tokens = claims.filter_map(|(_, record)| {
            let key = format!("credential/token/{}", std::str::from_utf8(&record.value).ok()?);
            let known = serde_json::from_slice(&self.txn.get(Table::Claims, &key)?.value).ok()?;
            Some((key, known))
        });
        tokens.collect()
    }

    pub(super) fn remove_token(&mut self, user: &Name, key: &str, id: &str) {
        self.txn.delete(Table::Claims, key);
        self.txn.delete(Table::Claims, &(tokens_of(user) + id));
    }

    /// A user is gone: nothing proves any more that somebody is it, nor would if there were another of that name.
    pub(in crate::office) fn forget_credentials(&mut self, user: &Name) {
        for (key, known) in self.tokens(user) {
            self.remove_token(user, &key, &known.id);
        }
        self.txn.delete(Table::Claims, &password_key(user));
    }

    pub(in crate::office) fn put_first_token(
        &mut self,
        hash: TokenHash,
        user: &Name,
    ) -> Result<(), Rejection> {
        let known = KnownToken {
            id: new_uid(),
            user: user.clone(),
            name: "first administrator".parse().expect("a short text"),
            created_at: self.now,
            expires_at: self.now + LIFETIME,
            login: false,
        };
        self.put_token(hash, &known)
    }
}
