//! A person, or a program that acts for one.

use net_types::Name;
use serde::{Deserialize, Serialize};

use crate::{
    Email, EnactedStatus, Fault, Kind, KindName, Object, Reference, SshKey, Text, document::check, enabled,
    is_enabled,
};

pub type User = Object<UserSpec>;
pub type UserStatus = EnactedStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UserSpec {
    pub email: Email,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_name: Option<Text<255>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Name>,
    /// Whoever is not enabled is refused, whatever the role.
    #[serde(default = "enabled", skip_serializing_if = "is_enabled")]
    pub enabled: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_keys: Vec<SshKey>,
    /// The Views that the user sees, in the user's own order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<Name>,
}

impl UserSpec {
    pub const SSH_KEYS_MAX: usize = 32;
    pub const VIEWS_MAX: usize = 64;
}

impl Kind for UserSpec {
    const KIND: KindName = KindName::User;
    type Status = UserStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check::set(&mut faults, &"/spec/sshKeys".into(), &self.ssh_keys, Self::SSH_KEYS_MAX);
        check::set(&mut faults, &"/spec/views".into(), &self.views, Self::VIEWS_MAX);
        faults
    }

    fn references(&self) -> Vec<Reference> {
        let site = self.site.iter().map(|site| Reference::new("/spec/site", KindName::Site, site));
        site.chain(Reference::list("/spec/views", KindName::View, &self.views)).collect()
    }
}
