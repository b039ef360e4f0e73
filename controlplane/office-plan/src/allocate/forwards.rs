//! Which outside ports lead into a home.

use node_state::Nat;
use xos_model::{Fault, ForwardedPort, NatBlock, Pointer, PortForward};

use super::Refusal;

/// A port of the block for each forward: the one that is asked for, the one that it had, or the lowest that is free.
pub(super) fn allocate(
    wanted: &[PortForward],
    previous: &[ForwardedPort],
    block: NatBlock,
) -> Result<Vec<ForwardedPort>, Refusal> {
    let first = block.first_port + Nat::HEAD;
    let ports = first..=block.first_port + (block.ports - 1);
    let at = Pointer::from("/spec/bundle/portForwards");
    let mut given: Vec<Option<u16>> = Vec::new();
    for (i, forward) in wanted.iter().enumerate() {
        if let Some(port) = forward.port.filter(|port| !ports.contains(port)) {
            let detail = format!(
                "{port} is not one of the subscriber's ports that can be forwarded, {} to {} of {}; without one, the \
                 office picks it",
                ports.start(),
                ports.end(),
                block.address
            );
            return Err(Refusal::Invalid(Fault::new(at.at(i).at("port"), detail)));
        }
        given.push(forward.port);
    }
    for i in (0..wanted.len()).filter(|i| wanted[*i].port.is_none()) {
        let is_same = |had: &&ForwardedPort| {
            had.address == block.address
                && (had.protocol, had.to_port) == (wanted[i].protocol, wanted[i].to_port)
        };
        let is_free = |port: &u16| ports.contains(port) && !given.contains(&Some(*port));
        given[i] = previous.iter().find(is_same).map(|had| had.port).filter(is_free);
    }
    for i in 0..wanted.len() {
        if given[i].is_none() {
            given[i] = ports.clone().find(|port| !given.contains(&Some(*port)));
        }
    }
    let forwarded = |(forward, port): (&PortForward, Option<u16>)| {
        let PortForward { protocol, port: _, to_port } = *forward;
        let port = port.expect("the smallest block has more ports than there can be forwards");
        ForwardedPort { protocol, address: block.address, port, to_port }
    };
    Ok(wanted.iter().zip(given).map(forwarded).collect())
}
