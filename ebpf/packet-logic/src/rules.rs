//! Whether a flow may be, by its subscriber's rules: looked at when it begins, and anew when the rules have changed.
//!
//! Programs of their own, one for each direction: no packet of a flow that is known comes here.

mod decide;
mod down;
mod up;

pub use down::rules_in;
pub use up::rules;

use map_abi::{DropReason, RulesRef};

use crate::{
    Tables,
    flows::{self, Ends, Print},
    home::Home,
    live::field,
};

/// In `FlowEntry::judged`: the flow began outside.
const OUTSIDE: u8 = 1 << 7;

/// Which rules there are, by a subscriber's home.
#[inline(always)]
pub(crate) fn of(home: Home) -> RulesRef {
    field!(home.six(), rules).get()
}

/// Asks the rules about a flow, which the firewall then knows, or forgets. What began on one side stays so, whichever side
/// sends the packet that it is looked at anew for. `is_expected`: unless a rule is about it, it may come in.
#[inline(always)]
fn judge<T: Tables>(
    tables: &T,
    home: Home,
    now_ns: u64,
    ends: &Ends,
    origin: u8,
    is_expected: bool,
) -> Result<(), DropReason> {
    let memory = flows::of(tables, home.six(), now_ns).ok_or(DropReason::Inconsistent)?;
    let rules = of(home);
    let print = Print::of(tables, ends).ok_or(DropReason::Inconsistent)?;
    let known = memory.existing(print.0, print.hash());
    let origin = known.map_or(origin, flows::judged) & OUTSIDE;
    let decided = decide::decide(tables, rules, origin == 0, ends, is_expected);
    if let Err(reason) = decided {
        if let Some(flow) = known {
            flow.forget(print.0);
        }
        return Err(reason);
    }
    let judged = origin | rules.generation();
    if let Some(flow) = known {
        flows::set_judged(flow, judged);
        return Ok(());
    }
    let claimed = memory.claim(print.0, print.hash(), |entry| flows::fill(entry, ends.protocol, judged));
    if claimed.is_some() { Ok(()) } else { Err(DropReason::FlowsExhausted) }
}
