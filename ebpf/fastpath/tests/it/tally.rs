//! How a frame was counted.

use fastpath::{DropReason, Inspector, Tally};
use map_abi::{Course, End};

pub(crate) fn tally(inspector: &Inspector) -> Tally {
    inspector.tally().expect("counted")
}

/// What was counted since.
pub(crate) fn since(before: &Tally, after: &Tally) -> Tally {
    let mut grown = after.clone();
    for (now, before) in grown.ends.iter_mut().zip(&before.ends) {
        *now -= before;
    }
    for (now, before) in grown.drops.iter_mut().zip(&before.drops) {
        *now -= before;
    }
    grown
}

/// How the one frame ended that came in meanwhile, or why it was dropped.
pub(crate) fn only_one(before: &Tally, after: &Tally) -> (Course, Result<End, DropReason>) {
    let grown = since(before, after);
    assert_eq!(grown.frames(), 1, "a frame is counted once");
    let ends = |course| End::ALL.iter().map(move |end| (course, Ok(*end)));
    let drops = |course| DropReason::ALL.iter().map(move |reason| (course, Err(*reason)));
    let mut all = Course::ALL.into_iter().flat_map(|course| ends(course).chain(drops(course)));
    let is_it = |(course, end): &(Course, Result<End, DropReason>)| match end {
        Ok(end) => grown.end(*end, *course) == 1,
        Err(reason) => grown.drop(*reason, *course) == 1,
    };
    all.find(is_it).expect("one of them")
}
