//! Why something is there: an object, or what follows from objects.

use access_policy::Verb;
use axum::{
    Extension, Json,
    extract::{Path, State},
    http::Uri,
};
use serde::Serialize;
use xos_model::{Attributes, Graph, KindName, OwnerReference, Pointer, SubscriberSpec, Thing};

use super::{
    Http,
    access::Access,
    graph::{blocking, sees_all},
    objects::target,
    problem::Problem,
    query::{NoQuery, Parameters},
};
use crate::office::{Office, Target, Told, read_object, told};

/// Where what follows from the graph is explained.
const PREFIX: &str = "/api/v1/explain/";

/// So many objects are named of those that name one.
const NAMED_MAX: usize = 16;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    sentences: Vec<String>,
    /// Because of which it is there.
    owners: Vec<OwnerReference>,
    /// Which it names, where.
    references: Vec<Named>,
    /// Which name it, or some of them.
    referrers: Vec<Named>,
}

#[derive(Serialize)]
struct Named {
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<Pointer>,
    kind: KindName,
    name: net_types::Name,
}

/// An object.
pub(super) async fn object(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Path((plural, name)): Path<(String, String)>,
    Parameters(_): Parameters<NoQuery>,
) -> Result<Json<Explanation>, Problem> {
    let target = target(&plural, &name)?;
    let found = http.find(&target);
    let record = found.as_ref().ok().map(|found| &found.record);
    access.check_object(Verb::Get, target.kind.plural(), &target, record)?;
    let told = told(&target, &found?.record)?;
    let asked = target.clone();
    // One more, to know whether these are all.
    let named_by =
        access.office().admit(true, move |admission| Ok(admission.named_by(&asked, NAMED_MAX + 1)));
    let named_by = named_by.await??;
    let mut sentences = sentences(&target, &told, &named_by);
    if is_of_graph(target.kind) {
        if sees_all(&access).is_ok() {
            let (office, owners) = (http.office().clone(), told.metadata.owner_references.clone());
            let asked = target.clone();
            sentences.extend(blocking(move || Ok(path(&office, &office.graph()?, &asked, &owners))).await?);
        } else {
            sentences.push("What follows from it is told to who may list all of the tenancy graph.".into());
        }
    }
    let references = told.references.into_iter();
    Ok(Json(Explanation {
        sentences,
        owners: told.metadata.owner_references,
        references: references
            .map(|one| Named { pointer: Some(one.pointer), kind: one.kind, name: one.name })
            .collect(),
        referrers: named_by
            .into_iter()
            .take(NAMED_MAX)
            .map(|Target { kind, name }| Named { pointer: None, kind, name })
            .collect(),
    }))
}

/// What is no object, but follows from the graph.
pub(super) async fn derived(
    State(http): State<Http>,
    Extension(access): Extension<Access>,
    Parameters(_): Parameters<NoQuery>,
    uri: Uri,
) -> Result<Json<Explanation>, Problem> {
    sees_all(&access)?;
    let thing = uri.path().strip_prefix(PREFIX).and_then(|thing| thing.parse::<Thing>().ok());
    let thing = thing.ok_or_else(Problem::no_such_path)?;
    let office = http.office().clone();
    let explained = blocking(move || {
        let graph = office.graph()?;
        Ok((graph.explain(&thing), graph.owners_of(&thing)))
    });
    let (sentences, owners) = explained.await?;
    let (references, referrers) = (Vec::new(), Vec::new());
    Ok(Json(Explanation { sentences, owners, references, referrers }))
}

fn is_of_graph(kind: KindName) -> bool {
    kind == KindName::Subscriber
        || matches!(
            kind,
            KindName::Service | KindName::Tenant | KindName::Slice | KindName::Instance | KindName::Network
        )
}

/// What holds of an object of any kind.
fn sentences(Target { kind, name }: &Target, told: &Told, named_by: &[Target]) -> Vec<String> {
    let Told { metadata, references } = told;
    let mut sentences = Vec::new();
    let made = metadata.created_at.map_or(String::new(), |time| format!(" It was made at {time}."));
    match metadata.owner_references.as_slice() {
        [] => sentences.push(format!("{kind} {name} is there because somebody asked for it.{made}")),
        owners => sentences
            .extend(owners.iter().map(|owner| format!("It follows from {} {}.", owner.kind, owner.name))),
    }
    let line = |one: &xos_model::Reference| format!("It names {} {} ({}).", one.kind, one.name, one.pointer);
    sentences.extend(references.iter().map(line));
    let names: Vec<_> =
        named_by.iter().take(NAMED_MAX).map(|one| format!("{} {}", one.kind, one.name)).collect();
    if !names.is_empty() {
        let more = if named_by.len() > NAMED_MAX { " and by others" } else { "" };
        sentences.push(format!("It is named by {}{more}: it stays for as long as it is.", names.join(", ")));
    }
    if let Some(time) = metadata.deleted_at {
        let waits = match metadata.finalizers.as_slice() {
            [] => "what names it is gone".to_owned(),
            finalizers => format!("its finalizers are gone: {}", finalizers.join(", ")),
        };
        sentences.push(format!("Its deletion was asked for at {time}; it goes when {waits}."));
    }
    sentences
}

/// The way to it, or from it, through the graph.
fn path(office: &Office, graph: &Graph, target: &Target, owners: &[OwnerReference]) -> Vec<String> {
    let Target { kind, name } = target;
    if *kind == KindName::Subscriber {
        let Some(subscriber) = read_object::<SubscriberSpec>(office.store(), name) else { return Vec::new() };
        let chain = graph.chain(&subscriber, |_| Attributes::default());
        let links = chain.tenancies.iter().flat_map(xos_model::DerivedTenancy::explain);
        return links.chain(chain.faults.iter().map(ToString::to_string)).collect();
    }
    if *kind == KindName::Tenant
        && let Some(derived) = office.derived(name)
    {
        let via = owners.iter().filter(|owner| owner.kind == KindName::Tenant);
        let via = via.flat_map(|owner| graph.explain(&Thing::Tenant(owner.name.clone())));
        return derived.tenancy.explain().into_iter().chain(via).collect();
    }
    Thing::of(*kind, name).map(|thing| graph.explain(&thing)).unwrap_or_default()
}
