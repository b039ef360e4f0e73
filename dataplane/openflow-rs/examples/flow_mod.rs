//! Builds a flow that sends what is for a web server on to it, and prints the message's bytes.

use openflow::{Action, FlowMod, Instruction, Match, Message, PortNo, Version, Xid, oxm::fields};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let web = Match::new().eth_type(0x0800).ipv4_dst([192, 0, 2, 1].into()).ip_proto(6).tcp_dst(80);
    web.check()?;
    let actions = vec![
        Action::set_field(fields::ETH_DST, [2, 0, 0, 0, 0, 1]),
        Action::DecNwTtl,
        Action::output(PortNo(3)),
    ];
    let flow = FlowMod {
        priority: 100,
        matching: web,
        instructions: vec![Instruction::ApplyActions(actions)],
        ..FlowMod::default()
    };
    for version in Version::ALL.iter().copied() {
        println!("OpenFlow {version}, transaction 1:");
        for line in Message::from(flow.clone()).to_bytes(version, Xid(1))?.chunks(16) {
            println!("    {}", line.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "));
        }
    }
    Ok(())
}
