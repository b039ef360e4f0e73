//! Many objects: pages of a list, all as of one revision.

use access_policy::Verb;
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use intent_store::{Key, Record};
use xos_model::KindName;

use super::{
    Http,
    access::Access,
    limits::SCAN,
    objects::kind,
    problem::Problem,
    query::{Filter, ListQuery, Parameters},
    watch::{self, Format, last_event_id},
};
use crate::office::with_version;

/// Where a list goes on: at the same revision, after this key.
struct Continue {
    revision: u64,
    after: String,
}

impl Continue {
    /// Written `REVISION.NAME`; to clients it is opaque.
    fn parse(text: &str, kind: KindName) -> Result<Self, Problem> {
        let bad = || Problem::parameter("continue", "not a token that a list gave");
        let (revision, name) = text.split_once('.').ok_or_else(bad)?;
        let name: net_types::Name = name.parse().map_err(|_| bad())?;
        let revision = revision.parse().map_err(|_| bad())?;
        Ok(Self { revision, after: format!("{}/{name}", kind.plural()) })
    }
}

pub(super) async fn get(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Path(plural): Path<String>,
    Parameters(query): Parameters<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let kind = kind(&plural)?;
    let filter = query.filter()?;
    // Whoever comes back asks the same question: only the header tells how far it had come.
    let after = last_event_id(&headers)?.or(query.resource_version()?);
    let is_watch = query.is_watch()?;
    let filter = filter.within(access.sight(if is_watch { Verb::Watch } else { Verb::List }, kind)?);
    if is_watch {
        return watch::start(&http, kind, filter, Format::wanted(&headers), after);
    }
    let limit = query.limit()?;
    let from = query.from.as_deref().map(|text| Continue::parse(text, kind)).transpose()?;
    let revision = from.as_ref().map(|from| from.revision);
    let page = collect(&http, kind, &filter, from.map(|from| from.after), revision, limit)?;
    Ok(render(kind, &page))
}

pub(super) struct Selected {
    pub(super) revision: u64,
    pub(super) items: Vec<(Key, Record)>,
    pub(super) more: bool,
}

/// Up to `limit` objects that the filter picks.
pub(super) fn collect(
    http: &Http,
    kind: KindName,
    filter: &Filter,
    mut after: Option<String>,
    mut revision: Option<u64>,
    limit: usize,
) -> Result<Selected, Problem> {
    let prefix = format!("{}/", kind.plural());
    let mut items = Vec::new();
    loop {
        let page = http.office().store().page(&prefix, after.as_deref(), SCAN.min(limit + 1), revision)?;
        revision = Some(page.revision);
        after = page.items.last().map(|(key, _)| key.to_string());
        for item in page.items {
            if filter.picks(kind, &item.1) {
                if items.len() == limit {
                    return Ok(Selected { revision: page.revision, items, more: true });
                }
                items.push(item);
            }
        }
        if !page.more {
            return Ok(Selected { revision: page.revision, items, more: false });
        }
    }
}

fn render(kind: KindName, page: &Selected) -> Response {
    let head = format!(r#"{{"kind":"{kind}List","metadata":{{"resourceVersion":{}"#, page.revision);
    let mut body = head.into_bytes();
    if page.more
        && let Some((key, _)) = page.items.last()
    {
        let name = key.rsplit('/').next().unwrap_or_default();
        body.extend_from_slice(format!(r#","continue":"{}.{name}""#, page.revision).as_bytes());
    }
    body.extend_from_slice(br#"},"items":["#);
    for (i, (_, record)) in page.items.iter().enumerate() {
        if i > 0 {
            body.push(b',');
        }
        body.extend_from_slice(&with_version(kind, record));
    }
    body.extend_from_slice(b"]}");
    ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}
