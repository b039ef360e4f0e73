use serde_json::{Value, json};

use super::*;
use crate::{Kind, Metadata, merge_patch, parse_value};

mod chain;
mod check;
mod connectivity;
mod properties;
mod render;

pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// An object with the uid `uid-of-<name>`.
pub(super) fn object<K: Kind>(called: &str, spec: Value) -> Object<K> {
    let spec: K = parse_value(spec).expect("a spec");
    let metadata = Metadata { uid: Some(format!("uid-of-{called}")), ..Metadata::named(name(called)) };
    Object { kind: K::KIND, metadata, spec, status: K::Status::default() }
}

/// A graph that is written down in few words.
#[derive(Default)]
pub(super) struct Sketch(pub(super) Graph);

impl Sketch {
    /// Accepts everything, unless `patch` says otherwise; its type is its name up to "-v".
    pub(super) fn service(mut self, called: &str, patch: Value) -> Self {
        let service_type = called.split("-v").next().unwrap_or(called);
        let mut spec = json!({"serviceType": service_type, "version": "1", "accepts": {
            "tenants": ["Service", "Subscriber", "User", "Tenant", "Root"],
            "connect": ["public", "shared", "gateway"]}});
        merge_patch(&mut spec, patch);
        self.0.put(&object::<ServiceSpec>(called, spec));
        self
    }

    pub(super) fn services(self, called: &[&str]) -> Self {
        called.iter().fold(self, |sketch, name| sketch.service(name, json!({})))
    }

    /// `tenant>provider` between services, named `tenant-provider`.
    pub(super) fn tenancy(self, between: &str, connect: &str, patch: Value) -> Self {
        let (tenant, provider) = between.split_once('>').expect("tenant>provider");
        let mut spec = json!({"tenant": {"kind": "Service", "name": tenant}, "provider": provider,
                              "connect": connect});
        merge_patch(&mut spec, patch);
        self.tenant(&format!("{tenant}-{provider}"), spec)
    }

    pub(super) fn tenant(mut self, called: &str, spec: Value) -> Self {
        self.0.put(&object::<TenantSpec>(called, spec));
        self
    }

    /// A slice of a service with so many instances, named `<slice>-1` and so on.
    pub(super) fn slice(mut self, called: &str, service: &str, instances: usize, patch: Value) -> Self {
        let mut spec = json!({"service": service, "site": "here"});
        merge_patch(&mut spec, patch);
        self.0.put(&object::<SliceSpec>(called, spec));
        for i in 1..=instances {
            self.0.put(&object::<InstanceSpec>(&format!("{called}-{i}"), json!({"slice": called})));
        }
        self
    }

    pub(super) fn network(mut self, called: &str, slice: &str, patch: Value) -> Self {
        let mut spec = json!({"slice": slice});
        merge_patch(&mut spec, patch);
        self.0.put(&object::<NetworkSpec>(called, spec));
        self
    }
}

/// The office as it is made at first: vOLT, vCPE and vBNG.
pub(super) fn office() -> Sketch {
    let only = |tenant: &str, connect: &str| json!({"accepts": {"tenants": [tenant], "connect": [connect]}});
    let per_tenant = json!({"perTenant": true});
    Sketch::default()
        .service("volt", {
            let mut volt = only("Subscriber", "shared");
            merge_patch(&mut volt, json!({"perSubscriber": true}));
            volt
        })
        .service("vcpe", only("Service", "shared"))
        .service("vbng", only("Service", "public"))
        .tenancy("volt>vcpe", "shared", per_tenant.clone())
        .tenancy("vcpe>vbng", "public", per_tenant)
}
