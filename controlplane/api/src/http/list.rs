//! Many objects: pages of a list, all as of one revision.

use access_policy::Verb;
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use intent_store::{Key, Record, Table};
use xos_model::KindName;

use super::{
    Http,
    access::Access,
    limits::SCAN,
    objects::{kind, target},
    problem::Problem,
    query::{Filter, ListQuery, NoQuery, Parameters},
    watch::{self, Format, last_event_id},
};
use crate::{
    Rejection,
    office::{object_key, with_version},
};

/// Where a list goes on: at the same revision, after this place.
struct Continue {
    revision: u64,
    place: Place,
}

/// A place in a list: all that is stored comes first, and then what follows from other objects, each by its keys.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) key: String,
    pub(super) is_derived: bool,
}

/// What stands in a token before the name of what follows from other objects.
const DERIVED: &str = "derived.";

impl Continue {
    /// Written `REVISION.NAME` or `REVISION.derived.NAME`; to clients it is opaque.
    fn parse(text: &str, kind: KindName) -> Result<Self, Problem> {
        let bad = || Problem::parameter("continue", "not a token that a list gave");
        let (revision, rest) = text.split_once('.').ok_or_else(bad)?;
        let (is_derived, name) = match rest.strip_prefix(DERIVED) {
            Some(name) => (true, name),
            None => (false, rest),
        };
        let name: net_types::Name = name.parse().map_err(|_| bad())?;
        let revision = revision.parse().map_err(|_| bad())?;
        Ok(Self { revision, place: Place { key: format!("{}/{name}", kind.plural()), is_derived } })
    }

    fn text(revision: u64, place: &Place) -> String {
        let name = place.key.rsplit('/').next().unwrap_or_default();
        format!("{revision}.{}{name}", if place.is_derived { DERIVED } else { "" })
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
    let list = move || {
        let revision = from.as_ref().map(|from| from.revision);
        let page = collect(&http, kind, &filter, from.map(|from| from.place), revision, limit)?;
        Ok(render(kind, &page))
    };
    if kind == KindName::Tenant {
        // Many may have to be derived before one is picked.
        return tokio::task::spawn_blocking(list).await.map_err(Problem::internal)?;
    }
    list()
}

pub(super) struct Selected {
    pub(super) revision: u64,
    pub(super) items: Vec<(Key, Record)>,
    /// Where more follow.
    pub(super) next: Option<Place>,
}

/// Up to `limit` objects that the filter picks.
pub(super) fn collect(
    http: &Http,
    kind: KindName,
    filter: &Filter,
    from: Option<Place>,
    mut revision: Option<u64>,
    limit: usize,
) -> Result<Selected, Problem> {
    let office = http.office();
    let prefix = format!("{}/", kind.plural());
    let mut items: Vec<(Key, Record)> = Vec::new();
    let mut last_is_derived = false;
    let mut is_derived = from.as_ref().is_some_and(|from| from.is_derived);
    let mut after = from.map(|from| from.key);
    if is_derived && kind != KindName::Tenant {
        // Nothing of the kind follows from others: all of it is stored, and has been listed.
        let revision = office.store().page(&prefix, None, 1, revision)?.revision;
        return Ok(Selected { revision, items, next: None });
    }
    loop {
        let wanted = SCAN.min(limit + 1);
        let page = match revision.filter(|_| is_derived) {
            Some(revision) => office.tenancies(revision)?.page(after.as_deref(), wanted)?,
            None => office.store().page(&prefix, after.as_deref(), wanted, revision)?,
        };
        revision = Some(page.revision);
        after = page.items.last().map(|(key, _)| key.to_string());
        for item in page.items {
            if filter.picks(kind, &item.1) {
                if let Some((key, _)) = items.last()
                    && items.len() == limit
                {
                    let next = Some(Place { key: key.to_string(), is_derived: last_is_derived });
                    return Ok(Selected { revision: page.revision, items, next });
                }
                items.push(item);
                last_is_derived = is_derived;
            }
        }
        if page.more {
            continue;
        }
        if is_derived || kind != KindName::Tenant {
            return Ok(Selected { revision: page.revision, items, next: None });
        }
        (is_derived, after) = (true, None);
    }
}

pub(super) fn render(kind: KindName, page: &Selected) -> Response {
    let head = format!(r#"{{"kind":"{kind}List","metadata":{{"resourceVersion":{}"#, page.revision);
    let mut body = head.into_bytes();
    if let Some(place) = &page.next {
        let token = Continue::text(page.revision, place);
        body.extend_from_slice(format!(r#","continue":"{token}""#).as_bytes());
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

/// The tenancies of a subscriber's chain, each after its tenant.
pub(super) async fn chain(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Path(name): Path<String>,
    Parameters(_): Parameters<NoQuery>,
) -> Result<Response, Problem> {
    let target = target(KindName::Subscriber.plural(), &name)?;
    let found = http.office().store().get(Table::Objects, &object_key(target.kind, &target.name));
    access.check_object(Verb::Get, target.kind.plural(), &target, found.as_ref())?;
    let found = found.ok_or_else(|| Rejection::not_found(target.kind, target.name.as_str()))?;
    let filter = Filter::default().within(access.sight(Verb::List, KindName::Tenant)?);
    let mut items = http.office().chain_of(&found);
    items.retain(|(_, record)| filter.picks(KindName::Tenant, record));
    Ok(render(KindName::Tenant, &Selected { revision: found.revision, items, next: None }))
}
