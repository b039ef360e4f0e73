//! The tenancy graph, read from the objects that it is made of.

use intent_store::{Key, Record, Store};
use xos_model::{Graph, InstanceSpec, Kind, NetworkSpec, Object, ServiceSpec, SliceSpec, TenantSpec, Vertex};

use super::{Rejection, stored::decode};

const PAGE: usize = 1000;

/// Gives all objects whose keys begin with a prefix to a visitor.
pub(super) trait Objects {
    fn each(
        &self,
        prefix: &str,
        visit: &mut dyn FnMut(Key, Record) -> Result<(), Rejection>,
    ) -> Result<(), Rejection>;
}

pub(super) fn load(objects: &impl Objects) -> Result<Graph, Rejection> {
    let mut graph = Graph::default();
    vertices::<ServiceSpec>(objects, &mut graph)?;
    vertices::<TenantSpec>(objects, &mut graph)?;
    vertices::<SliceSpec>(objects, &mut graph)?;
    vertices::<NetworkSpec>(objects, &mut graph)?;
    vertices::<InstanceSpec>(objects, &mut graph)?;
    Ok(graph)
}

fn vertices<K: Vertex>(objects: &impl Objects, graph: &mut Graph) -> Result<(), Rejection> {
    let prefix = format!("{}/", <K as Kind>::KIND.plural());
    objects.each(&prefix, &mut |key, record| {
        let object: Object<K> = decode(&key, &record)?;
        graph.put(&object);
        Ok(())
    })
}

/// As durable at one revision.
pub(super) struct AtOnce<'a> {
    pub(super) store: &'a Store,
    pub(super) revision: u64,
}

impl Objects for AtOnce<'_> {
    fn each(
        &self,
        prefix: &str,
        visit: &mut dyn FnMut(Key, Record) -> Result<(), Rejection>,
    ) -> Result<(), Rejection> {
        let mut after: Option<String> = None;
        loop {
            let page = self.store.page(prefix, after.as_deref(), PAGE, Some(self.revision));
            let page = page.map_err(|compacted| Rejection::overtaken(compacted.to_string()))?;
            after = page.items.last().map(|(key, _)| key.to_string());
            for (key, record) in page.items {
                visit(key, record)?;
            }
            if !page.more {
                return Ok(());
            }
        }
    }
}
