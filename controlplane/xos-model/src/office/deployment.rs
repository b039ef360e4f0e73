//! A back end, the sites that it serves, and who may use it.

use net_types::Name;
use serde::{Deserialize, Serialize};

use crate::{BasicStatus, Fault, Kind, KindName, Object, Pointer, Reference, document::check};

pub type Deployment = Object<DeploymentSpec>;
pub type DeploymentStatus = BasicStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeploymentSpec {
    pub controller: Name,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<Name>,
    /// Who may place machines here. Judged from the top; the first rule that speaks of somebody decides. Of whom none
    /// speaks, that one is denied. Machines that are here already stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub access: Vec<AccessRule>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccessRule {
    pub effect: Effect,
    pub subject: Subject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Effect {
    Allow,
    Deny,
}

/// Whom a rule speaks of: `{"site": NAME}`, `{"user": NAME}` or `"everyone"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Subject {
    Site(Name),
    User(Name),
    Everyone,
}

/// Who wants to use a deployment.
#[derive(Clone, Copy, Debug)]
pub struct Seeker<'a> {
    pub user: &'a Name,
    pub site: Option<&'a Name>,
}

/// What the access rules say of somebody, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub effect: Effect,
    /// The rule that decided; none when no rule speaks of that one.
    pub rule: Option<usize>,
}

impl Subject {
    fn is(&self, seeker: Seeker<'_>) -> bool {
        match self {
            Self::Site(site) => seeker.site == Some(site),
            Self::User(user) => seeker.user == user,
            Self::Everyone => true,
        }
    }
}

impl DeploymentSpec {
    pub const SITES_MAX: usize = 1024;
    pub const ACCESS_MAX: usize = 1024;

    pub fn judge(&self, seeker: Seeker<'_>) -> Verdict {
        let rule = self.access.iter().position(|rule| rule.subject.is(seeker));
        Verdict { effect: rule.map_or(Effect::Deny, |i| self.access[i].effect), rule }
    }
}

impl Kind for DeploymentSpec {
    const KIND: KindName = KindName::Deployment;
    type Status = DeploymentStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check::set(&mut faults, &"/spec/sites".into(), &self.sites, Self::SITES_MAX);
        let access = Pointer::from("/spec/access");
        check::at_most(&mut faults, &access, self.access.len(), Self::ACCESS_MAX, "rules");
        let everyone = self.access.iter().position(|rule| rule.subject == Subject::Everyone);
        if let Some(i) = everyone.filter(|i| i + 1 < self.access.len()) {
            let detail = format!("rule {i} speaks of everyone: this one is never reached");
            faults.push(Fault::new(access.at(i + 1), detail));
        }
        faults
    }

    fn references(&self) -> Vec<Reference> {
        let mut references = vec![Reference::new("/spec/controller", KindName::Controller, &self.controller)];
        references.extend(Reference::list("/spec/sites", KindName::Site, &self.sites));
        let access = Pointer::from("/spec/access");
        for (i, rule) in self.access.iter().enumerate() {
            let subject = access.at(i).at("subject");
            references.extend(match &rule.subject {
                Subject::Site(site) => Some(Reference::new(subject.at("site"), KindName::Site, site)),
                Subject::User(user) => Some(Reference::new(subject.at("user"), KindName::User, user)),
                Subject::Everyone => None,
            });
        }
        references
    }
}
