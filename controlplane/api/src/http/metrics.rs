//! What the controller counts, as Prometheus reads it.

mod back_ends;
mod nodes;

use std::{sync::atomic::AtomicU64, time::Duration};

use axum::http::{Method, StatusCode};
use intent_store::StoreFigures;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{
        counter::{ConstCounter, Counter},
        family::Family,
        gauge::ConstGauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use synchronizer::BackEnd;

pub use nodes::NodeCounters;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: String,
    code: u16,
}

pub(super) struct Metrics {
    requests: Family<Labels, Counter<u64, AtomicU64>>,
    durations: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        // From a quarter of a millisecond to eight seconds.
        Self {
            requests: Family::default(),
            durations: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
        }
    }
}

impl Metrics {
    pub(super) fn note(&self, method: &Method, status: StatusCode, took: Duration) {
        // Methods that HTTP does not know are one label, so that nobody can make labels without end.
        let known =
            matches!(method.as_str(), "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS");
        let method = if known { method.as_str() } else { "other" }.to_owned();
        self.requests.get_or_create(&Labels { method, code: status.as_u16() }).inc();
        self.durations.observe(took.as_secs_f64());
    }

    pub(super) fn render(
        &self,
        store: &StoreFigures,
        back_ends: &[(BackEnd, synchronizer::Metrics)],
        nodes: &NodeCounters,
    ) -> Result<String, std::fmt::Error> {
        let mut registry = Registry::with_prefix("wirecenter");
        registry.register("api_requests", "Requests answered", self.requests.clone());
        let help = "From a request's head to its answer's";
        registry.register_with_unit("api_request_duration", help, Unit::Seconds, self.durations.clone());
        let gauge = |number: usize| ConstGauge::new(i64::try_from(number).unwrap_or(i64::MAX));
        registry.register("store_objects", "Objects in the store", gauge(store.objects));
        registry.register(
            "store_claims",
            "Addresses, tags, port blocks and subnets in use",
            gauge(store.claims),
        );
        registry.register("store_history", "Changes that watches can look back", gauge(store.history));
        registry.register(
            "store_revision",
            "The last revision",
            ConstGauge::new(i64::try_from(store.revision).unwrap_or(i64::MAX)),
        );
        registry.register(
            "audit_records",
            "Records in the audit log",
            ConstGauge::new(i64::try_from(store.audit).unwrap_or(i64::MAX)),
        );
        registry.register("store_commits", "Synced commits", ConstCounter::new(store.commits));
        let time = ConstCounter::new(store.commit_time.as_secs_f64());
        registry.register_with_unit("store_commit_time", "Time spent in commits", Unit::Seconds, time);
        back_ends::register(&mut registry, back_ends);
        nodes::register(&mut registry, nodes);
        let mut text = String::new();
        encode(&mut text, &registry)?;
        Ok(text)
    }
}
