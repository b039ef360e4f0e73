//! Which subscriber a tenancy's name leads to.

use net_types::Name;
use xos_model::{Graph, Subscriber, subscriber_attributes};

use super::Derived;

/// The subscribers and services that a name may be made of, the shortest subscriber first.
fn splits<'a>(graph: &'a Graph, name: &'a Name) -> impl Iterator<Item = (Name, Name)> + 'a {
    let name = name.as_str();
    name.match_indices('-').filter_map(move |(at, _)| {
        let (user, service): (Name, Name) = (name[..at].parse().ok()?, name[at + 1..].parse().ok()?);
        graph.service(&service).is_some().then_some((user, service))
    })
}

/// The tenancy of this name.
pub(in crate::office) fn find(
    graph: &Graph,
    name: &Name,
    mut subscriber: impl FnMut(&Name) -> Option<Subscriber>,
) -> Option<Derived> {
    splits(graph, name).find_map(|(user, service)| {
        let subscriber = subscriber(&user)?;
        let chain = graph.chain(&subscriber, subscriber_attributes).tenancies;
        let tenancy = chain.into_iter().find(|tenancy| tenancy.spec.provider == service)?;
        Some(Derived::new(&subscriber, tenancy))
    })
}

/// Whether the name of a subscriber's tenancy stands for that of a subscriber with a shorter name.
pub(in crate::office) fn is_shadowed(
    graph: &Graph,
    of: &Name,
    name: &Name,
    mut subscriber: impl FnMut(&Name) -> Option<Subscriber>,
) -> bool {
    splits(graph, name).take_while(|(user, _)| user.as_str().len() < of.as_str().len()).any(
        |(user, service)| {
            let subscriber = subscriber(&user);
            subscriber.is_some_and(|other| graph.services_of(&other.spec.services).contains(&&service))
        },
    )
}
