//! Which networks instances are attached to, in step with what is told of slices, networks and instances.
//!
//! No instance names its networks: they follow from its slice. So an instance is told of again when they are others.

use std::collections::{BTreeMap, BTreeSet};

use net_types::Name;
use xos_model::{AnyObject, Graph, KindName};

#[derive(Default)]
pub(super) struct Attachments {
    /// Of slices and networks alone.
    graph: Graph,
    slice_of: BTreeMap<Name, Name>,
    instances_of: BTreeMap<Name, BTreeSet<Name>>,
}

impl Attachments {
    /// Takes an object as it is now, or that it is gone. Gives back the other objects, instances all, whose networks are
    /// others now.
    pub(super) fn take(&mut self, kind: KindName, name: &Name, now: Option<&AnyObject>) -> Vec<Name> {
        if kind == KindName::Instance {
            self.take_instance(name, now);
            return Vec::new();
        }
        if !matches!(kind, KindName::Slice | KindName::Network) {
            return Vec::new();
        }
        let mut slices = self.around(kind, name);
        let before: BTreeMap<_, _> =
            slices.iter().map(|slice| (slice.clone(), self.graph.attached_networks(slice))).collect();
        match now {
            Some(AnyObject::Slice(slice)) => self.graph.put(slice),
            Some(AnyObject::Network(network)) => self.graph.put(network),
            _ => self.graph.remove(kind, name),
        }
        slices.extend(self.around(kind, name));
        let turned = slices.iter().filter(|slice| {
            before.get(*slice).cloned().unwrap_or_default() != self.graph.attached_networks(slice)
        });
        turned.flat_map(|slice| self.instances_of.get(slice).into_iter().flatten()).cloned().collect()
    }

    /// The Networks of an instance of a slice.
    pub(super) fn networks(&self, slice: &Name) -> BTreeSet<Name> {
        self.graph.attached_networks(slice)
    }

    fn take_instance(&mut self, name: &Name, now: Option<&AnyObject>) {
        if let Some(slice) = self.slice_of.remove(name)
            && let Some(instances) = self.instances_of.get_mut(&slice)
        {
            instances.remove(name);
            if instances.is_empty() {
                self.instances_of.remove(&slice);
            }
        }
        if let Some(AnyObject::Instance(instance)) = now {
            let slice = &instance.spec.slice;
            self.slice_of.insert(name.clone(), slice.clone());
            self.instances_of.entry(slice.clone()).or_default().insert(name.clone());
        }
    }

    /// Slices whose networks can turn with an object.
    fn around(&self, kind: KindName, name: &Name) -> BTreeSet<Name> {
        match kind {
            KindName::Slice => self.graph.neighbours_of_slice(name).chain([name.clone()]).collect(),
            _ => self.graph.slices_at(name).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests;
