//! As data.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use super::super::{Connectivity, Graph, Held, Shelf};
use crate::{InstanceSpec, NetworkSpec, ServiceSpec, SliceSpec, TenantSpec};

/// A name and what is asked for under it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Graph{K}", deny_unknown_fields)]
struct Entry<'a, K> {
    name: &'a str,
    spec: &'a K,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TenancyGraph", deny_unknown_fields)]
struct Data<'a> {
    services: Vec<Entry<'a, ServiceSpec>>,
    tenants: Vec<Entry<'a, TenantSpec>>,
    slices: Vec<Entry<'a, SliceSpec>>,
    networks: Vec<Entry<'a, NetworkSpec>>,
    instances: Vec<Entry<'a, InstanceSpec>>,
    connectivity: Connectivity,
}

fn entries<K>(shelf: &Shelf<K>) -> Vec<Entry<'_, K>> {
    shelf.iter().map(|(name, Held { spec, .. })| Entry { name: name.as_str(), spec }).collect()
}

impl Graph {
    /// What the graph is made of, and what follows from it.
    pub fn data(&self) -> Value {
        let data = Data {
            services: entries(&self.services),
            tenants: entries(&self.tenants),
            slices: entries(&self.slices),
            networks: entries(&self.networks),
            instances: entries(&self.instances),
            connectivity: self.connectivity(),
        };
        serde_json::to_value(data).expect("names, specs and references are JSON")
    }

    /// What [`Self::data`] looks like.
    pub fn data_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Data<'static>>()
    }
}
