//! A place, and the organisation that is there.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::{
    EnactedStatus, Fault, HttpUrl, Kind, KindName, Object, Text, document::check, enabled, is_enabled,
};

pub type Site = Object<SiteSpec>;
pub type SiteStatus = EnactedStatus;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SiteSpec {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<1024>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<HttpUrl>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    #[serde(default = "enabled", skip_serializing_if = "is_enabled")]
    pub enabled: bool,
}

/// A point on the Earth, in degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// North is positive.
    pub latitude: f64,
    /// East is positive.
    pub longitude: f64,
}

impl Location {
    pub const LATITUDE: RangeInclusive<f64> = -90.0..=90.0;
    pub const LONGITUDE: RangeInclusive<f64> = -180.0..=180.0;
}

impl Kind for SiteSpec {
    const KIND: KindName = KindName::Site;
    type Status = SiteStatus;

    fn validate(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Some(Location { latitude, longitude }) = &self.location {
            check::within(&mut faults, "/spec/location/latitude", latitude, &Location::LATITUDE);
            check::within(&mut faults, "/spec/location/longitude", longitude, &Location::LONGITUDE);
        }
        faults
    }
}
