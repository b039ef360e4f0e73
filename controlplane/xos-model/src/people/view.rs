//! A page for some kind of user: what the portal shows, or what somebody else serves.

use serde::{Deserialize, Serialize};

use crate::{BasicStatus, Fault, HttpUrl, Kind, KindName, Object, Text};

pub type View = Object<ViewSpec>;
pub type ViewStatus = BasicStatus;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ViewSpec {
    #[serde(rename = "type")]
    pub kind: ViewType,
    pub url: HttpUrl,
    pub title: Text<255>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ViewType {
    /// A JavaScript module that the portal runs.
    Module,
    /// A page of its own within the portal's.
    Iframe,
}

impl Kind for ViewSpec {
    const KIND: KindName = KindName::View;
    type Status = ViewStatus;

    fn validate(&self) -> Vec<Fault> {
        if self.title.as_str().trim().is_empty() {
            return vec![Fault::new("/spec/title", "a view has a title")];
        }
        Vec::new()
    }
}
