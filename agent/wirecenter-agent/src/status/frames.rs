//! How the frames ended that the node's ports took in, as `wcnode stages` and `wcnode drops` show it.

use std::collections::BTreeMap;

use fastpath::{StageFlow, Tally};
use serde::Serialize;

/// The same by name, for the controller: `stages.STAGE.DIRECTION.WHAT` and `drops.REASON.STAGE`.
pub(crate) fn counters(tally: &Tally) -> BTreeMap<String, u64> {
    let stages = tally.stages().into_iter().flat_map(|flow| {
        let place = format!("stages.{}.{}", flow.stage.name(), flow.direction.name());
        let Flow { r#in, out, turned, answered, user_space, kernel, dropped } = Flow::from(&flow);
        [
            ("in", r#in),
            ("out", out),
            ("turned", turned),
            ("answered", answered),
            ("user_space", user_space),
            ("kernel", kernel),
            ("dropped", dropped),
        ]
        .map(|(what, frames)| (format!("{place}.{what}"), frames))
    });
    let drops = tally
        .drops_by_stage()
        .map(|(reason, stage, frames)| (format!("drops.{}.{}", reason.name(), stage.name()), frames));
    stages.chain(drops).collect()
}

/// Since the maps were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Frames {
    /// By stage of the chain (volt, vcpe, vbng) and direction (up, down).
    stages: BTreeMap<&'static str, BTreeMap<&'static str, Flow>>,
    /// By reason and stage; what never was is left out.
    drops: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
}

/// What went through a stage in one direction: `in` is `out` and all that follows it but `turned`, which is a part of `out`
/// or `in`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Flow {
    r#in: u64,
    /// To the next stage: of the last one, to the core or to a line.
    out: u64,
    /// Of the vBNG, from one subscriber to another.
    turned: u64,
    answered: u64,
    user_space: u64,
    kernel: u64,
    dropped: u64,
}

impl From<&StageFlow> for Flow {
    fn from(flow: &StageFlow) -> Self {
        Self {
            r#in: flow.came_in,
            out: flow.went_out,
            turned: flow.turned,
            answered: flow.answered,
            user_space: flow.to_user_space,
            kernel: flow.to_kernel,
            dropped: flow.dropped,
        }
    }
}

impl From<&Tally> for Frames {
    fn from(tally: &Tally) -> Self {
        let mut frames = Self { stages: BTreeMap::new(), drops: BTreeMap::new() };
        for flow in &tally.stages() {
            let directions = frames.stages.entry(flow.stage.name()).or_default();
            directions.insert(flow.direction.name(), flow.into());
        }
        for (reason, stage, count) in tally.drops_by_stage().filter(|(.., count)| *count > 0) {
            frames.drops.entry(reason.name()).or_default().insert(stage.name(), count);
        }
        frames
    }
}
