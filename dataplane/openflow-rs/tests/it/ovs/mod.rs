//! Against Open vSwitch as a switch: what it says that it has is what it was told.

mod client;
mod flows;
mod others;
mod switch;

use openflow::{
    FlowMod, FlowModCommand, GroupId, GroupMod, GroupModCommand, Message, MeterId, MeterMod, MeterModCommand,
    ReplyBody, RequestBody, TableId, Version,
    multipart::{FlowStats, FlowStatsRequest},
};

use self::{client::Client, switch::Switch};

/// A connection in a version, to a switch with no flows, groups and meters.
fn connect(switch: &Switch, version: Version) -> Client {
    let mut client = Client::new(switch.connect(), version);
    let flows = FlowMod { table: TableId::ALL, command: FlowModCommand::Delete, ..FlowMod::default() };
    let groups = GroupMod { command: GroupModCommand::Delete, group: GroupId::ALL, ..GroupMod::default() };
    let meters = MeterMod { command: MeterModCommand::Delete, meter: MeterId::ALL, ..MeterMod::default() };
    let all = [Message::FlowMod(flows), Message::GroupMod(groups), Message::MeterMod(meters)];
    assert_eq!(client.tell(&all), []);
    client
}

/// Every flow that there is.
fn flows(client: &mut Client) -> Vec<FlowStats> {
    let parts = client.multipart(RequestBody::Flow(FlowStatsRequest::default()));
    let flows = |part| match part {
        ReplyBody::Flow(flows) => flows,
        other => panic!("{other:?} are no flows"),
    };
    parts.into_iter().flat_map(flows).collect()
}
