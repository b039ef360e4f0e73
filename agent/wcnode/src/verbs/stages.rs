//! What went through each stage of the chain.

use std::time::Duration;

use map_abi::{StageFlow, Tally};
use serde::Serialize;

use super::{look, open, unreadable};
use crate::{
    cli::{Place, Stages},
    failure::Failure,
    sample::per_second,
    show,
};

/// A stage in one direction: `in` is `out` and all that follows it but `turned`, which is a part of `out` or `in`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    stage: &'static str,
    direction: &'static str,
    r#in: u64,
    /// To the next stage: of the last one, to the core or to a line.
    out: u64,
    /// Of the vBNG, from one subscriber to another.
    turned: u64,
    answered: u64,
    user_space: u64,
    kernel: u64,
    dropped: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    per_second: Option<Speed>,
}

#[derive(Serialize)]
struct Speed {
    r#in: u64,
    out: u64,
    dropped: u64,
}

pub(crate) fn stages(place: &Place, arguments: &Stages) -> Result<(), Failure> {
    let inspector = open(place)?;
    let mut before: Option<Tally> = None;
    look(&arguments.watching, |elapsed| {
        let now = inspector.tally().map_err(|source| unreadable(place, source))?;
        let rows = rows(&now, before.as_ref(), elapsed);
        before = Some(now);
        show::text(arguments.output, &rows, || table(&rows))
    })
}

/// In the order in which a frame of one subscriber to another comes through them.
fn rows(now: &Tally, before: Option<&Tally>, elapsed: Duration) -> Vec<Row> {
    let before = before.map(Tally::stages);
    let row = |(place, flow): (usize, StageFlow)| {
        let speed = before.as_ref().map(|before| Speed {
            r#in: per_second(before[place].came_in, flow.came_in, elapsed),
            out: per_second(before[place].went_out, flow.went_out, elapsed),
            dropped: per_second(before[place].dropped, flow.dropped, elapsed),
        });
        Row {
            stage: flow.stage.name(),
            direction: flow.direction.name(),
            r#in: flow.came_in,
            out: flow.went_out,
            turned: flow.turned,
            answered: flow.answered,
            user_space: flow.to_user_space,
            kernel: flow.to_kernel,
            dropped: flow.dropped,
            per_second: speed,
        }
    };
    now.stages().into_iter().enumerate().map(row).collect()
}

fn table(rows: &[Row]) -> String {
    let mut titles = vec![
        "STAGE",
        "DIRECTION",
        ">IN",
        ">OUT",
        ">TURNED",
        ">ANSWERED",
        ">USER-SPACE",
        ">KERNEL",
        ">DROPPED",
    ];
    if rows.iter().any(|row| row.per_second.is_some()) {
        titles.extend([">IN/S", ">OUT/S", ">DROPPED/S"]);
    }
    let cells = |row: &Row| {
        let counts = [row.r#in, row.out, row.turned, row.answered, row.user_space, row.kernel, row.dropped];
        let speeds = row.per_second.iter().flat_map(|speed| [speed.r#in, speed.out, speed.dropped]);
        let names = [row.stage, row.direction].map(str::to_owned);
        names.into_iter().chain(counts.into_iter().chain(speeds).map(|count| count.to_string())).collect()
    };
    show::table(&titles, rows.iter().map(cells).collect())
}

#[cfg(test)]
mod tests {
    use map_abi::{Answer, Course, DropReason, End, PuntReason};

    use super::*;

    fn tally(factor: u64) -> Tally {
        let mut tally = Tally::default();
        for (end, course, frames) in [
            (End::Forwarded, Course::UP, 100),
            (End::Forwarded, Course::DOWN, 200),
            (End::Forwarded, Course::TURNED, 5),
            (End::Kernel, Course::DOWN, 7),
            (End::Answered(Answer::Arp), Course::UP, 3),
            (End::UserSpace(PuntReason::Dhcp), Course::UP, 2),
        ] {
            tally.ends[end.index(course) as usize] = frames * factor;
        }
        for (reason, course, frames) in [
            (DropReason::SourceMac, Course::UP, 11),
            (DropReason::RateDown, Course::TURNED, 1),
            (DropReason::RateDown, Course::DOWN, 40),
        ] {
            tally.drops[reason.index(course) as usize] = frames * factor;
        }
        tally
    }

    #[test]
    fn what_leaves_a_stage_comes_into_the_next() {
        let expected = "\
STAGE   DIRECTION    IN   OUT   TURNED   ANSWERED   USER-SPACE   KERNEL   DROPPED
volt    up          122   108        0          3            0        0        11
vcpe    up          108   106        0          0            2        0         0
vbng    up          106   106        6          0            0        0         0
vbng    down        253   246        6          0            0        7         0
vcpe    down        246   205        0          0            0        0        41
volt    down        205   205        0          0            0        0         0
";
        assert_eq!(table(&rows(&tally(1), None, Duration::ZERO)), expected);
    }

    #[test]
    fn a_second_look_shows_rates() {
        let shown = table(&rows(&tally(3), Some(&tally(1)), Duration::from_secs(2)));
        let mut lines = shown.lines();
        let titles = lines.next().expect("a line of titles");
        assert!(titles.ends_with("DROPPED   IN/S   OUT/S   DROPPED/S"), "{titles}");
        let first = lines.next().expect("a stage");
        assert!(first.ends_with("33    122     108          11"), "{first}");
    }

    #[test]
    fn as_json() {
        let json = serde_json::to_value(rows(&tally(1), None, Duration::ZERO)).expect("JSON");
        let expected = serde_json::json!({
            "stage": "vbng", "direction": "down", "in": 253, "out": 246, "turned": 6, "answered": 0,
            "userSpace": 0, "kernel": 7, "dropped": 0
        });
        assert_eq!((json.as_array().map(Vec::len), &json[3]), (Some(6), &expected));
    }
}
