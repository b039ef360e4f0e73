//! Why a frame may be dropped, as far as the frame and its line alone can say.

use std::net::IpAddr;

use fastpath::DropReason;
use packet_logic::Verdict;

use super::{names, sender, walls};
use crate::random::{
    generator::{Frame, Way},
    host::Run,
    office::{CORE, Check, LINES, Line, Rates, State, Target, Wall, is_of, route},
    tally::Tally,
    view::{UDP, View},
};

pub(super) fn is_parental_control(reason: DropReason) -> bool {
    matches!(reason, DropReason::DnsUnreadable | DropReason::DnsBlocked | DropReason::DnsEncrypted)
}

pub(super) fn assert_may_be(frame: &Frame, run: &Run, tally: &mut Tally) {
    let (Verdict::Drop(reason), Some(packet)) = (run.verdict(), View::of(&frame.bytes)) else { return };
    let is_v6 = packet.is_v6();
    if let Some(line) = sender(frame).map(|line| &LINES[line])
        && run.is_up()
    {
        assert_may_be_of_sender(line, reason, &packet, tally);
        return;
    }
    let any = |is_it: fn(&Line) -> bool| LINES.iter().any(|line| is_it(line) && is_for(line, &packet));
    match reason {
        DropReason::ReversePath => {
            let check = CORE[frame.by].check;
            let is_wrong = match (check, route(packet.source)) {
                (Check::Nothing, _) => false,
                (Check::Loose, target) => !matches!(target, Target::Core(_)),
                (Check::Strict, target) => target != Target::Core(frame.by),
            };
            assert!(is_wrong && frame.way == Way::Down, "{} comes by the right port", packet.source);
            let is_strict = check == Check::Strict;
            tally.saw(
                if is_strict { "the strict check keeps out" } else { "the loose check keeps out" },
                is_v6,
            );
        }
        DropReason::Garden => {
            assert!(any(Line::is_in_garden));
            tally.saw("what is not in the garden is dropped", is_v6);
        }
        DropReason::Suspended => {
            assert!(any(|line| line.state == State::Quarantined));
            tally.saw("what is for a quarantined line is dropped", is_v6);
        }
        DropReason::Rule => {
            assert!(any(|line| !line.rules.is_empty()));
            tally.saw("a rule keeps out", is_v6);
        }
        DropReason::Firewall => {
            assert!(any(|line| line.wall != Wall::None));
            tally.saw("a firewall keeps out what answers nothing", is_v6);
        }
        DropReason::RateDown => {
            assert!(any(|line| line.rate == Rates::Red));
            tally.saw("a red packet is dropped", is_v6);
        }
        DropReason::SubscriberMacUnknown => {
            let to = packet.to;
            let has_no_device = |line: &Line| {
                let IpAddr::V4(to) = to else { return false };
                line.bridged.is_some() && is_of(line.home(), to.octets()) && !line.holds(to.octets())
            };
            assert!(any(|line| !line.has_mac) || LINES.iter().any(has_no_device));
        }
        DropReason::RateUp => panic!("nothing from the core is too much of what is sent"),
        reason => assert!(!is_parental_control(reason), "{reason:?} of what is for a subscriber"),
    }
}

/// Whether a packet is for a line, or may be.
fn is_for(line: &Line, packet: &View) -> bool {
    match packet.to {
        IpAddr::V4(to) => line.is_reached_by(to.octets()),
        to @ IpAddr::V6(_) => line.owns(to),
    }
}

fn assert_may_be_of_sender(line: &Line, reason: DropReason, packet: &View, tally: &mut Tally) {
    let is_v6 = packet.is_v6();
    match reason {
        DropReason::Garden => {
            assert!(line.is_in_garden(), "{} may go anywhere", line.name);
            tally.saw("what is not in the garden is dropped", is_v6);
        }
        DropReason::Suspended => {
            assert_eq!(line.state, State::Quarantined, "{} has a garden", line.name);
            tally.saw("what a quarantined line sends is dropped", is_v6);
        }
        DropReason::Rule => {
            walls::assert_may_be_kept_in(line, packet);
            tally.saw("a rule keeps in", is_v6);
        }
        DropReason::RateUp => {
            assert_eq!(line.rate, Rates::Red, "{}", line.name);
            tally.saw("a red packet is dropped", is_v6);
        }
        DropReason::SourceMac if line.bridged.is_some() => {
            tally.saw("a device does not pass for another", is_v6);
        }
        DropReason::ReversePath | DropReason::RateDown => panic!("{reason:?} of what is sent"),
        reason if is_parental_control(reason) => {
            assert!(names::is_controlled(line), "{} has nothing blocked", line.name);
            let is_quic = reason == DropReason::DnsEncrypted && packet.protocol == UDP;
            tally.saw_if(is_quic, "QUIC to an encrypted resolver is dropped", is_v6);
            let area = "what cannot be read does not pass parental control";
            tally.saw_if(reason == DropReason::DnsUnreadable, area, is_v6);
        }
        _ => {}
    }
}
