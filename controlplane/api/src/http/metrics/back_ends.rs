//! What the synchronizer counts of each back end.

use std::sync::atomic::AtomicU64;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};
use synchronizer::{BackEnd, Metrics};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    back_end: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct In {
    back_end: String,
    state: &'static str,
}

type Count = fn(&Metrics) -> u64;

pub(super) fn register(registry: &mut Registry, all: &[(BackEnd, Metrics)]) {
    let units = Family::<In, Gauge>::default();
    let waited = Family::<Of, Counter<f64, AtomicU64>>::default();
    for (back_end, metrics) in all {
        let back_end = back_end.to_string();
        let states = [
            ("blocked", metrics.blocked),
            ("ready", metrics.ready),
            ("running", metrics.running),
            ("awaiting", metrics.awaiting),
            ("backing-off", metrics.backing_off),
        ];
        for (state, count) in states {
            let labels = In { back_end: back_end.clone(), state };
            units.get_or_create(&labels).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        waited.get_or_create(&Of { back_end }).inc_by(metrics.settled.total.as_secs_f64());
    }
    registry.register("sync_units", "Objects that a back end does not have yet as they should be", units);
    let help = "Time from changes until back ends had them, together";
    registry.register_with_unit("sync_settle_time", help, Unit::Seconds, waited);
    let counts: [(&str, &str, Count); 6] = [
        ("sync_settled", "Changes that back ends have taken", |metrics| metrics.settled.count),
        ("sync_actions", "Objects handed to back ends", |metrics| metrics.actions),
        ("sync_retries", "Of those, not for the first time", |metrics| metrics.retries),
        ("sync_errors", "Failures", |metrics| metrics.errors),
        ("sync_timeouts", "Of those, for want of an answer", |metrics| metrics.timeouts),
        ("sync_drifts", "Differences that a comparison found", |metrics| metrics.drifts),
    ];
    for (name, help, count) in counts {
        let family = Family::<Of, Counter>::default();
        for (back_end, metrics) in all {
            family.get_or_create(&Of { back_end: back_end.to_string() }).inc_by(count(metrics));
        }
        registry.register(name, help, family);
    }
}
