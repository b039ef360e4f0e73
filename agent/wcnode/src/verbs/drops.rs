//! What was dropped, and why.

use std::{collections::BTreeMap, time::Duration};

use map_abi::{DropReason, Stage, Tally};
use serde::Serialize;

use super::{look, open, unreadable};
use crate::{
    cli::{Drops, Place},
    failure::Failure,
    sample::per_second,
    show,
};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Drop {
    reason: &'static str,
    /// Of the chain: volt, vcpe or vbng. Some reasons are one's upwards and another's downwards.
    stage: &'static str,
    packets: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    packets_per_s: Option<u64>,
    meaning: String,
}

pub(crate) fn drops(place: &Place, arguments: &Drops) -> Result<(), Failure> {
    let inspector = open(place)?;
    let mut before: Option<Tally> = None;
    look(&arguments.watching, |elapsed| {
        let now = inspector.tally().map_err(|source| unreadable(place, source))?;
        let drops = rows(&now, before.as_ref(), elapsed, arguments.all);
        before = Some(now);
        show::text(arguments.output, &drops, || table(&drops))
    })
}

fn by_stage(tally: &Tally) -> BTreeMap<(DropReason, Stage), u64> {
    tally.drops_by_stage().map(|(reason, stage, packets)| ((reason, stage), packets)).collect()
}

/// Most first.
fn rows(now: &Tally, before: Option<&Tally>, elapsed: Duration, all: bool) -> Vec<Drop> {
    let before = before.map(by_stage);
    let row = |(key, packets): ((DropReason, Stage), u64)| {
        let old = before.as_ref().and_then(|before| before.get(&key));
        let (reason, stage) = key;
        Drop {
            reason: reason.name(),
            stage: stage.name(),
            packets,
            packets_per_s: old.map(|old| per_second(*old, packets, elapsed)),
            meaning: reason.help().trim().into(),
        }
    };
    let mut rows: Vec<Drop> =
        by_stage(now).into_iter().map(row).filter(|drop| all || drop.packets > 0).collect();
    rows.sort_by(|a, b| b.packets.cmp(&a.packets).then(a.reason.cmp(b.reason)));
    rows
}

fn table(drops: &[Drop]) -> String {
    if drops.is_empty() {
        return "No packet was dropped.\n".into();
    }
    let with_speed = drops.iter().any(|drop| drop.packets_per_s.is_some());
    let titles: &[&str] = if with_speed {
        &["REASON", "STAGE", ">PACKETS", ">PER-SECOND", "MEANING"]
    } else {
        &["REASON", "STAGE", ">PACKETS", "MEANING"]
    };
    let row = |drop: &Drop| {
        let mut row = vec![drop.reason.to_owned(), drop.stage.to_owned(), drop.packets.to_string()];
        if with_speed {
            row.push(drop.packets_per_s.map(|speed| speed.to_string()).unwrap_or_default());
        }
        row.push(drop.meaning.clone());
        row
    };
    show::table(titles, drops.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use map_abi::Course;

    use super::*;

    fn tally(drops: &[(DropReason, Course, u64)]) -> Tally {
        let mut tally = Tally::default();
        for (reason, course, packets) in drops {
            tally.drops[reason.index(*course) as usize] = *packets;
        }
        tally
    }

    #[test]
    fn drops_come_with_their_meaning_most_first() {
        let now = tally(&[
            (DropReason::Truncated, Course::UP, 1),
            (DropReason::Truncated, Course::TURNED, 1),
            (DropReason::Truncated, Course::DOWN, 1),
            (DropReason::RateUp, Course::UP, 30),
        ]);
        let expected = "\
REASON      STAGE   PACKETS   MEANING
rate_up     vcpe         30   The subscriber's upstream rate is exceeded.
truncated   vbng          2   The frame ends before its headers do.
truncated   volt          1   The frame ends before its headers do.
";
        assert_eq!(table(&rows(&now, None, Duration::ZERO, false)), expected);
        let before = tally(&[(DropReason::Truncated, Course::UP, 1), (DropReason::RateUp, Course::UP, 10)]);
        let shown = table(&rows(&now, Some(&before), Duration::from_secs(2), true));
        let first: Vec<&str> = shown.lines().take(4).collect();
        let expected = "\
REASON                   STAGE   PACKETS   PER-SECOND   MEANING
rate_up                  vcpe         30           10   The subscriber's upstream rate is exceeded.
truncated                vbng          2            1   The frame ends before its headers do.
truncated                volt          1            0   The frame ends before its headers do.";
        assert_eq!(first.join("\n"), expected);
        assert!(shown.contains("source_mac               volt          0            0"), "{shown}");
        assert_eq!(table(&[]), "No packet was dropped.\n");
    }
}
