//! Plug-ins by name.

use std::{collections::BTreeMap, sync::Arc};

use net_types::Name;
use synchronizer::{AnyPlugin, Relation};
use xos_model::{AnyObject, Controller, SecretText};

use crate::http;

/// The value of a Secret's key, or why there is none.
pub type OpenSecret = Arc<dyn Fn(&Name, &str) -> Result<SecretText, String> + Send + Sync>;

/// What a plug-in is built from.
pub struct Given<'a> {
    pub controller: &'a Controller,
    pub open_secret: &'a OpenSecret,
}

/// Why a plug-in cannot be built from a Controller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct Unsuitable {
    /// Which field is to be changed, such as `spec.url`.
    pub field: &'static str,
    /// What is wrong with it, and what to do.
    pub message: String,
}

impl Unsuitable {
    pub fn new(field: &'static str, message: impl Into<String>) -> Self {
        Self { field, message: message.into() }
    }
}

pub type Make = fn(&Given<'_>) -> Result<AnyPlugin<AnyObject>, Unsuitable>;

/// All that a Controller can name.
pub struct Plugins {
    by_name: BTreeMap<&'static str, Make>,
    relations: Vec<Relation>,
}

impl Default for Plugins {
    /// Those that come with the office.
    fn default() -> Self {
        Self { by_name: BTreeMap::new(), relations: Vec::new() }.with(
            http::NAME,
            http::make,
            &http::RELATIONS,
        )
    }
}

impl Plugins {
    /// Adds a plug-in, and the relations by which it orders.
    #[must_use]
    pub fn with(mut self, name: &'static str, make: Make, relations: &[Relation]) -> Self {
        self.by_name.insert(name, make);
        let news = relations.iter().filter(|relation| !self.relations.contains(relation)).copied();
        let news: Vec<_> = news.collect();
        self.relations.extend(news);
        self
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.by_name.keys().copied()
    }

    pub(crate) fn relations(&self) -> &[Relation] {
        &self.relations
    }

    pub(crate) fn make(&self, given: &Given<'_>) -> Result<AnyPlugin<AnyObject>, Unsuitable> {
        let name = &given.controller.spec.plugin;
        let Some(make) = self.by_name.get(name.as_str()) else {
            let known = self.names().collect::<Vec<_>>().join(", ");
            return Err(Unsuitable::new(
                "spec.plugin",
                format!("there is no plug-in {name}; there are: {known}"),
            ));
        };
        make(given)
    }
}
