//! The storm limit: of what a line says to all on its link, nothing while it has said too much, and nothing else is stopped
//! for that.

use fastpath::DropReason;
use packet_logic::Verdict;

use crate::random::{
    generator::{Frame, Way},
    host::{End, Run},
    office::{LINES, Line},
    tally::Tally,
    view::{Framed, View},
};

/// Whether a frame is of a bridged home, which it is whoever sends it: also of what is no device of the home's.
fn is_of_bridged(frame: &Frame) -> bool {
    let vids = Framed::read(&frame.bytes).vids();
    let is_its = |line: &Line| line.bridged.is_some() && line.port == frame.by && line.tags == vids;
    frame.way == Way::Up && LINES.iter().any(is_its)
}

/// `from`: the line that the frame is of.
pub(super) fn assert_stopped(
    from: Option<usize>,
    frame: &Frame,
    run: &Run,
    may_broadcast: bool,
    tally: &mut Tally,
) {
    let is_of_line = from.is_some() || is_of_bridged(frame);
    let is_to_all = is_of_line && frame.bytes[0] & 1 != 0;
    let is_stopped = run.verdict() == Verdict::Drop(DropReason::Storm);
    assert!(!is_stopped || is_to_all && !may_broadcast, "it may be sent");
    if !is_to_all {
        return;
    }
    // A frame whose tags are cut off is of no line.
    let is_of_none = matches!(run.verdict(), Verdict::Drop(DropReason::Truncated));
    assert!(is_stopped || may_broadcast || is_of_none, "it may not be sent");
    let is_v6 = View::of(&frame.bytes).is_some_and(|packet| packet.is_v6());
    assert!(run.is_answer() || run.fate.end != End::Redirected, "what is for all on the link stays there");
    tally.saw_if(is_stopped, "a storm is stopped", is_v6);
    tally.saw_if(run.is_answer() || !run.fate.punts.is_empty(), "what is said to all is answered", is_v6);
}
