//! What has no form on the wire, and what is refused from there.

use openflow::{
    Action, BundleAdd, BundleFlags, BundleId, DecodeError, EncodeError, FlowMod, Hello, HelloElement,
    Instruction, Match, Message, MeterId, PortNo, Problem, TableId, Version, VlanVid, Xid, frame_length,
    nicira::{CloneActions, NiciraAction, Resubmit, Subfield},
    oxm::{MatchError, Oxm, OxmId, TunMetadata, fields},
};

fn flow_of(actions: Vec<Action>) -> Message {
    let instructions = vec![Instruction::ApplyActions(actions)];
    Message::FlowMod(FlowMod { instructions, ..FlowMod::default() })
}

fn refused(message: &Message, version: Version) -> EncodeError {
    let mut out = b"before".to_vec();
    let error = message.encode(version, Xid(1), &mut out).expect_err("it has no form");
    assert_eq!(out, b"before", "what was there stays, and nothing is added");
    error
}

#[test]
fn too_long_is_an_error_that_says_what() {
    let many = vec![Action::DecNwTtl; 10_000];
    let error = refused(&flow_of(many), Version::V1_3);
    assert_eq!(error, EncodeError { field: "instruction", problem: Problem::TooLong });
    let most = vec![Action::DecNwTtl; (65_535 - 64) / 8];
    flow_of(most).to_bytes(Version::V1_3, Xid(1)).expect("as long as a message can be");
    let error = refused(&Message::EchoRequest(vec![0; 65_528]), Version::V1_3);
    assert_eq!(error, EncodeError { field: "message", problem: Problem::TooLong });
}

fn nested(depth: u32) -> Action {
    let actions = if depth == 0 { Vec::new() } else { vec![nested(depth - 1)] };
    Action::Nicira(NiciraAction::Clone(CloneActions(actions)))
}

#[test]
fn too_deep_is_an_error_both_ways() {
    let bytes = flow_of(vec![nested(7)]).to_bytes(Version::V1_3, Xid(1)).expect("eight levels");
    Message::decode(Version::V1_3, &bytes).expect("eight levels");
    let error = refused(&flow_of(vec![nested(8)]), Version::V1_3);
    assert_eq!(error.problem, Problem::TooDeep);

    // A ninth level by hand: each is a header of 16 bytes around the next.
    let mut actions = Vec::new();
    for level in (0_u16..9).rev() {
        let len = 16 * (9 - level);
        let header = [0xff, 0xff, (len >> 8).to_be_bytes()[1], len.to_be_bytes()[1], 0, 0, 0x23, 0x20, 0, 42];
        actions = [header.as_slice(), &[0; 6], &actions].concat();
    }
    let empty = flow_of(Vec::new()).to_bytes(Version::V1_3, Xid(1)).expect("short");
    let mut bytes = [empty.as_slice(), &actions].concat();
    let actions_len = u16::try_from(actions.len()).expect("short");
    let len = u16::try_from(bytes.len()).expect("short");
    bytes[2..4].copy_from_slice(&len.to_be_bytes());
    bytes[58..60].copy_from_slice(&(8 + actions_len).to_be_bytes());
    let DecodeError { what, .. } = Message::decode(Version::V1_3, &bytes).expect_err("nine levels");
    assert_eq!(what, "nesting, which is too deep");
}

#[test]
fn messages_in_messages_are_bounded_too() {
    let inside = |message| {
        let (bundle, flags) = (BundleId(1), BundleFlags::empty());
        let message = Box::new(message);
        Message::BundleAdd(BundleAdd { bundle, flags, xid: Xid(1), message, properties: Vec::new() })
    };
    let deep = (0..8).fold(Message::BarrierRequest, |message, _| inside(message));
    let bytes = deep.to_bytes(Version::V1_4, Xid(1)).expect("eight levels");
    assert_eq!(Message::decode(Version::V1_4, &bytes).expect("eight levels").1, deep);
    assert_eq!(refused(&inside(deep), Version::V1_4).problem, Problem::TooDeep);
}

#[test]
fn what_a_version_has_not_is_an_error() {
    assert_eq!(refused(&flow_of(vec![Action::Meter(MeterId(1))]), Version::V1_3).problem, Problem::Version);
    let important = Message::FlowMod(FlowMod { importance: 1, ..FlowMod::default() });
    assert_eq!(refused(&important, Version::V1_3).problem, Problem::Version);
    important.to_bytes(Version::V1_4, Xid(1)).expect("1.4 has it");
    let queues = Message::QueueGetConfigRequest(PortNo::ANY);
    queues.to_bytes(Version::V1_3, Xid(1)).expect("1.3 has it");
    assert_eq!(refused(&queues, Version::V1_4).problem, Problem::Version);
}

