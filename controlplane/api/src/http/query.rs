//! Query parameters and conditional headers.

use axum::{
    extract::{FromRequestParts, Query},
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use intent_store::Record;
use serde::{Deserialize, de::DeserializeOwned};
use xos_model::KindName;

use super::{
    access::Sight,
    fields::FieldSelector,
    limits::{PAGE_DEFAULT, PAGE_MAX},
    problem::Problem,
    selector::Selector,
};
use crate::office::{Match, with_version};

/// Of a read: which objects, and from when.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListQuery {
    limit: Option<String>,
    #[serde(rename = "continue")]
    pub(super) from: Option<String>,
    label_selector: Option<String>,
    field_selector: Option<String>,
    watch: Option<String>,
    resource_version: Option<String>,
}

/// Which of a kind's objects a read is about.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    labels: Selector,
    fields: FieldSelector,
    /// What whoever asks may see; nothing is hidden from who asks for itself.
    sight: Option<Sight>,
}

impl Filter {
    /// Only what may be seen.
    pub(super) fn within(self, sight: Sight) -> Self {
        Self { sight: Some(sight), ..self }
    }

    pub(super) fn sight(&self) -> Option<&Sight> {
        self.sight.as_ref()
    }

    pub(super) fn sees(&self, record: &Record) -> bool {
        self.sight.as_ref().is_none_or(|sight| sight.sees(record))
    }

    pub(super) fn picks(&self, kind: KindName, record: &Record) -> bool {
        self.selects(kind, record) && self.sees(record)
    }

    /// The same of what followed from a subscriber when that was so.
    pub(super) fn picks_of(&self, kind: KindName, record: &Record, subscriber: &Record) -> bool {
        self.selects(kind, record)
            && self.sight.as_ref().is_none_or(|sight| sight.sees_of(record, subscriber))
    }

    fn selects(&self, kind: KindName, record: &Record) -> bool {
        // The served form, for it has the revision among its fields.
        self.labels.picks(&record.value)
            && (self.fields.is_empty() || self.fields.picks(&with_version(kind, record)))
    }
}

/// Of a change.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WriteQuery {
    dry_run: Option<String>,
}

/// Of what takes no parameters.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoQuery {}

/// A query that says in a problem what is wrong with it.
pub(super) struct Parameters<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(query)) => Ok(Self(query)),
            Err(error) => Err(Problem::parameter("query", error.body_text())),
        }
    }
}

pub(super) fn is_watch(text: Option<&str>) -> Result<bool, Problem> {
    match text {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(_) => Err(Problem::parameter("watch", "1 or 0")),
    }
}

impl ListQuery {
    pub(super) fn filter(&self) -> Result<Filter, Problem> {
        Ok(Filter {
            labels: Selector::parse(self.label_selector.as_deref())?,
            fields: FieldSelector::parse(self.field_selector.as_deref())?,
            sight: None,
        })
    }

    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = &self.limit else { return Ok(PAGE_DEFAULT) };
        let limit = text.parse().ok().filter(|limit| (1..=PAGE_MAX).contains(limit));
        limit.ok_or_else(|| Problem::parameter("limit", format!("a number from 1 to {PAGE_MAX}")))
    }

    pub(super) fn is_watch(&self) -> Result<bool, Problem> {
        is_watch(self.watch.as_deref())
    }

    pub(super) fn resource_version(&self) -> Result<Option<u64>, Problem> {
        let Some(text) = &self.resource_version else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Problem::parameter("resourceVersion", "a revision: a number"))
    }
}

impl WriteQuery {
    pub(super) fn is_dry_run(&self) -> Result<bool, Problem> {
        match self.dry_run.as_deref() {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(_) => Err(Problem::parameter("dryRun", "can only be All")),
        }
    }
}

/// `If-Match` or `If-None-Match`.
pub(super) fn entity_tags(headers: &HeaderMap, name: &'static str) -> Result<Option<Match>, Problem> {
    let values: Vec<_> = headers.get_all(HeaderName::from_static(name)).iter().collect();
    if values.is_empty() {
        return Ok(None);
    }
    let mut revisions = Vec::new();
    for value in values {
        let text = value.to_str().map_err(|_| Problem::parameter(name, "not text"))?;
        if text.trim() == "*" {
            return Ok(Some(Match::Any));
        }
        // Empty elements of a list are nothing (RFC 9110, section 5.6.1).
        for tag in text.split(',').map(str::trim).filter(|tag| !tag.is_empty()) {
            // Tags of ours are strong; a weak one only ever names the same revision.
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let tag = tag.ok_or_else(|| Problem::parameter(name, "an entity tag is written in quotes"))?;
            // A tag that is no revision is simply none of ours.
            revisions.extend(tag.parse::<u64>());
        }
    }
    Ok(Some(Match::Revisions(revisions)))
}

/// The body's media type must be one of these; without one, it is taken for JSON.
pub(super) fn check_media_type(headers: &HeaderMap, allowed: &[&str]) -> Result<(), Problem> {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(essence)) {
        Ok(())
    } else {
        Err(Problem::media_type(&allowed.join(" or ")))
    }
}
