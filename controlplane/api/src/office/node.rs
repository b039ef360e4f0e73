//! The rules of nodes.

use intent_store::Table;
use office_plan::{Claim, clashes};
use xos_model::{Condition, Node, NodeSpec, PortRole};

use super::{
    Admission, Rejection,
    admission::{Managed, Ready},
    join,
};

impl Managed for NodeSpec {
    fn admit(admission: &mut Admission<'_, '_>, old: Option<&Node>, new: &mut Node) -> Result<(), Rejection> {
        let pools = admission.pools(new.name())?;
        if let Some((fault, _)) = clashes(&new.spec, &pools).into_iter().next() {
            return Err(Rejection::conflict(fault.pointer, fault.detail));
        }
        for (i, port) in old.iter().flat_map(|old| &old.spec.ports).enumerate() {
            let still = new.spec.ports.iter().position(|new| new.name == port.name);
            if still.is_some_and(|i| new.spec.ports[i].role == PortRole::Access) {
                continue;
            }
            let prefix = Claim::tags_of_port(new.name(), &port.name);
            if let Some(subscriber) = admission.first_holder(&prefix) {
                let at = xos_model::Pointer::from("/spec/ports");
                let at = still.map_or_else(|| at.clone(), |i| at.at(i).at("role"));
                let detail = format!("access port {i} ({}) is in use by Subscriber {subscriber}", port.name);
                return Err(Rejection::conflict(at, detail));
            }
        }
        new.status.observed_generation = new.metadata.generation.unwrap_or(0);
        admission.scratch.changed(new.name());
        Ok(())
    }

    /// Its agent says how it is: see [`super::Office::node_reported`].
    fn ready(_node: &Node, _synced: &Condition) -> Option<Ready> {
        None
    }

    fn retire(admission: &mut Admission<'_, '_>, old: &Node) -> Result<(), Rejection> {
        admission.txn.delete(Table::Claims, &join::key(old.name()));
        admission.scratch.changed(old.name());
        admission.scratch.ground_changed(|ground| ground.remove(old.name()));
        Ok(())
    }
}
