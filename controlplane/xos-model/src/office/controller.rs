//! How the back end of a service is reached: its URL, the credentials for it, and the plug-in that speaks to it.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use net_types::Name;
use serde::{Deserialize, Serialize};

use crate::{
    Attributes, CaBundle, Condition, Fault, HttpUrl, Kind, KindName, Object, Reference, Text, document::check,
};

pub type Controller = Object<ControllerSpec>;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControllerSpec {
    /// Which plug-in of the synchronizer.
    pub plugin: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<HttpUrl>,
    /// The Secret that opens the back end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Name>,
    /// Who may vouch for the back end; else whom the host believes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_bundle: Option<CaBundle>,
    /// How long one call may take: 30 s unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u16>,
    /// How many calls may be under way at once: 4 unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u16>,
    /// What only the plug-in understands.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub parameters: Attributes,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ControllerStatus {
    #[serde(default)]
    pub observed_generation: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// What the back end says that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Text<255>>,
    /// When it last answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
}

impl ControllerSpec {
    pub const TIMEOUT_SECONDS: u16 = 30;
    pub const TIMEOUT_SECONDS_RANGE: RangeInclusive<u16> = 1..=600;
    pub const CONCURRENCY: u16 = 4;
    pub const CONCURRENCY_RANGE: RangeInclusive<u16> = 1..=64;

    pub fn timeout_seconds(&self) -> u16 {
        self.timeout_seconds.unwrap_or(Self::TIMEOUT_SECONDS)
    }

    pub fn concurrency(&self) -> u16 {
        self.concurrency.unwrap_or(Self::CONCURRENCY)
    }
}

impl Kind for ControllerSpec {
    const KIND: KindName = KindName::Controller;
    type Status = ControllerStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        let (timeout, concurrency) = (self.timeout_seconds(), self.concurrency());
        check::within(&mut faults, "/spec/timeoutSeconds", &timeout, &Self::TIMEOUT_SECONDS_RANGE);
        check::within(&mut faults, "/spec/concurrency", &concurrency, &Self::CONCURRENCY_RANGE);
        if self.ca_bundle.is_some() && !self.url.as_ref().is_some_and(HttpUrl::is_https) {
            faults.push(Fault::new("/spec/caBundle", "of use only with a URL of https"));
        }
        self.parameters.validate(&"/spec/parameters".into(), &mut faults);
        faults
    }

    fn references(&self) -> Vec<Reference> {
        let secret = self.credentials.iter();
        secret.map(|secret| Reference::new("/spec/credentials", KindName::Secret, secret)).collect()
    }
}
