//! An office's first administrator.

use std::io;

use credentials::{FirstToken, NoRandom};
use intent_store::{Stopped, Table};
use net_types::Name;
use xos_model::{Email, KindName, Metadata, RoleBindingSpec, Scope, UserSpec};

use crate::{
    Rejection,
    office::{Draft, Office, Operation, Verb},
};

/// Whether there has been one. It stays, so that an office that lost its users never shows a token again: root makes
/// another by the local socket.
const MARK: &str = "credential/first";

/// Why an office has no administrator.
#[derive(Debug, thiserror::Error)]
pub enum FirstError {
    #[error(transparent)]
    Random(#[from] NoRandom),
    #[error("the token cannot be shown: {0}")]
    Show(#[from] io::Error),
    #[error(transparent)]
    Stopped(#[from] Stopped),
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

impl Office {
    /// At an office's first start: makes a user `admin` who may do everything, and shows its token on `out`, this once.
    pub async fn first_administrator(&self, out: impl io::Write) -> Result<(), FirstError> {
        let users = self.store.page(&format!("{}/", KindName::User.plural()), None, 1, None);
        let has_users = users.is_ok_and(|page| !page.items.is_empty());
        if self.store.get(Table::Claims, MARK).is_some() || has_users {
            return Ok(());
        }
        let hash = FirstToken::generate()?.show(out)?;
        let admin: Name = FirstToken::USER.parse().expect("a name");
        let outcome = self.admit(false, move |admission| {
            let user = UserSpec {
                email: "admin@localhost".parse::<Email>().expect("an address"),
                full_name: None,
                site: None,
                enabled: true,
                ssh_keys: Vec::new(),
                views: Vec::new(),
            };
            let binding = RoleBindingSpec {
                user: admin.clone(),
                role: "office-admin".parse().expect("a name"),
                scope: Scope::Office,
                grant_option: true,
                expires_at: None,
            };
            let metadata = || Metadata::named(admin.clone());
            let drafts = [
                Draft::User(xos_model::Draft::new(metadata(), user)),
                Draft::RoleBinding(xos_model::Draft::new(metadata(), binding)),
            ];
            let operations = drafts.map(|draft| Operation::put(Verb::Create, draft));
            admission.run_all(operations.into()).map_err(|misplaced| misplaced.rejection)?;
            admission.put_first_token(hash, &admin)?;
            admission.txn.put(Table::Claims, MARK, b"made".as_slice());
            Ok(())
        });
        Ok(outcome.await??)
    }
}
