//! A derived tenancy in the form of an object.

use intent_store::Record;
use net_types::Name;
use xos_model::{
    DerivedTenancy, Graph, KindName, Metadata, Object, Subscriber, TenantStatus, subscriber_attributes,
};

use crate::office::stored::encode;

/// A tenancy that follows from a subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Derived {
    pub(crate) name: Name,
    pub(crate) subscriber: Name,
    /// As if it were stored: with the subscriber's revision.
    pub(crate) record: Record,
    pub(crate) tenancy: DerivedTenancy,
    /// The revision since when it is as it is.
    pub(crate) since: u64,
}

impl Derived {
    pub(super) fn new(subscriber: &Subscriber, tenancy: DerivedTenancy) -> Self {
        let of = &subscriber.metadata;
        let metadata = Metadata {
            generation: of.generation,
            labels: of.labels.clone(),
            owner_references: tenancy.owner_references.clone(),
            created_at: of.created_at,
            deleted_at: of.deleted_at,
            ..Metadata::named(tenancy.name.clone())
        };
        let observed_generation = subscriber.status.observed_generation;
        let status = TenantStatus { observed_generation, ..TenantStatus::default() };
        let mut object = Object { kind: KindName::Tenant, metadata, spec: tenancy.spec.clone(), status };
        let record =
            Record { revision: of.resource_version.unwrap_or_default(), value: encode(&mut object).into() };
        let since = record.revision;
        Self { name: tenancy.name.clone(), subscriber: subscriber.name().clone(), record, tenancy, since }
    }

    /// Why nobody writes it, and what is to be written instead.
    pub(crate) fn refusal(&self) -> String {
        let Self { name, subscriber, tenancy, .. } = self;
        let causes = tenancy.owner_references.iter().skip(1);
        let causes: Vec<_> = causes.map(|owner| format!("{} {}", owner.kind, owner.name)).collect();
        format!(
            "Tenant {name} follows from Subscriber {subscriber}: change that (its /spec/services name other services for \
             it), or for all subscribers {}",
            causes.join(", ")
        )
    }
}

/// The tenancies of a subscriber that hold, each after its tenant.
pub(super) fn chain(graph: &Graph, subscriber: &Subscriber) -> Vec<Derived> {
    let chain = graph.chain(subscriber, subscriber_attributes).tenancies;
    chain.into_iter().map(|tenancy| Derived::new(subscriber, tenancy)).collect()
}
