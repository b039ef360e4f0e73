//! What should be there, and its way onto the disk and into the kernel.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::{Value, json};

use crate::{
    journal::{Entry, Journal, Thing},
    mounts::Mounts,
};

const SIZE_MIB_MAX: u64 = 1024;

pub(crate) struct State {
    journal: Journal,
    mounts: Mounts,
    wanted: Wanted,
}

#[derive(Default)]
struct Wanted {
    services: BTreeMap<String, Thing>,
    tenants: BTreeMap<String, Tenant>,
}

struct Tenant {
    thing: Thing,
    instances: Vec<String>,
}

/// Why something is not so: the status, and words.
pub(crate) struct Refusal(pub(crate) u16, pub(crate) String);

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self(500, format!("{error:#}"))
    }
}

impl Wanted {
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Service { name, thing } => drop(self.services.insert(name, thing)),
            Entry::NoService { name } => drop(self.services.remove(&name)),
            Entry::Tenant { name, thing } => {
                let instances = self.tenants.remove(&name).map(|tenant| tenant.instances).unwrap_or_default();
                self.tenants.insert(name, Tenant { thing, instances });
            }
            Entry::NoTenant { name } => drop(self.tenants.remove(&name)),
            Entry::Instances { tenant, instances } => {
                if let Some(tenant) = self.tenants.get_mut(&tenant) {
                    tenant.instances = instances;
                }
            }
        }
    }

    fn mounts(&self) -> BTreeSet<(String, String)> {
        let all = self.tenants.iter().flat_map(|(tenancy, tenant)| {
            tenant.instances.iter().map(move |instance| (instance.clone(), tenancy.clone()))
        });
        all.collect()
    }
}

impl State {
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Self> {
        let mounts = Mounts::new(dir)?;
        let (journal, entries) = Journal::open(&dir.join("journal"))?;
        let mut wanted = Wanted::default();
        for entry in entries {
            wanted.take(entry);
        }
        let state = Self { journal, mounts, wanted };
        state.make()?;
        Ok(state)
    }

    fn write(&mut self, entry: Entry) -> anyhow::Result<()> {
        self.journal.write(&entry)?;
        self.wanted.take(entry);
        self.make()
    }

    /// Volumes for all tenancies, and in their instances.
    fn make(&self) -> anyhow::Result<()> {
        for tenancy in self.wanted.tenants.keys() {
            let volume = self.mounts.volume(tenancy);
            fs::create_dir_all(&volume)?;
            fs::write(volume.join("label"), format!("the volume of {tenancy}\n"))?;
        }
        self.mounts.reconcile(&self.wanted.mounts())
    }

    pub(crate) fn put_service(&mut self, name: &str, thing: &Thing) -> Result<Value, Refusal> {
        let known = self.wanted.services.get(name);
        if known != Some(thing) {
            fresh(known, thing)?;
            self.write(Entry::Service { name: name.into(), thing: thing.clone() })?;
        }
        Ok(made("service", name, thing))
    }

    pub(crate) fn put_tenant(&mut self, name: &str, thing: &Thing, spec: &Value) -> Result<Value, Refusal> {
        let size = &spec["attributes"]["sizeMib"];
        if !size.is_null() && !size.as_u64().is_some_and(|size| (1..=SIZE_MIB_MAX).contains(&size)) {
            let words = format!("attributes.sizeMib is {size}: a volume has 1 to {SIZE_MIB_MAX} MiB");
            return Err(Refusal(422, words));
        }
        let known = self.wanted.tenants.get(name).map(|tenant| &tenant.thing);
        if known != Some(thing) {
            fresh(known, thing)?;
            self.write(Entry::Tenant { name: name.into(), thing: thing.clone() })?;
        }
        Ok(made("volume", name, thing))
    }

    pub(crate) fn put_instances(
        &mut self,
        tenancy: &str,
        uid: &str,
        instances: Vec<String>,
    ) -> Result<Value, Refusal> {
        match self.wanted.tenants.get(tenancy) {
            Some(tenant) if tenant.thing.uid == uid => {
                if tenant.instances != instances {
                    self.write(Entry::Instances { tenant: tenancy.into(), instances })?;
                }
            }
            // Nothing is mounted of what is not there.
            _ if instances.is_empty() => {}
            _ => return Err(Refusal(404, format!("there is no volume of {tenancy}"))),
        }
        Ok(json!({}))
    }

    pub(crate) fn delete_service(&mut self, name: &str, uid: &str) -> Result<(), Refusal> {
        if self.wanted.services.get(name).is_some_and(|thing| thing.uid == uid) {
            self.write(Entry::NoService { name: name.into() })?;
        }
        Ok(())
    }

    pub(crate) fn delete_tenant(&mut self, name: &str, uid: &str) -> Result<(), Refusal> {
        if self.wanted.tenants.get(name).is_some_and(|tenant| tenant.thing.uid == uid) {
            self.write(Entry::NoTenant { name: name.into() })?;
            fs::remove_dir_all(self.mounts.volume(name)).map_err(anyhow::Error::from)?;
        }
        Ok(())
    }

    pub(crate) fn observed(&self) -> Value {
        let item = |kind: &str, prefix: &str, (name, thing): (&String, &Thing)| {
            let mut item = made(prefix, name, thing);
            item["kind"] = json!(kind);
            item["name"] = json!(name);
            item["uid"] = json!(thing.uid);
            item
        };
        let services = self.wanted.services.iter().map(|service| item("Service", "service", service));
        let tenants = self.wanted.tenants.iter();
        let tenants = tenants.map(|(name, tenant)| item("Tenant", "volume", (name, &tenant.thing)));
        json!({"items": services.chain(tenants).collect::<Vec<_>>()})
    }
}

/// An older generation than is there must not overtake it.
fn fresh(known: Option<&Thing>, thing: &Thing) -> Result<(), Refusal> {
    match known {
        Some(known) if known.uid == thing.uid && known.generation > thing.generation => {
            Err(Refusal(409, format!("generation {} is there already", known.generation)))
        }
        _ => Ok(()),
    }
}

fn made(prefix: &str, name: &str, thing: &Thing) -> Value {
    json!({"handle": format!("{prefix}-{name}"), "digest": format!("{}.{}", thing.uid, thing.generation)})
}
