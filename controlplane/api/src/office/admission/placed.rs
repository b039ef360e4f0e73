//! On which node a machine is placed: chosen when all operations are done, so that their order does not matter to it.
//!
//! A placed machine holds `placed/NODE/SLICE/INSTANCE`, from which is counted how many are where; and, as if it named its
//! node, a reference to it.

use intent_store::Table;
use net_types::Name;
use office_plan::{Claim, place};
use xos_model::{DeploymentSpec, Instance, InstanceSpec, Kind, KindName, Node, NodeSpec, Object, Reference};

use super::{Admission, Done, Effect, Managed, Misplaced, references};
use crate::office::{Rejection, Target, ground::Ground, object_key, stored::decode};

/// A machine that is to be placed, or whose slice is another.
pub(super) struct Placing {
    operation: usize,
    instance: Name,
    /// Its placement is new, so that its node is to be chosen.
    anew: bool,
}

/// Which node a machine gets.
enum Choice {
    Node(Name),
    /// The deployment's back end chooses.
    BackEnds,
    /// It names what is not there, and is refused for that later.
    Dangling,
}

impl Managed for InstanceSpec {
    fn admit(
        admission: &mut Admission<'_, '_>,
        old: Option<&Instance>,
        new: &mut Instance,
    ) -> Result<(), Rejection> {
        let anew = old.is_none_or(|old| old.spec.placement != new.spec.placement);
        if anew || old.is_some_and(|old| old.spec.slice != new.spec.slice) {
            if let Some(old) = old {
                admission.give_place_back(old)?;
            }
            let (operation, instance) = (admission.place, new.name().clone());
            admission.placing.push(Placing { operation, instance, anew });
        }
        Ok(())
    }

    fn regraph(
        admission: &mut Admission<'_, '_>,
        old: Option<&Instance>,
        new: Option<&Instance>,
    ) -> Result<(), Rejection> {
        admission.regraph(old, new, |graph, name, _| graph.admit_instance(name))
    }

    fn retire(admission: &mut Admission<'_, '_>, old: &Instance) -> Result<(), Rejection> {
        admission.give_place_back(old)?;
        admission.leave_node(old);
        Ok(())
    }
}

impl Admission<'_, '_> {
    /// All operations are done: machines get their nodes, in the order in which they were asked for.
    pub(super) fn place_machines(&mut self) -> Result<(), Misplaced> {
        for Placing { operation, instance, anew } in std::mem::take(&mut self.placing) {
            self.place = operation;
            if let Err(rejection) = self.place_machine(&instance, anew) {
                // Whoever may not make it is told no more than that.
                self.judge_open()?;
                return Err(Misplaced { operation, rejection });
            }
        }
        Ok(())
    }

    /// As they are now that they are placed.
    pub(super) fn show_placed(&mut self, all: &mut [Done]) {
        let placed = std::mem::take(&mut self.placed);
        for done in
            all.iter_mut().filter(|done| done.kind == KindName::Instance && placed.contains(&done.name))
        {
            if let Some(record) = self.txn.get(Table::Objects, &object_key(done.kind, &done.name)) {
                done.record = record;
            }
        }
    }

    fn place_machine(&mut self, name: &Name, anew: bool) -> Result<(), Rejection> {
        let Some(old) = self.load::<InstanceSpec>(name)? else { return Ok(()) };
        // One that a transaction writes twice.
        self.give_place_back(&old)?;
        let mut new = old.clone();
        if anew {
            new.status.node = match self.choose_node(&old)? {
                Choice::Node(node) => Some(node),
                Choice::BackEnds => None,
                Choice::Dangling => return Ok(()),
            };
        }
        if let Some(node) = &new.status.node {
            let claim = place_of(&new, node);
            self.know_ground()?;
            self.txn.put(Table::Claims, claim.to_string(), name.as_str().as_bytes());
            self.txn.put(Table::Claims, reference_of(name, node), name.as_str().as_bytes());
            self.scratch.count_machine(node, &new.spec.slice, true);
        }
        if new.status.node != old.status.node {
            self.leave_node(&old);
            self.placed.insert(name.clone());
            self.store(new, Effect::Configured);
        }
        Ok(())
    }

    fn choose_node(&mut self, instance: &Instance) -> Result<Choice, Rejection> {
        let placement = &instance.spec.placement;
        if placement.node.is_none() && placement.node_labels.is_empty() && !placement.spread {
            return Ok(Choice::BackEnds);
        }
        let deployment = match &placement.deployment {
            None => None,
            Some(name) => match self.load::<DeploymentSpec>(name)? {
                None => return Ok(Choice::Dangling),
                there => there,
            },
        };
        let sites = deployment.map(|deployment| deployment.spec.sites).unwrap_or_default();
        self.know_ground()?;
        let ground = self.scratch.ground().expect("known since the last line");
        if placement.node.as_ref().is_some_and(|node| !ground.has(node)) {
            return Ok(Choice::Dangling);
        }
        let previous = instance.status.node.as_ref();
        let chosen = place(placement, &sites, previous, ground.candidates(&instance.spec.slice))?;
        Ok(chosen.cloned().map_or(Choice::BackEnds, Choice::Node))
    }

    /// Reads the nodes, and what is placed on them, unless they are known.
    fn know_ground(&mut self) -> Result<(), Rejection> {
        if self.scratch.ground().is_some() {
            return Ok(());
        }
        let mut ground = Ground::default();
        for (key, record) in self.txn.prefixed(Table::Objects, &format!("{}/", KindName::Node.plural())) {
            let node: Node = decode(&key, &record)?;
            ground.put(&node);
        }
        for (key, _) in self.txn.prefixed(Table::Claims, Claim::PLACED) {
            if let Some((node, slice)) = Claim::placed_of_key(&key) {
                ground.count(&node, &slice, true);
            }
        }
        self.scratch.keep_ground(ground);
        Ok(())
    }

    /// Keeps what is known of the nodes in step with an object that is written.
    pub(super) fn note_ground<K: Kind>(&mut self, object: &Object<K>) {
        if let Some(node) = (object as &dyn std::any::Any).downcast_ref::<Object<NodeSpec>>() {
            self.scratch.ground_changed(|ground| ground.put(node));
        }
    }

    fn give_place_back(&mut self, instance: &Instance) -> Result<(), Rejection> {
        let Some(node) = &instance.status.node else { return Ok(()) };
        let key = place_of(instance, node).to_string();
        if self.txn.contains(Table::Claims, &key) {
            self.know_ground()?;
            self.txn.delete(Table::Claims, &key);
            self.scratch.count_machine(node, &instance.spec.slice, false);
        }
        Ok(())
    }

    /// A machine is no longer on the node that it was given; it may name it still.
    fn leave_node(&mut self, instance: &Instance) {
        let Some(node) = &instance.status.node else { return };
        self.txn.delete(Table::Claims, &reference_of(instance.name(), node));
        let target = Target { kind: KindName::Node, name: node.clone() };
        if self.is_deleting(&target) {
            self.condemn(target);
        }
    }
}

fn place_of(instance: &Instance, node: &Name) -> Claim {
    Claim::Placed {
        node: node.clone(),
        slice: instance.spec.slice.clone(),
        instance: instance.name().clone(),
    }
}

fn reference_of(instance: &Name, node: &Name) -> String {
    references::claim::<InstanceSpec>(instance, &Reference::new("/status/node", KindName::Node, node))
}