#[test]
fn a_value_for_which_there_is_no_room_is_an_error() {
    let far = Resubmit { in_port: PortNo(0x1_0000) };
    assert_eq!(refused(&flow_of(vec![far.into()]), Version::V1_3).problem, Problem::Value);
    let near = Resubmit { in_port: PortNo::LOCAL };
    flow_of(vec![near.into()])
        .to_bytes(Version::V1_3, Xid(1))
        .expect("the last ports are the last there too");
}

#[test]
fn illegal_values_cannot_be_made() {
    assert_eq!(VlanVid::new(4096), None);
    assert_eq!(TunMetadata::new(64), None);
    assert_eq!(Subfield::of(fields::REG0, 24, 9), None);
    assert_eq!(Subfield::of(fields::REG0, 0, 0), None);
    assert_eq!(OxmId::new(0xffff, 1, 4), None, "an experimenter's field names its experimenter");
    assert!(Oxm::raw(fields::IPV4_DST.id(), &[192, 0, 2], None).is_err());
    assert!(Oxm::raw(fields::IPV4_DST.id(), &[192, 0, 2, 1], Some(&[255])).is_err());
}

#[test]
fn a_match_says_why_a_switch_would_refuse_it() {
    let port = Match::new().tcp_dst(80);
    assert_eq!(port.check(), Err(MatchError::Prerequisite(fields::TCP_DST.info())));
    let late = Match::new().ip_proto(6).eth_type(0x0800);
    assert_eq!(late.check(), Err(MatchError::Prerequisite(fields::IP_PROTO.info())));
    let twice = Match::new().in_port(PortNo(1)).in_port(PortNo(2));
    assert_eq!(twice.check(), Err(MatchError::Duplicate(fields::IN_PORT.info())));
    let masked = Match::new().with_masked(fields::ETH_TYPE, 0x0800, 0xff00);
    assert_eq!(masked.check(), Err(MatchError::Mask(fields::ETH_TYPE.info())));
    assert_eq!(Match::new().eth_type(0x86dd).ip_proto(17).udp_src(53).check(), Ok(()));
}

#[test]
fn fields_come_out_with_their_types() {
    let vid = VlanVid::new(7).expect("legal");
    let matching = Match::new().vlan_vid(vid).metadata_masked(5, 0xff);
    assert_eq!(matching.value(fields::VLAN_VID), Some(vid));
    assert_eq!(matching.get(fields::METADATA), Some((5, Some(0xff))));
    assert_eq!(matching.value(fields::IN_PORT), None);
    assert_eq!(Match::new().untagged().value(fields::VLAN_VID), None, "there is no tag, and so no number");
}

#[test]
fn versions_are_negotiated_with_and_without_a_bitmap() {
    let ours = [Version::V1_3, Version::V1_5];
    assert_eq!(Hello::of(&[Version::V1_4]).negotiate(5, &ours), None);
    assert_eq!(Hello::of(&[Version::V1_3, Version::V1_5]).negotiate(6, &ours), Some(Version::V1_5));
    let old = Hello::default();
    assert_eq!(old.negotiate(1, &ours), None, "OpenFlow 1.0 alone");
    assert_eq!(old.negotiate(5, &ours), Some(Version::V1_3));
    let bytes = [4, 0, 0, 8, 0, 0, 0, 1];
    let (header, _) = Message::decode(Version::V1_5, &bytes).expect("a hello of any version");
    assert_eq!(header.version, 4);
    let words = HelloElement::VersionBitmap(Vec::new());
    assert_eq!(
        Hello { elements: vec![words] }.negotiate(6, &ours),
        None,
        "a bitmap decides, also an empty one"
    );
}

#[test]
fn errors_say_where() {
    let mut bytes = flow_of(vec![Action::output(PortNo(1))]).to_bytes(Version::V1_3, Xid(1)).expect("short");
    let command = 8 + 17;
    bytes[command] = 9;
    let error = Message::decode(Version::V1_3, &bytes).expect_err("there is no such command");
    assert_eq!(error, DecodeError { offset: command, what: "FlowMod.command" });
    bytes[command] = 0;
    bytes[0] = 6;
    let error = Message::decode(Version::V1_3, &bytes).expect_err("1.3 was negotiated");
    assert_eq!(error.offset, 0);
}

#[test]
fn padding_may_hold_anything() {
    let goto = Message::FlowMod(FlowMod {
        instructions: vec![Instruction::GotoTable(TableId(1))],
        ..FlowMod::default()
    });
    let mut bytes = goto.to_bytes(Version::V1_3, Xid(1)).expect("short");
    *bytes.last_mut().expect("a byte") = 0xff;
    assert_eq!(Message::decode(Version::V1_3, &bytes).expect("sound").1, goto);
}

#[test]
fn a_stream_is_cut_into_messages() {
    let mut stream = Vec::new();
    for message in [Message::BarrierRequest, Message::EchoRequest(b"ping".to_vec())] {
        message.encode(Version::V1_3, Xid(1), &mut stream).expect("short");
    }
    let len = frame_length(&stream).expect("enough to tell");
    assert_eq!((len, frame_length(&stream[len..])), (8, Some(12)));
}
